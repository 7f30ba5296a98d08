//! Products with more to them.
use super::one;
use crate::{Backend, DType, Op, Outputs, Result, Tensor};

/// A product of I8 in I32.
pub fn int_mm<B: Backend>(a: &Tensor<B>, b: &Tensor<B>) -> Result<Outputs<Tensor<B>>> {
    one(Tensor::one(Op::MatMul(&a.to(DType::I32)?, &b.to(DType::I32)?))?)
}

/// `x Wᵀ + b`: all leading axes of `x` are rows of one matrix.
pub fn linear<B: Backend>(x: &Tensor<B>, w: &Tensor<B>, b: Option<&Tensor<B>>) -> Result<Outputs<Tensor<B>>> {
    let (n, k) = (w.shape()[0], w.shape()[1]);
    let mut shape = x.shape().clone();
    let last = shape.rank() - 1;
    let rows = shape[..last].iter().product::<usize>();
    shape[last] = n;
    let y = Tensor::one(Op::MatMul(&x.reshape([rows, k])?, &w.transpose(0, 1)?))?.reshape(&shape)?;
    one(match b {
        Some(b) => (y + b)?,
        None => y,
    })
}
