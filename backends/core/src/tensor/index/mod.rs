//! `x[..]` of Python: integers, ranges, new dims, masks and tensors of indices, in any mixture.
//! [Indexing in NumPy](https://numpy.org/doc/stable/user/basics.indexing.html) gives the rules.
mod argument;
mod plan;

pub use argument::{Index, Indices};

use crate::{Arg, Backend, Op, Operand, Result, Scatter, Tensor};
use plan::Plan;
use std::panic::Location;

impl<B: Backend> Tensor<B> {
    /// The elements that indices name, one index for each dim; dims that none is given for stay whole.
    ///
    /// | Python | here |
    /// | --- | --- |
    /// | `x[1, -2]` | `x.index((1, -2))` |
    /// | `x[1:, :-1, 3:5]` | `x.index((1.., ..-1, 3..5))` |
    /// | `x[:, ::2]` | `x.index((.., slice(None, None, 2)))` |
    /// | `x[..., 0]` | `x.index((Index::Ellipsis, 0))` |
    /// | `x[:, None]` | `x.index((.., None))` |
    /// | `x[[0, 2]]` | `x.index([0, 2])` |
    /// | `x[indices]`, `x[mask]` | `x.index(&indices)`, `x.index(&mask)` |
    ///
    /// Tensors of indices are broadcast to one shape, which takes the place of the dims that they index: where
    /// those dims are neighbours in their place, else in front. A Bool mask takes as many dims as it has, and
    /// is read from its device, as the result's size depends on it.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let x = Tensor::new([[1, 2, 3], [4, 5, 6]], &cpu)?;
    /// assert_eq!(x.index((-1, 1..))?.to_vec::<i64>()?, [5, 6]);
    /// assert_eq!(x.index((.., [0, 2]))?.to_vec::<i64>()?, [1, 3, 4, 6]);
    /// assert_eq!(x.index((.., None))?.shape(), &[2, 1, 3]);
    /// let large = x.gt(2)?;
    /// assert_eq!(x.index(&large)?.to_vec::<i64>()?, [3, 4, 5, 6]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn index(&self, indices: impl Into<Indices<B>>) -> Result<Self> {
        let here = Location::caller();
        let plan = Plan::new(self, indices.into()).map_err(|e| e.at(here))?;
        let seen = plan.view(self)?;
        match &plan.lookup {
            Some(lookup) => lookup.read(&seen),
            None => Ok(seen),
        }
    }

    /// As [`index`](Self::index), for where it is written often.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2, 3], [4, 5, 6]], &Cpu::default())?;
    /// assert_eq!(x.i((.., 0))?.to_vec::<i64>()?, [1, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn i(&self, indices: impl Into<Indices<B>>) -> Result<Self> {
        self.index(indices)
    }

    /// A copy with `values` (a number, or what broadcasts to the shape of [`index`](Self::index)) in place of
    /// the elements that indices name, or added to them where `accumulate` says so: then what is named twice
    /// gets both.
    /// [`torch.index_put`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.index_put_.html)
    ///
    /// ```
    /// use firesteel::{Accumulate, prelude::*};
    /// let x = Tensor::zeros([3], &Cpu::default())?;
    /// assert_eq!(x.index_put([0, 2], 5.0, Accumulate::No)?.to_vec::<f32>()?, [5., 0., 5.]);
    /// assert_eq!(x.index_put([0, 0], 5.0, Accumulate::Yes)?.to_vec::<f32>()?, [10., 0., 0.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn index_put(
        &self,
        indices: impl Into<Indices<B>>,
        values: impl Into<Arg<B>>,
        accumulate: Accumulate,
    ) -> Result<Self> {
        // unlike a leaf, what was made of it may change while operations are recorded
        let mut y = Self::one(Op::Reshape(self, self.shape().clone()))?;
        y.write_at(indices.into(), values.into(), accumulate)?;
        Ok(y)
    }

    /// `x[indices] = values` of Python: puts `values` in place of the elements that indices name, in this
    /// tensor's own memory where nobody else holds it.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let mut x = Tensor::new([[1, 2, 3], [4, 5, 6]], &Cpu::default())?;
    /// x.assign((.., 1), 0)?;
    /// assert_eq!(x.to_vec::<i64>()?, [1, 0, 3, 4, 0, 6]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn assign(&mut self, indices: impl Into<Indices<B>>, values: impl Into<Arg<B>>) -> Result<()> {
        self.write_at(indices.into(), values.into(), Accumulate::No)
    }

    #[track_caller]
    fn write_at(&mut self, indices: Indices<B>, values: Arg<B>, accumulate: Accumulate) -> Result<()> {
        let here = Location::caller();
        let plan = Plan::new(self, indices).map_err(|e| e.within("index_put").at(here))?;
        let values = values.into_tensor(self, self.dtype())?;
        let kind = if accumulate == Accumulate::Yes { Scatter::Add } else { Scatter::Set };
        match &plan.lookup {
            None => {
                let seen = plan.view(self)?;
                let values = fit(&values, seen.shape())?;
                let written = if kind == Scatter::Add { seen.add(&values)? } else { values };
                self.write(&written.shaped(plan.part())?, plan.spans)
            }
            Some(lookup) if plan.is_whole && lookup.flat() == *self.shape() => {
                let values = fit(&values, &lookup.result())?.shaped(lookup.found())?;
                self.update(Op::IndexPut {
                    kind,
                    into: Operand::Target(0),
                    index: Operand::Value(&lookup.index),
                    x: Operand::Value(&values),
                    axis: lookup.axis(),
                })
            }
            Some(lookup) => {
                let written = lookup.written(&plan.view(self)?, &fit(&values, &lookup.result())?, kind)?;
                let written = written.shaped(plan.part())?;
                if plan.is_whole {
                    *self = written;
                    return Ok(());
                }
                self.write(&written, plan.spans)
            }
        }
    }
}

/// What [`Tensor::index_put`] does with the elements that are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accumulate {
    /// They are replaced.
    #[default]
    No,
    /// The values are added to them.
    Yes,
}

/// Values stretched to a shape; dims of size one in front that it does not have are dropped, as in PyTorch.
#[track_caller]
fn fit<B: Backend>(values: &Tensor<B>, shape: &crate::Shape) -> Result<Tensor<B>> {
    let spare = values.rank().saturating_sub(shape.rank());
    if values.shape()[..spare].iter().any(|&size| size != 1) {
        let why = format!("values of shape {} do not fit what is indexed, {shape}", values.shape());
        return Err(crate::Error::shape("index_put", why));
    }
    values.shaped(values.shape()[spare..].into())?.broadcast_to(shape)
}
