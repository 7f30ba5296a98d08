//! Running functions along an axis.
#[cfg(test)]
mod tests;

use crate::{
    CpuValue,
    number::{Arithmetic, Number, Sum},
    parallel, reduce,
    value::Output,
    view,
};
use firesteel_core::{Result, Scan, Shape};

/// A row-major shape seen from one axis: `[outer, n, inner]`.
#[derive(Clone, Copy)]
pub(crate) struct Around {
    pub outer: usize,
    pub n: usize,
    pub inner: usize,
}

impl Around {
    pub(crate) fn new(shape: &Shape, axis: usize) -> Self {
        let size = |axes: &[usize]| axes.iter().product();
        Self { outer: size(&shape[..axis]), n: shape[axis], inner: size(&shape[axis + 1..]) }
    }
}

/// Long sums that stand alone are cut in parts of this many elements; not by the number of threads, since the
/// result is not to depend on that.
const PART: usize = 64 * 1024;

pub(crate) fn scan(kind: Scan, x: &CpuValue, axis: usize) -> Result<CpuValue> {
    let x = view::contiguous(x)?;
    native!(x.meta.dtype, T => {
        let xs = x.rows::<T>().unwrap_or_default();
        let Around { outer, n, inner } = Around::new(&x.meta.shape, axis);
        match kind {
            Scan::Sum if outer < 8 && n * inner >= 4 * PART => {
                let mut y = Output::<T>::new(xs.len())?;
                y.slice().chunks_mut(n * inner).zip(xs.chunks(n * inner)).for_each(|(y, xs)| sums(xs, inner, y));
                Ok(y.finish(&x.meta.shape, x.meta.dtype))
            }
            Scan::Sum => along::<T>(&x, axis, Arithmetic::ZERO, |sum, at| sum.plus(T::total(xs[at].lane()))),
            Scan::Prod => along::<T>(&x, axis, Arithmetic::ONE, |product, at| product.times(T::total(xs[at].lane()))),
        }
    })
}

/// Running sums of rows of `inner` columns: first what each part adds up to, then each part from what those
/// before it do. (A product can't be cut so: of parts that overflow and vanish it would be NaN.)
fn sums<T: Number>(xs: &[T], inner: usize, y: &mut [T]) {
    let part = (PART / inner).max(1) * inner;
    let mut totals = vec![T::Total::ZERO; xs.len().div_ceil(part) * inner];
    parallel::pieces(&mut totals, inner, 1, |first, totals| {
        for (totals, xs) in totals.chunks_mut(inner).zip(xs[first * part..].chunks(part)) {
            if inner == 1 {
                totals[0] = reduce::row::<T, Sum>(xs, 0, xs.len(), 1);
            } else {
                let add = |(total, x): (&mut T::Total, &T)| *total = total.plus(T::total(x.lane()));
                xs.chunks(inner).for_each(|xs| totals.iter_mut().zip(xs).for_each(add));
            }
        }
    });
    let mut before = vec![T::Total::ZERO; inner];
    for totals in totals.chunks_mut(inner) {
        for (before, total) in before.iter_mut().zip(totals) {
            (*before, *total) = (before.plus(*total), *before);
        }
    }
    parallel::pieces(y, part, PART, |first, y| {
        let starts = totals[first * inner..].chunks(inner);
        for ((y, xs), totals) in y.chunks_mut(part).zip(xs[first * part..].chunks(part)).zip(starts) {
            piece(y, inner, &mut totals.to_vec(), |sum, at| sum.plus(T::total(xs[at].lane())));
        }
    });
}

pub(crate) fn recurrence(a: &CpuValue, b: &CpuValue, axis: usize) -> Result<CpuValue> {
    let (a, b) = (view::contiguous(a)?, view::contiguous(b)?);
    native!(a.meta.dtype, T => {
        let (xs, ys) = (a.rows::<T>().unwrap_or_default(), b.rows::<T>().unwrap_or_default());
        let wide = |x: T| T::total(x.lane());
        along::<T>(&a, axis, Arithmetic::ZERO, |y, at| wide(xs[at]).times(y).plus(wide(ys[at])))
    })
}

/// What `step` makes of what came before along the axis, at every place of a row-major shape.
fn along<T: Number>(
    x: &CpuValue,
    axis: usize,
    start: T::Total,
    step: impl Fn(T::Total, usize) -> T::Total + Sync,
) -> Result<CpuValue> {
    let mut y = Output::<T>::new(x.meta.numel())?;
    let Around { n, inner, .. } = Around::new(&x.meta.shape, axis);
    let block = n * inner;
    parallel::pieces(y.slice(), block, parallel::GRAIN, |first, y| {
        let mut totals = vec![start; inner];
        for (i, y) in y.chunks_mut(block.max(1)).enumerate() {
            totals.fill(start);
            piece(y, inner, &mut totals, |total, at| step(total, (first + i) * block + at));
        }
    });
    Ok(y.finish(&x.meta.shape, x.meta.dtype))
}

/// Runs over rows of `inner` columns, from the totals so far.
#[inline(always)]
fn piece<T: Number>(
    y: &mut [T],
    inner: usize,
    totals: &mut [T::Total],
    step: impl Fn(T::Total, usize) -> T::Total,
) {
    if let [total] = totals {
        let mut total = *total;
        for (at, y) in y.iter_mut().enumerate() {
            total = step(total, at);
            *y = T::of(total);
        }
        return;
    }
    for (row, y) in y.chunks_mut(inner.max(1)).enumerate() {
        for (column, (y, total)) in y.iter_mut().zip(&mut *totals).enumerate() {
            *total = step(*total, row * inner + column);
            *y = T::of(*total);
        }
    }
}
