//! Along dims: reductions.
use crate::{Axes, Backend, DType, Dims, Op, Reduce, Result, Shape, Tensor};
use std::panic::Location;

impl<B: Backend> Tensor<B> {
    /// `Σ x` over `dims`; whole numbers and Bool are summed in I64.
    #[track_caller]
    pub fn sum(&self, dims: impl Into<Dims>) -> Result<Self> {
        let x = if self.dtype().is_float() { self.clone() } else { self.to(DType::I64)? };
        x.reduce(Reduce::Sum, dims.into())
    }

    /// `Σ x / n` over `dims`, of real numbers.
    #[track_caller]
    pub fn mean(&self, dims: impl Into<Dims>) -> Result<Self> {
        self.reduce(Reduce::Mean, dims.into())
    }

    /// `Π x` over `dims`; whole numbers and Bool are multiplied in I64.
    #[track_caller]
    pub fn prod(&self, dims: impl Into<Dims>) -> Result<Self> {
        let x = if self.dtype().is_float() { self.clone() } else { self.to(DType::I64)? };
        x.reduce(Reduce::Prod, dims.into())
    }

    /// The largest over `dims`, NaN where one is.
    #[track_caller]
    pub fn amax(&self, dims: impl Into<Dims>) -> Result<Self> {
        self.reduce(Reduce::Max, dims.into())
    }

    /// The smallest over `dims`, NaN where one is.
    #[track_caller]
    pub fn amin(&self, dims: impl Into<Dims>) -> Result<Self> {
        self.reduce(Reduce::Min, dims.into())
    }

    #[track_caller]
    pub(crate) fn reduce(&self, kind: Reduce, dims: Dims) -> Result<Self> {
        let here = Location::caller();
        let (axes, keep) = dims.resolve(kind.name(), self.shape()).map_err(|e| e.at(here))?;
        let y = Self::one(Op::Reduce(kind, self, axes.clone()))?;
        if keep { Ok(y) } else { y.without(&axes) }
    }

    /// Undoes a broadcast: sums until the shape is `shape`, which has to stretch to this one.
    #[track_caller]
    pub fn sum_to_size(&self, shape: impl Into<Shape>) -> Result<Self> {
        let shape = shape.into();
        if *self.shape() == shape {
            return Ok(self.clone());
        }
        if shape.broadcast(self.shape()).as_ref() != Some(self.shape()) {
            let why = format!("{shape} does not stretch to {}", self.shape());
            return Err(crate::Error::shape("sum_to_size", why));
        }
        let new = self.rank() - shape.rank();
        let shrunk = |&axis: &usize| axis < new || shape[axis - new] != self.shape()[axis];
        let axes: Axes = (0..self.rank()).filter(shrunk).collect();
        Self::one(Op::Reduce(Reduce::Sum, self, axes))?.reshape(&shape)
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
