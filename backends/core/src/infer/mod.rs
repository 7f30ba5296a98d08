//! The one place where operands are checked and results predicted, before anything runs on a device.
mod conv;
mod elementwise;
mod fused;
mod index;
mod join;
mod recurrent;
mod reduce;
mod view;

pub(crate) use elementwise::{binary, unary};

use crate::{DType, Error, Meta, Metas, Op, Result, Shape};
use smallvec::smallvec;

/// Checks an operation's operands and predicts its results.
///
/// ```
/// use firesteel_core::{DType, Meta, Op, infer};
/// let (a, b) = (Meta::new([2, 3], DType::F32), Meta::new([4, 5], DType::F32));
/// let error = infer(Op::MatMul(&a, &b)).unwrap_err();
/// assert_eq!(error.to_string(), "matmul: cannot multiply [2, 3] by [4, 5]: the inner sizes 3 and 4 differ");
/// ```
pub fn infer(op: Op<&Meta>) -> Result<Metas> {
    let name = op.name();
    let out = results(op)?;
    for meta in &out {
        let bytes = meta.shape.extent().and_then(|n| n.checked_mul(meta.dtype.size()));
        if bytes.is_none_or(|n| isize::try_from(n).is_err()) {
            return Err(Error::memory(
                name,
                format!("a result of shape {} is too large to address", meta.shape),
            ));
        }
    }
    Ok(out)
}

fn results(op: Op<&Meta>) -> Result<Metas> {
    let name = op.name();
    match op {
        Op::Full(_, shape, dtype) => one(shape, dtype),
        Op::Arange { len, dtype, .. } => one(len, dtype),
        Op::Random(kind, _, shape, dtype) => elementwise::random(kind, shape, dtype),

        Op::Reshape(x, shape) => view::reshape(x, shape),
        Op::Permute(x, axes) => view::permute(x, &axes),
        Op::Broadcast(x, shape) => view::broadcast(x, shape),
        Op::Slice(x, spans) => view::slice(x, &spans).and_then(|shape| one(shape, x.dtype)),
        Op::Windows { x, axis, size, step } => view::windows(x, axis, size, step),

        Op::Unary(kind, x) => elementwise::unary(kind, x),
        Op::Binary(kind, a, b) => elementwise::binary(kind, a, b),
        Op::Compare(_, a, b) => elementwise::same(name, a, b).and_then(|()| one(&a.shape, DType::Bool)),
        Op::Select(c, a, b) => elementwise::select(c, a, b),
        Op::Cast(x, dtype) => one(&x.shape, dtype),

        Op::Reduce(kind, x, axes) => reduce::reduce(kind, x, &axes),
        Op::ArgReduce(kind, x, axis) => reduce::arg_reduce(kind, x, axis),
        Op::Scan(kind, x, axis) => reduce::scan(kind, x, axis),
        Op::Recurrence { a, b, axis } => reduce::recurrence(a, b, axis),
        Op::Sort { x, axis, .. } => reduce::sort(x, axis),
        Op::SearchSorted { sorted, values, .. } => reduce::search_sorted(sorted, values),

        Op::MatMul(a, b) => conv::matmul(a, b),
        Op::Conv(conv, x, w) => conv::conv(&conv, x, w),
        Op::ConvInputGrad { conv, g, w, size } => conv::input_grad(&conv, g, w, &size),
        Op::ConvWeightGrad { conv, g, x, size } => conv::weight_grad(&conv, g, x, &size),

        Op::Gather { x, index, axis } => index::gather(x, index, axis),
        Op::Scatter { into, index, x, axis, .. } => index::scatter(into, index, x, axis),
        Op::IndexSelect { x, index, axis } => index::index_select(x, index, axis),
        Op::IndexPut { into, index, x, axis, .. } => index::index_put(into, index, x, axis),
        Op::WrapIndex(index, _) => index::integer(name, index).and_then(|()| one(&index.shape, index.dtype)),

        Op::Require(x, _) if x.dtype == DType::Bool => one(&x.shape, x.dtype),
        Op::Require(x, _) => Err(Error::dtype(name, format!("needs truths, not {}", x.dtype))),

        Op::Concat(xs, axis) => join::concat(&xs, axis),
        Op::Pad(x, padding, _) => join::pad(x, &padding),
        Op::Fold { x, axis, len, step } => join::fold(x, axis, len, step),
        Op::Write { into, x, spans } => join::write(into, x, &spans),

        Op::Fused(fused, xs) => fused::fused(&fused, &xs),
        Op::Custom(op, xs) => op.infer(&xs),
    }
}

/// One result.
#[inline]
fn one(shape: impl Into<Shape>, dtype: DType) -> Result<Metas> {
    Ok(smallvec![Meta::new(shape, dtype)])
}

/// An axis that has to be there.
fn axis(name: &'static str, x: &Meta, axis: usize) -> Result<()> {
    if axis < x.shape.rank() {
        return Ok(());
    }
    Err(Error::index(name, format!("there is no axis {axis} in {}", x.shape)))
}

/// Real numbers have to be there.
fn float(name: &'static str, x: &Meta) -> Result<()> {
    if x.dtype.is_float() {
        return Ok(());
    }
    Err(Error::dtype(name, format!("needs real numbers, not {}: cast with `.to(DType::F32)`", x.dtype)))
}
