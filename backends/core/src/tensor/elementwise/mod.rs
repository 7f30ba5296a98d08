//! Element by element: what brings operands together, and the functions, one family a file.
mod binary;
mod bits;
mod formulas;
mod parts;
mod unary;

pub use binary::RoundingMode;
pub use formulas::NanToNumOptions;

use super::arg::result_type;
use crate::{Arg, Backend, Binary, DType, Op, Result, Tensor};
use std::panic::Location;

impl<B: Backend> Tensor<B> {
    /// `a` where this Bool tensor is true, else `b`; shapes broadcast, and `a` and `b` meet in one dtype:
    /// `torch.where(self, a, b)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.where.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([-1.0, 2.0], &Cpu::default())?;
    /// assert_eq!(x.gt(0)?.where_(&x, 0.0)?.to_vec::<f32>()?, [0., 2.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn where_(&self, a: impl Into<Arg<B>>, b: impl Into<Arg<B>>) -> Result<Self> {
        let (a, b) = match (a.into(), b.into()) {
            (Arg::Tensor(a), b) => a.meet(b, |dtype| dtype)?,
            (a, Arg::Tensor(b)) => {
                let (b, a) = b.meet(a, |dtype| dtype)?;
                (a, b)
            }
            (Arg::Scalar(a), b) => {
                let dtype = b.promote(&Tensor::full((), a, self.backend())?);
                (Tensor::full((), a, (dtype, self.backend()))?, b.into_tensor(self, dtype)?)
            }
        };
        let shape = self.common_shape("where", &a)?;
        let (c, a, b) = (self.broadcast_to(&shape)?, a.broadcast_to(&shape)?, b.broadcast_to(&shape)?);
        Self::one(Op::Select(&c, &a, &b))
    }

    /// The dtype in which this and another tensor meet.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.result_type.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (whole, real) = (Tensor::new([1, 2], &cpu)?, Tensor::new(0.5, &cpu)?);
    /// assert_eq!(whole.result_type(&real), DType::F32);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub fn result_type(&self, other: &Self) -> DType {
        result_type(self, other)
    }

    /// A function of two operands in the dtype in which they meet.
    #[track_caller]
    pub(crate) fn binary(&self, kind: Binary, other: Arg<B>) -> Result<Self> {
        self.binary_in(kind, other, |dtype| dtype)
    }

    /// A function of two operands in the real dtype in which they meet.
    #[track_caller]
    pub(crate) fn binary_of_reals(&self, kind: Binary, other: Arg<B>) -> Result<Self> {
        self.binary_in(kind, other, |dtype| if dtype.is_float() { dtype } else { DType::F32 })
    }

    #[track_caller]
    fn binary_in(&self, kind: Binary, other: Arg<B>, settle: impl Fn(DType) -> DType) -> Result<Self> {
        if let Arg::Tensor(b) = &other
            && self.meta() == b.meta()
            && settle(self.dtype()) == self.dtype()
        {
            // as nearly always, and then it should cost nothing
            let here = Location::caller();
            b.is_on(kind.name(), self.device()).map_err(|e| e.at(here))?;
            return Self::make(&self.backend, Op::Binary(kind, &self.value, &b.value));
        }
        let (a, b) = self.meet(other, settle).map_err(|e| e.within(kind.name()))?;
        Self::one(Op::Binary(kind, &a, &b))
    }

    /// Both operands in one dtype (what `settle` makes of the promoted one) and one shape.
    #[track_caller]
    pub(crate) fn meet(&self, other: Arg<B>, settle: impl Fn(DType) -> DType) -> Result<(Self, Self)> {
        let dtype = settle(other.promote(self));
        let a = self.to(dtype)?;
        let b = match other {
            Arg::Tensor(b) if b.dtype() == dtype => b,
            Arg::Tensor(b) => b.to(dtype)?,
            Arg::Scalar(x) => Self::make(self.backend(), Op::Full(x, self.shape().clone(), dtype))?,
        };
        if a.shape() == b.shape() {
            return Ok((a, b));
        }
        let shape = a.common_shape("broadcast_tensors", &b)?;
        Ok((a.broadcast_to(&shape)?, b.broadcast_to(&shape)?))
    }
}
