//! What was put together is taken apart.
use super::{
    graph::{Each, Rule},
    rules::{one, two, zeros},
    view,
};
use firesteel_core::{Backend, Op, Operands, PadAxis, Span, Spans, Tensor};

/// To each operand its part.
pub(super) fn concat<B: Backend>(xs: &Operands<Tensor<B>>, axis: usize) -> Rule<B> {
    let mut start = 0;
    let part = |x: &Tensor<B>| {
        let part = Span { start, step: 1, len: x.shape()[axis] };
        start += part.len;
        Some(Box::new(move |g: &Tensor<B>| view::span(g, axis, part)) as Each<B>)
    };
    Rule::Each(xs.iter().map(part).collect())
}

/// What lies between the padding.
pub(super) fn pad<B: Backend>(x: &Tensor<B>, padding: &[PadAxis]) -> Rule<B> {
    let part = |(by, &len): (&PadAxis, &usize)| Span { start: by.low, step: by.interior as isize + 1, len };
    let spans: Spans = padding.iter().zip(x.shape()).map(part).collect();
    one(move |g| Tensor::one(Op::Slice(g, spans.clone())))
}

/// Each window sees the gradient where it lay.
pub(super) fn fold<B: Backend>(x: &Tensor<B>, axis: usize, step: usize) -> Rule<B> {
    let size = x.shape()[x.rank() - 1];
    one(move |g| Tensor::one(Op::Windows { x: g, axis, size, step }))
}

/// To what was there, but not where it was written over; to what was written, from there.
pub(super) fn write<B: Backend>(x: &Tensor<B>, spans: Spans) -> Rule<B> {
    let (meta, part) = (x.meta().clone(), spans.clone());
    two(
        move |g| Tensor::one(Op::Write { into: g, x: &zeros(g, &meta)?, spans: spans.clone() }),
        move |g| Tensor::one(Op::Slice(g, part.clone())),
    )
}
