//! Losses.
use super::graph::Rule;
use firesteel_core::{Backend, Op, Result, Scatter, Tensor};

/// `loss = lse - x[target]`, and zero where the target is ignored: with `p = e^(x - lse)`, and `h` the
/// gradient of `lse` itself, `dx = p (g + h) - g` at the target and `p (g + h)` elsewhere, with `g = 0` where
/// the target is ignored.
pub(super) fn cross_entropy<B: Backend>(
    x: Tensor<B>,
    target: Tensor<B>,
    lse: Tensor<B>,
    ignore: i64,
) -> Rule<B> {
    Rule::Joint(Box::new(move |received| {
        let [g, h] = received else { return Ok(vec![None, None]) };
        let p = (x.lazy() - &lse.unsqueeze(1)?).exp().eval()?;
        let kept = target.ne(ignore)?;
        let g = g.as_ref().map(|g| kept.where_(g, 0)?.unsqueeze(1)).transpose()?;
        let h = h.as_ref().map(|h| h.unsqueeze(1)).transpose()?;
        let dx = match (&g, &h) {
            (Some(g), Some(h)) => &p * (g + h)?,
            (Some(g), None) => &p * g,
            (None, Some(h)) => &p * h,
            (None, None) => return Ok(vec![None, None]),
        }?;
        let index = kept.where_(&target, 0)?.unsqueeze(1)?;
        let dx = g.map_or(Ok(dx.clone()), |g| at_target(&dx, &index, &g.neg()?))?;
        Ok(vec![Some(dx), None])
    }))
}

fn at_target<B: Backend>(dx: &Tensor<B>, index: &Tensor<B>, g: &Tensor<B>) -> Result<Tensor<B>> {
    Tensor::one(Op::Scatter { kind: Scatter::Add, into: dx, index, x: g, axis: 1 })
}
