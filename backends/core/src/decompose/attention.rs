//! Scaled dot-product attention.
use super::{full, rounded};
use crate::{Backend, DType, Op, Outputs, Result, Tensor, keepdim};

/// `softmax(scale · q kᵀ + mask) v`, and the logarithm of the softmax's denominators.
pub fn attention<B: Backend>(
    q: &Tensor<B>,
    k: &Tensor<B>,
    v: &Tensor<B>,
    mask: Option<&Tensor<B>>,
    scale: f64,
    causal: bool,
) -> Result<Outputs<Tensor<B>>> {
    let last = q.rank() - 1;
    let (queries, q, k, v) = (q, &full(q)?, &full(k)?, &full(v)?);
    let mut scores = (Tensor::one(Op::MatMul(q, &k.transpose(-2, -1)?))? * scale)?;
    if let Some(mask) = mask {
        scores = match mask.dtype() {
            DType::Bool => mask.where_(&scores, f64::NEG_INFINITY)?,
            _ => (scores + full(mask)?)?,
        };
    }
    if causal {
        let (n, m) = (q.shape()[last - 1], k.shape()[last - 1]);
        let count = |len| Tensor::arange(0..len, (DType::I32, q.backend()));
        let seen = count(m)?.le(&count(n)?.unsqueeze(1)?)?;
        scores = seen.where_(&scores, f64::NEG_INFINITY)?;
    }
    if scores.shape()[last] == 0 {
        let lse = Tensor::full_like(&scores.sum(keepdim(last))?, f64::NEG_INFINITY)?;
        return rounded(queries, [Tensor::one(Op::MatMul(&scores, v))?, lse]);
    }
    // a row that keeps nothing has no largest: it is shifted by nothing, and its sum of zero gives zeros
    let max = scores.detach().amax(keepdim(last))?;
    let max = max.eq(f64::NEG_INFINITY)?.where_(0.0, &max)?;
    let e = (scores - &max)?.exp()?;
    let sum = e.sum(keepdim(last))?;
    let empty = sum.eq(0.0)?;
    let p = (e / empty.where_(1.0, &sum)?)?;
    rounded(queries, [Tensor::one(Op::MatMul(&p, v))?, (sum.log()? + max)?])
}
