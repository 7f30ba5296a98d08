//! The same elements, seen otherwise.
use super::{axis, one};
use crate::{Axes, Error, Meta, Metas, Result, Shape, Span};

pub fn reshape(x: &Meta, shape: Shape) -> Result<Metas> {
    if shape.checked_numel() != x.shape.checked_numel() {
        let why = format!("cannot make {shape} of {}: the number of elements differs", x.shape);
        return Err(Error::shape("reshape", why));
    }
    one(shape, x.dtype)
}

pub fn permute(x: &Meta, axes: &Axes) -> Result<Metas> {
    let mut sorted = axes.clone();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..x.shape.rank()) {
        let why = format!("{:?} does not name each dim of {} once", &axes[..], x.shape);
        return Err(Error::shape("permute", why));
    }
    one(axes.iter().map(|&a| x.shape[a]).collect::<Shape>(), x.dtype)
}

pub fn broadcast(x: &Meta, shape: Shape) -> Result<Metas> {
    let fits = x.shape.rank() == shape.rank()
        && x.shape.iter().zip(&shape).all(|(&have, &want)| have == want || have == 1);
    if fits {
        return one(shape, x.dtype);
    }
    Err(Error::shape("broadcast_to", format!("cannot stretch {} to {shape}", x.shape)))
}

/// The shape of a slice, every element of which lies in `x`.
pub fn slice(x: &Meta, spans: &[Span]) -> Result<Shape> {
    if spans.len() != x.shape.rank() {
        let why = format!("{} spans do not fit the {} dims of {}", spans.len(), x.shape.rank(), x.shape);
        return Err(Error::shape("slice", why));
    }
    for (&size, span) in x.shape.iter().zip(spans) {
        let steps = isize::try_from(span.len).ok().map(|len| len - 1);
        let last = steps.and_then(|steps| steps.checked_mul(span.step));
        let last = last.and_then(|far| span.start.checked_add_signed(far));
        if span.len > 0 && (span.start >= size || last.is_none_or(|last| last >= size)) {
            let Span { start, step, len } = span;
            let why = format!("{len} elements from {start} by {step} leave a dim of size {size}");
            return Err(Error::index("slice", why));
        }
    }
    Ok(spans.iter().map(|span| span.len).collect())
}

pub fn windows(x: &Meta, along: usize, size: usize, step: usize) -> Result<Metas> {
    axis("unfold", x, along)?;
    let len = x.shape[along];
    if size > len || step == 0 {
        let why = format!("windows of {size}, {step} apart, do not fit a dim of size {len}");
        return Err(Error::shape("unfold", why));
    }
    let mut shape = x.shape.with(along, (len - size) / step + 1);
    shape.push(size);
    one(shape, x.dtype)
}
