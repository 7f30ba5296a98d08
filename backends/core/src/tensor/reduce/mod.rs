//! Many elements to one, along some dims: `..` is all of them, `1` or `[0, -1]` some, and
//! [`keepdim`](crate::keepdim) leaves them with size one.
mod choose;
mod moments;
mod nan;
mod norm;

use crate::{Axes, Backend, DType, Dims, Op, Reduce, Result, Shape, Tensor};
use std::panic::Location;

/// The link and the example that every reduction has: the matrix `[[1, 2], [3, 4]]`, by column.
macro_rules! reductions {
    ($($(#[$doc:meta])* $method:ident => $t:ident $y:expr, |$x:ident, $dims:ident| $body:expr;)*) => {
        impl<B: Backend> Tensor<B> {$(
            $(#[$doc])*
            #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.", stringify!($method), ".html>\n
```
use firesteel::prelude::*;
let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]], &Cpu::default())?;
assert_eq!(x.", stringify!($method), "(0)?.to_vec::<", stringify!($t), ">()?, ", stringify!($y), ");
assert_eq!(x.", stringify!($method), "(keepdim(..))?.shape().to_string(), \"[1, 1]\");
# Ok::<(), firesteel::Error>(())
```")]
            #[track_caller]
            pub fn $method(&self, dims: impl Into<Dims>) -> Result<Self> {
                let ($x, $dims) = (self, dims.into());
                $body
            }
        )*}
    };
}

reductions! {
    /// `Σ x`; whole numbers and Bool are summed in I64, half precision in F32.
    sum => f32 [4., 6.], |x, dims| x.widened()?.reduce(Reduce::Sum, dims);
    /// `Π x`; whole numbers and Bool are multiplied in I64.
    prod => f32 [3., 8.], |x, dims| x.widened()?.reduce(Reduce::Prod, dims);
    /// `Σ x / n`, of real numbers; of none it is NaN.
    mean => f32 [2., 3.], |x, dims| x.reduce(Reduce::Mean, dims);
    /// The largest, NaN where one is. Equals share the gradient.
    amax => f32 [3., 4.], |x, dims| x.reduce(Reduce::Max, dims);
    /// The smallest, NaN where one is. Equals share the gradient.
    amin => f32 [1., 2.], |x, dims| x.reduce(Reduce::Min, dims);
    /// Whether any is not zero, as Bool (of U8 as U8, as in PyTorch); of none it is false.
    any => bool [true, true], |x, dims| x.truth(Reduce::Max, dims, "any");
    /// Whether none is zero, as Bool (of U8 as U8, as in PyTorch); of none it is true.
    all => bool [true, true], |x, dims| x.truth(Reduce::Min, dims, "all");
    /// How many are not zero, in I64.
    count_nonzero => i64 [2, 2], |x, dims| x.to(DType::Bool)?.sum(dims);
}

impl<B: Backend> Tensor<B> {
    /// The smallest and the largest, in one call. Equals share the gradient.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.aminmax.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([3.0, 1.0, 2.0], &Cpu::default())?;
    /// let (min, max) = x.aminmax(..)?;
    /// assert_eq!((min.item::<f32>()?, max.item::<f32>()?), (1., 3.));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn aminmax(&self, dims: impl Into<Dims>) -> Result<(Self, Self)> {
        let dims = dims.into();
        Ok((self.amin(dims.clone())?, self.amax(dims)?))
    }

    /// The sum of a matrix's diagonal; whole numbers are summed in I64.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.trace.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &Cpu::default())?;
    /// assert_eq!(x.trace()?.item::<f32>()?, 6.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn trace(&self) -> Result<Self> {
        let [rows, columns] = self.shape()[..] else {
            let why = format!("a matrix has two dims, and {} does not", self.shape());
            return Err(crate::Error::shape("trace", why));
        };
        // in row-major order the diagonal's elements lie `columns + 1` apart
        let len = rows.min(columns);
        let line = self.narrow(0, 0, len)?.reshape([len * columns])?;
        line.span(0, crate::Span { start: 0, step: columns as isize + 1, len })?.sum(..)
    }

    /// Undoes a broadcast: sums until the shape is `shape`, which has to stretch to this one.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.Tensor.sum_to_size.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]], &Cpu::default())?;
    /// assert_eq!(x.sum_to_size([2, 1])?.to_vec::<f32>()?, [3., 7.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn sum_to_size(&self, shape: impl Into<Shape>) -> Result<Self> {
        let shape = shape.into();
        if *self.shape() == shape {
            return self.widened();
        }
        if shape.broadcast(self.shape()).as_ref() != Some(self.shape()) {
            let why = format!("{shape} does not stretch to {}", self.shape());
            return Err(crate::Error::shape("sum_to_size", why));
        }
        let new = self.rank() - shape.rank();
        let shrunk = |&axis: &usize| axis < new || shape[axis - new] != self.shape()[axis];
        let axes: Axes = (0..self.rank()).filter(shrunk).collect();
        Self::one(Op::Reduce(Reduce::Sum, &self.widened()?, axes))?.reshape(&shape)
    }

    #[track_caller]
    pub(crate) fn reduce(&self, kind: Reduce, dims: Dims) -> Result<Self> {
        let here = Location::caller();
        let (axes, keep) = dims.resolve(kind.name(), self.shape()).map_err(|e| e.at(here))?;
        let y = Self::one(Op::Reduce(kind, self, axes.clone()))?;
        if keep { Ok(y) } else { y.without(&axes) }
    }

    /// Whether elements are true, joined.
    #[track_caller]
    fn truth(&self, kind: Reduce, dims: Dims, name: &'static str) -> Result<Self> {
        let y = self.to(DType::Bool)?.reduce(kind, dims).map_err(|e| e.within(name))?;
        if self.dtype() == DType::U8 { y.to(DType::U8) } else { Ok(y) }
    }

    /// In the dtype in which sums and products are kept: whole numbers and Bool in I64.
    #[track_caller]
    pub(super) fn widened(&self) -> Result<Self> {
        if self.dtype().is_float() { Ok(self.clone()) } else { self.to(DType::I64) }
    }

    /// Computes in F32 what half precision would lose, and rounds the result once.
    #[track_caller]
    pub(crate) fn in_full_precision(&self, f: impl FnOnce(&Self) -> Result<Self>) -> Result<Self> {
        if self.dtype().is_half() { f(&self.to(DType::F32)?)?.to(self.dtype()) } else { f(self) }
    }

    /// Takes axes of size one away.
    #[track_caller]
    pub(crate) fn without(&self, axes: &Axes) -> Result<Self> {
        if axes.is_empty() {
            return Ok(self.clone());
        }
        let kept = self.shape().iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
        Self::one(Op::Reshape(self, kept.map(|(_, &size)| size).collect()))
    }
}
