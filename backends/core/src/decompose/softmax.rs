//! Softmax and its logarithm.
use super::one;
use crate::{Backend, Outputs, Result, Tensor, keepdim};

/// `z = x - max x`, which no exponential overflows on. Where a whole row is -∞ (or its maximum +∞), the
/// difference is NaN, as in PyTorch. The maximum is a constant: the function does not depend on it.
fn shifted<B: Backend>(x: &Tensor<B>, axis: usize) -> Result<Tensor<B>> {
    if x.shape()[axis] == 0 {
        return Ok(x.clone());
    }
    x - x.detach().amax(keepdim(axis))?
}

/// `e^z / Σ e^z`.
pub fn softmax<B: Backend>(x: &Tensor<B>, axis: usize) -> Result<Outputs<Tensor<B>>> {
    one(x.in_full_precision(|x| {
        let e = shifted(x, axis)?.exp()?;
        &e / e.sum(keepdim(axis))?
    })?)
}

/// `z - ln Σ e^z`.
pub fn log_softmax<B: Backend>(x: &Tensor<B>, axis: usize) -> Result<Outputs<Tensor<B>>> {
    one(x.in_full_precision(|x| {
        let z = shifted(x, axis)?;
        &z - z.exp()?.sum(keepdim(axis))?.log()?
    })?)
}
