//! Softmax and its logarithm, both from their results alone.
use super::{graph::Rule, rules::one};
use firesteel_core::{Backend, Op, Reduce, Result, Tensor};
use smallvec::smallvec;

/// `dx = y (g - Σ g y)`.
pub(super) fn softmax<B: Backend>(y: Tensor<B>, axis: usize) -> Rule<B> {
    one(move |g| {
        let total = along(&(g * &y)?, axis)?;
        (y.lazy() * (g.lazy() - &total)).eval()
    })
}

/// `dx = g - e^y Σ g`.
pub(super) fn log_softmax<B: Backend>(y: Tensor<B>, axis: usize) -> Rule<B> {
    one(move |g| {
        let total = along(g, axis)?;
        (g.lazy() - y.lazy().exp() * &total).eval()
    })
}

fn along<B: Backend>(x: &Tensor<B>, axis: usize) -> Result<Tensor<B>> {
    Tensor::one(Op::Reduce(Reduce::Sum, x, smallvec![axis]))
}
