//! The first of an order.
use crate::{Backend, Op, Outputs, Result, Span, Tensor};
use smallvec::smallvec;

/// The start of a whole sort.
pub fn topk<B: Backend>(x: &Tensor<B>, k: usize, axis: usize, largest: bool) -> Result<Outputs<Tensor<B>>> {
    let (values, indices) = Tensor::two(Op::Sort { x, axis, descending: largest })?;
    let first = Span { start: 0, step: 1, len: k };
    Ok(smallvec![values.span(axis, first)?, indices.span(axis, first)?])
}
