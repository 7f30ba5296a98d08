//! Tensors put together.
use super::{axis, one, view};
use crate::{Error, Meta, Metas, PadAxis, Result, Span};

pub fn concat(xs: &[&Meta], along: usize) -> Result<Metas> {
    let Some(first) = xs.first() else {
        return Err(Error::value("cat", "needs at least one tensor"));
    };
    axis("cat", first, along)?;
    let mut size = 0usize;
    for x in xs {
        let fits =
            x.shape.rank() == first.shape.rank() && x.shape.with(along, 0) == first.shape.with(along, 0);
        if !fits || x.dtype != first.dtype {
            return Err(Error::shape("cat", format!("cannot join {first} and {x} along dim {along}")));
        }
        size = size.saturating_add(x.shape[along]);
    }
    one(first.shape.with(along, size), first.dtype)
}

pub fn pad(x: &Meta, padding: &[PadAxis]) -> Result<Metas> {
    if padding.len() != x.shape.rank() {
        let why = format!("{} paddings do not fit the {} dims of {}", padding.len(), x.shape.rank(), x.shape);
        return Err(Error::shape("pad", why));
    }
    let mut shape = x.shape.clone();
    for (size, pad) in shape.iter_mut().zip(padding) {
        let inner = size.saturating_sub(1).saturating_mul(pad.interior);
        *size = size.saturating_add(inner).saturating_add(pad.low).saturating_add(pad.high);
    }
    one(shape, x.dtype)
}

pub fn fold(x: &Meta, along: usize, len: usize, step: usize) -> Result<Metas> {
    let [.., size] = x.shape[..] else {
        return Err(Error::shape("fold", "needs windows along the last dim"));
    };
    axis("fold", x, along)?;
    let mut shape = x.shape.with(along, len);
    shape.remove(x.shape.rank() - 1);
    let fits =
        along + 1 < x.shape.rank() && step > 0 && size <= len && x.shape[along] == (len - size) / step + 1;
    if !fits {
        let why = format!("{} windows of {size}, {step} apart, are not those of {len}", x.shape[along]);
        return Err(Error::shape("fold", why));
    }
    one(shape, x.dtype)
}

pub fn write(into: &Meta, x: &Meta, spans: &[Span]) -> Result<Metas> {
    if view::slice(into, spans)? != x.shape || into.dtype != x.dtype {
        return Err(Error::shape("slice_scatter", format!("{x} does not fit the slice of {into}")));
    }
    one(&into.shape, into.dtype)
}
