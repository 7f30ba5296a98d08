//! Running functions go back by running the other way.
use super::{graph::Rule, rules::one, view};
use firesteel_core::{Backend, Op, Result, Scan, Tensor};

pub(super) fn scan<B: Backend>(kind: Scan, x: Tensor<B>, y: Tensor<B>, axis: usize) -> Rule<B> {
    match kind {
        // dxₖ = Σᵢ≥ₖ gᵢ
        Scan::Sum => one(move |g| {
            let back = Tensor::one(Op::Scan(Scan::Sum, &view::flip(g, axis)?, axis))?;
            view::flip(&back, axis)
        }),
        // yᵢ = xᵢ yᵢ₋₁ is a recurrence that begins with y₋₁ = 1: dxₖ = hₖ yₖ₋₁
        Scan::Prod => one(move |g| backwards(&x, g, axis)? * view::later(&y, axis, 1)?),
    }
}

/// `yᵢ = aᵢ yᵢ₋₁ + bᵢ`: `daᵢ = hᵢ yᵢ₋₁` and `dbᵢ = hᵢ`.
pub(super) fn recurrence<B: Backend>(a: Tensor<B>, y: Tensor<B>, axis: usize, wants: &[bool]) -> Rule<B> {
    let y = wants.first().is_some_and(|&wanted| wanted).then_some(y);
    Rule::Joint(Box::new(move |received| {
        let Some(Some(g)) = received.first() else { return Ok(vec![None, None]) };
        let h = backwards(&a, g, axis)?;
        let da = y.as_ref().map(|y| &h * view::later(y, axis, 0)?).transpose()?;
        Ok(vec![da, Some(h)])
    }))
}

/// All that depends on a recurrence's `yᵢ` acts through it: `hᵢ = gᵢ + aᵢ₊₁ hᵢ₊₁`, from the end.
fn backwards<B: Backend>(a: &Tensor<B>, g: &Tensor<B>, axis: usize) -> Result<Tensor<B>> {
    let (a, b) = (view::flip(&view::earlier(a, axis, 0)?, axis)?, view::flip(g, axis)?);
    view::flip(&Tensor::one(Op::Recurrence { a: &a, b: &b, axis })?, axis)
}
