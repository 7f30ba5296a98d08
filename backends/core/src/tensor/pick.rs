//! One index for each slice: whole slices read, replaced and added to along one dim.
use crate::{Arg, Backend, Error, Op, Result, Scalar, Scatter, Tensor};

impl<B: Backend> Tensor<B> {
    /// The slices at the places of `index [n]` along a dim.
    /// [`torch.index_select`](https://docs.pytorch.org/docs/stable/generated/torch.index_select.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let x = Tensor::new([[1, 2], [3, 4], [5, 6]], &cpu)?;
    /// assert_eq!(x.index_select(0, &Tensor::new([2, 0], &cpu)?)?.to_vec::<i64>()?, [5, 6, 1, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn index_select(&self, dim: isize, index: &Self) -> Result<Self> {
        let axis = self.axis("index_select", dim)?;
        let y = Self::one(Op::IndexSelect { x: &self.atleast_1d()?, index: &index.atleast_1d()?, axis })?;
        if self.rank() == 0 { y.reshape_as(self) } else { Ok(y) }
    }

    /// A copy with `alpha` times the slices of `source` added at the places of `index [n]` along a dim; a place
    /// named twice gets both.
    /// [`torch.index_add`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.index_add_.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, index) = (Tensor::new([1, 2, 3], &cpu)?, Tensor::new([0, 0], &cpu)?);
    /// let source = Tensor::new([10, 20], &cpu)?;
    /// assert_eq!(x.index_add(0, &index, &source, 2)?.to_vec::<i64>()?, [61, 2, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn index_add(
        &self,
        dim: isize,
        index: &Self,
        source: &Self,
        alpha: impl Into<Scalar>,
    ) -> Result<Self> {
        let scaled = source.scaled("index_add", alpha.into())?;
        self.put_slices("index_add", Scatter::Add, dim, index, &scaled)
    }

    /// A copy with the slices of `source` at the places of `index [n]` along a dim.
    /// [`torch.index_copy`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.index_copy_.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, index) = (Tensor::new([1, 2, 3], &cpu)?, Tensor::new([2, 0], &cpu)?);
    /// let source = Tensor::new([10, 20], &cpu)?;
    /// assert_eq!(x.index_copy(0, &index, &source)?.to_vec::<i64>()?, [20, 2, 10]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn index_copy(&self, dim: isize, index: &Self, source: &Self) -> Result<Self> {
        self.put_slices("index_copy", Scatter::Set, dim, index, source)
    }

    /// A copy with `value` in the slices at the places of `index [n]` along a dim.
    /// [`torch.index_fill`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.index_fill_.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let x = Tensor::new([[1, 2], [3, 4]], &cpu)?;
    /// assert_eq!(x.index_fill(1, &Tensor::new([0], &cpu)?, 9)?.to_vec::<i64>()?, [9, 2, 9, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn index_fill(&self, dim: isize, index: &Self, value: impl Into<Arg<B>>) -> Result<Self> {
        let (axis, value) = (self.axis("index_fill", dim)?, self.filler("index_fill", value.into())?);
        let shape = self.atleast_1d()?.shape().with(axis, index.numel());
        self.put_slices("index_fill", Scatter::Set, dim, index, &value.broadcast_to(shape)?)
    }

    /// A copy in which the slices of `source` that go to one place of `index [n]` along a dim are joined by a function,
    /// together with what is there unless the options say otherwise.
    /// [`torch.index_reduce`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.index_reduce_.html)
    ///
    /// ```
    /// use firesteel::{Reduce, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, index) = (Tensor::new([1, 2, 3], &cpu)?, Tensor::new([0, 0], &cpu)?);
    /// let source = Tensor::new([10, 20], &cpu)?;
    /// assert_eq!(x.index_reduce(0, &index, &source, Reduce::Prod)?.to_vec::<i64>()?, [200, 2, 3]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn index_reduce(
        &self,
        dim: isize,
        index: &Self,
        source: &Self,
        options: impl Into<super::ScatterReduce>,
    ) -> Result<Self> {
        let op = "index_reduce";
        self.gathered_up(options.into(), source.into(), |into, kind, value| {
            let value = match value {
                Arg::Tensor(value) => value,
                Arg::Scalar(_) => into.filler(op, value)?.broadcast_to(source.shape())?,
            };
            into.put_slices(op, kind, dim, index, &value)
        })
    }

    /// The elements at places among all elements, row-major; negative places count from the end. The result
    /// has the shape of `index`.
    /// [`torch.take`](https://docs.pytorch.org/docs/stable/generated/torch.take.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let x = Tensor::new([[1, 2], [3, 4]], &cpu)?;
    /// assert_eq!(x.take(&Tensor::new([0, -1], &cpu)?)?.to_vec::<i64>()?, [1, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn take(&self, index: &Self) -> Result<Self> {
        self.ravel()?.index(index)
    }

    /// A copy with the elements of `source` at places among all elements, row-major, or added to them.
    /// [`torch.Tensor.put`](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.put_.html)
    ///
    /// ```
    /// use firesteel::{Accumulate, prelude::*};
    /// let cpu = Cpu::default();
    /// let x = Tensor::new([[1, 2], [3, 4]], &cpu)?;
    /// let (index, source) = (Tensor::new([0, -1], &cpu)?, Tensor::new([8, 9], &cpu)?);
    /// assert_eq!(x.put(&index, &source, Accumulate::No)?.to_vec::<i64>()?, [8, 2, 3, 9]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn put(&self, index: &Self, source: &Self, accumulate: super::Accumulate) -> Result<Self> {
        self.ravel()?.index_put(&index.ravel()?, &source.ravel()?, accumulate)?.reshape_as(self)
    }

    #[track_caller]
    fn put_slices(
        &self,
        op: &'static str,
        kind: Scatter,
        dim: isize,
        index: &Self,
        source: &Self,
    ) -> Result<Self> {
        let axis = self.axis(op, dim)?;
        if source.dtype() != self.dtype() {
            let why = format!("cannot join {} and {}: cast with `.to(..)`", source.dtype(), self.dtype());
            return Err(Error::dtype(op, why));
        }
        let (into, index, x) = (self.atleast_1d()?, index.atleast_1d()?, source.atleast_1d()?);
        let here = std::panic::Location::caller();
        let put = Op::IndexPut { kind, into: &into, index: &index, x: &x, axis };
        Self::one(put).map_err(|e| e.within(op).at(here))?.reshape_as(self)
    }

    /// `alpha` times this tensor, in its own dtype.
    #[track_caller]
    pub(super) fn scaled(&self, op: &'static str, alpha: Scalar) -> Result<Self> {
        if alpha.to_f64() == 1. {
            return Ok(self.clone());
        }
        self.mul(&self.filler(op, Arg::Scalar(alpha))?)
    }
}
