//! What is only seen otherwise gets its gradient seen back.
use super::{
    graph::{Rule, sum},
    rules::{one, zeros},
};
use firesteel_core::{
    Axes, Backend, Binary, Meta, Op, Operand, PadAxis, Padding, Reduce, Result, Scalar, Span, Spans, Tensor,
};
use smallvec::smallvec;

pub(super) fn reshape<B: Backend>(x: &Tensor<B>) -> Rule<B> {
    let shape = x.shape().clone();
    one(move |g| g.reshape(&shape))
}

/// Axis `i` goes back to where it came from.
pub(super) fn permute<B: Backend>(axes: &Axes) -> Rule<B> {
    let inverse: Axes = (0..axes.len()).filter_map(|a| axes.iter().position(|&b| a == b)).collect();
    one(move |g| Tensor::one(Op::Permute(g, inverse.clone())))
}

/// An element that was seen many times gets the sum.
pub(super) fn broadcast<B: Backend>(x: &Tensor<B>) -> Rule<B> {
    let shape = x.shape().clone();
    one(move |g| g.sum_to_size(&shape))
}

pub(super) fn slice<B: Backend>(x: &Tensor<B>, spans: Spans) -> Rule<B> {
    Rule::Part(Part { whole: x.meta().clone(), spans })
}

/// Which part of a tensor was seen. Its gradient is added where it lies, so that a tensor which is read slice by slice
/// costs what its slices do, and not itself for each.
pub(super) struct Part {
    whole: Meta,
    spans: Spans,
}

impl Part {
    /// The gradient of the whole.
    pub fn placed<B: Backend>(&self, g: &Tensor<B>) -> Result<Tensor<B>> {
        unsliced(g, &self.whole, &self.spans)
    }

    /// `whole` with this gradient added to the part, in its own memory where nobody else holds it.
    pub fn added<B: Backend>(&self, mut whole: Tensor<B>, g: &Tensor<B>) -> Result<Tensor<B>> {
        // an element that is seen twice cannot be written twice, and a history is not written over
        if B::requires_grad(whole.value())
            || B::requires_grad(g.value())
            || self.spans.iter().any(|s| s.step < 1)
        {
            return sum(whole, &self.placed(g)?);
        }
        if self.spans.iter().any(|span| span.len == 0) {
            return Ok(whole);
        }
        let total = {
            let part = Tensor::one(Op::Slice(&whole, self.spans.clone()))?;
            Tensor::one(Op::Binary(Binary::Add, &part, g))?
        };
        let (into, x) = (Operand::Target(0), Operand::Value(&total));
        whole.update(Op::Write { into, x, spans: self.spans.clone() })?;
        Ok(whole)
    }
}

pub(super) fn windows<B: Backend>(x: &Tensor<B>, axis: usize, step: usize) -> Rule<B> {
    let len = x.shape()[axis];
    one(move |g| Tensor::one(Op::Fold { x: g, axis, len, step }))
}

/// The adjoint of a slice: `g` where the slice was taken from, and zeros around and between.
fn unsliced<B: Backend>(g: &Tensor<B>, whole: &Meta, spans: &Spans) -> Result<Tensor<B>> {
    if spans.iter().any(|span| span.len == 0) {
        return zeros(g, whole);
    }
    let (mut g, mut padding) = (g.clone(), Padding::new());
    for (axis, (&Span { start, step, len }, &size)) in spans.iter().zip(&whole.shape).enumerate() {
        let distance = step.unsigned_abs();
        let reach = distance * (len - 1);
        let (first, last) = if step < 0 { (start - reach, start) } else { (start, start + reach) };
        g = match step {
            ..0 => flip(&g, axis)?,
            // one element that was seen `len` times
            0 => Tensor::one(Op::Reduce(Reduce::Sum, &g, smallvec![axis]))?,
            1.. => g,
        };
        padding.push(PadAxis { low: first, high: size - 1 - last, interior: distance.saturating_sub(1) });
    }
    Tensor::one(Op::Pad(&g, padding, Scalar::Int(0)))
}

/// The axis backwards.
pub(super) fn flip<B: Backend>(x: &Tensor<B>, axis: usize) -> Result<Tensor<B>> {
    let len = x.shape()[axis];
    span(x, axis, Span { start: len.saturating_sub(1), step: -1, len })
}

/// A part of one axis.
pub(super) fn span<B: Backend>(x: &Tensor<B>, axis: usize, part: Span) -> Result<Tensor<B>> {
    let spans = x.shape().iter().enumerate().map(|(a, &n)| if a == axis { part } else { Span::all(n) });
    Tensor::one(Op::Slice(x, spans.collect()))
}

/// The elements moved by one towards the end of the axis, with `fill` before them.
pub(super) fn later<B: Backend>(x: &Tensor<B>, axis: usize, fill: i64) -> Result<Tensor<B>> {
    let padded = pad(x, axis, PadAxis { low: 1, ..PadAxis::default() }, fill)?;
    span(&padded, axis, Span { start: 0, step: 1, len: x.shape()[axis] })
}

/// The elements moved by one towards the start of the axis, with `fill` after them.
pub(super) fn earlier<B: Backend>(x: &Tensor<B>, axis: usize, fill: i64) -> Result<Tensor<B>> {
    let padded = pad(x, axis, PadAxis { high: 1, ..PadAxis::default() }, fill)?;
    span(&padded, axis, Span { start: 1, step: 1, len: x.shape()[axis] })
}

fn pad<B: Backend>(x: &Tensor<B>, axis: usize, by: PadAxis, fill: i64) -> Result<Tensor<B>> {
    let padding = (0..x.rank()).map(|a| if a == axis { by } else { PadAxis::default() });
    Tensor::one(Op::Pad(x, padding.collect(), Scalar::Int(fill)))
}
