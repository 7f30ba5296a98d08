//! Losses.
use super::{full, rounded};
use crate::{Backend, Op, Outputs, Result, Tensor, keepdim};

/// `lse - logits[target]` along axis 1, with `lse = ln Σ e^logits`; zero where the target is ignored.
pub fn cross_entropy<B: Backend>(
    x: &Tensor<B>,
    target: &Tensor<B>,
    ignore: i64,
) -> Result<Outputs<Tensor<B>>> {
    let (logits, x, target) = (x, &full(x)?, target.roomy()?);
    let max = x.detach().amax(keepdim(1))?;
    let lse = ((x - &max)?.exp()?.sum(keepdim(1))?.log()? + max)?;
    let kept = target.ne(ignore)?;
    let index = kept.where_(&target, 0)?.unsqueeze(1)?;
    let chosen = Tensor::one(Op::Gather { x, index: &index, axis: 1 })?;
    let loss = (&lse - chosen)?.reshape(target.shape())?;
    rounded(logits, [kept.where_(&loss, 0.0)?, lse.reshape(target.shape())?])
}
