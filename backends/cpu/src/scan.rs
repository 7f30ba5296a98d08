//! Running functions along an axis.
#[cfg(test)]
mod tests;

use crate::{
    CpuValue,
    number::{Arithmetic, Number, Sum},
    parallel, reduce,
    value::Output,
    view,
    wide::widened,
};
use firesteel_core::{Result, Scan, Shape};
use std::ops::Range;

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
    widened(&[x], &x.meta, |xs, _| {
        let x = view::contiguous(xs[0])?;
        wide!(x.meta.dtype, T => match kind {
            Scan::Sum => sums::<T>(&x, axis),
            Scan::Prod => {
                let xs = x.rows::<T>().unwrap_or_default();
                let times = |product: <T as Number>::Total, x: &T| product.times(x.total());
                along::<T, _>(&x, axis, Arithmetic::ONE, |part| xs[part].iter(), times)
            }
        })
    })
}

pub(crate) fn recurrence(a: &CpuValue, b: &CpuValue, axis: usize) -> Result<CpuValue> {
    widened(&[a, b], &a.meta, |xs, _| {
        let (a, b) = (view::contiguous(xs[0])?, view::contiguous(xs[1])?);
        wide!(a.meta.dtype, T => {
            let (factors, terms) = (a.rows::<T>().unwrap_or_default(), b.rows::<T>().unwrap_or_default());
            let both = |part: Range<usize>| factors[part.clone()].iter().zip(&terms[part]);
            let step = |y: <T as Number>::Total, (a, b): (&T, &T)| y.times(a.total()).plus(b.total());
            along::<T, _>(&a, axis, Arithmetic::ZERO, both, step)
        })
    })
}

/// What `step` makes of what came before along the axis and of the `inputs`, at every place of a row-major shape.
fn along<T: Number, I: Iterator>(
    x: &CpuValue,
    axis: usize,
    start: T::Total,
    inputs: impl Fn(Range<usize>) -> I + Sync,
    step: impl Fn(T::Total, I::Item) -> T::Total + Sync,
) -> Result<CpuValue> {
    let mut y = Output::<T>::new(x.meta.numel())?;
    let Around { n, inner, .. } = Around::new(&x.meta.shape, axis);
    let block = (n * inner).max(1);
    parallel::pieces(y.slice(), block, parallel::GRAIN, |first, y| {
        let mut totals = vec![start; inner];
        for (i, y) in y.chunks_mut(block).enumerate() {
            totals.fill(start);
            let from = (first + i) * block;
            run(y, &mut totals, |part| inputs(from + part.start..from + part.end), &step);
        }
    });
    Ok(y.finish(&x.meta.shape, x.meta.dtype))
}

/// Runs over rows, with a total for each column.
#[inline(always)]
fn run<T: Number, I: Iterator>(
    y: &mut [T],
    totals: &mut [T::Total],
    inputs: impl Fn(Range<usize>) -> I,
    step: impl Fn(T::Total, I::Item) -> T::Total,
) {
    if let [total] = totals {
        let inputs = inputs(0..y.len());
        for (y, x) in y.iter_mut().zip(inputs) {
            *total = step(*total, x);
            *y = T::of(*total);
        }
        return;
    }
    let inner = totals.len();
    for (row, y) in y.chunks_mut(inner.max(1)).enumerate() {
        for ((y, total), x) in y.iter_mut().zip(&mut *totals).zip(inputs(row * inner..(row + 1) * inner)) {
            *total = step(*total, x);
            *y = T::of(*total);
        }
    }
}

fn sums<T: Number>(x: &CpuValue, axis: usize) -> Result<CpuValue> {
    let xs = x.rows::<T>().unwrap_or_default();
    let Around { outer, n, inner } = Around::new(&x.meta.shape, axis);
    let block = (n * inner).max(1);
    let mut y = Output::<T>::new(xs.len())?;
    if outer < 8 && block >= 4 * PART {
        y.slice().chunks_mut(block).zip(xs.chunks(block)).for_each(|(y, xs)| long_sums(xs, inner, y));
    } else {
        parallel::pieces(y.slice(), block, parallel::GRAIN, |first, y| {
            let mut totals = vec![Arithmetic::ZERO; inner];
            for (y, xs) in y.chunks_mut(block).zip(xs[first * block..].chunks(block)) {
                totals.fill(Arithmetic::ZERO);
                running_sums(xs, &mut totals, y);
            }
        });
    }
    Ok(y.finish(&x.meta.shape, x.meta.dtype))
}

/// The sums of rows so far, from the totals before them.
fn running_sums<T: Number>(xs: &[T], totals: &mut [T::Total], y: &mut [T]) {
    let wide = |x: T| x.total();
    let add = |sum: T::Total, x: &T| sum.plus(wide(*x));
    let [total] = totals else {
        return run(y, totals, |part| xs[part].iter(), add);
    };
    // four at a time, so that each waits for one addition instead of four
    let ((fours, rest), (ys, last)) = (xs.as_chunks::<4>(), y.as_chunks_mut::<4>());
    for (y, x) in ys.iter_mut().zip(fours) {
        let [a, b, c, d] = x.map(wide);
        let ab = a.plus(b);
        let so_far = [a, ab, ab.plus(c), ab.plus(c.plus(d))];
        *y = so_far.map(|sum| T::of(total.plus(sum)));
        *total = total.plus(so_far[3]);
    }
    run(last, std::slice::from_mut(total), |part| rest[part].iter(), add);
}

/// Running sums of rows of `inner` columns: first what each part adds up to, then each part from what those
/// before it do. (A product can't be cut so: of parts that overflow and vanish it would be NaN.)
fn long_sums<T: Number>(xs: &[T], inner: usize, y: &mut [T]) {
    let part = (PART / inner).max(1) * inner;
    let mut totals = vec![T::Total::ZERO; xs.len().div_ceil(part) * inner];
    parallel::pieces(&mut totals, inner, 1, |first, totals| {
        for (totals, xs) in totals.chunks_mut(inner).zip(xs[first * part..].chunks(part)) {
            if inner == 1 {
                totals[0] = reduce::row::<T, Sum>(xs, 0, xs.len(), 1);
            } else {
                let add = |(total, x): (&mut T::Total, &T)| *total = total.plus(x.total());
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
            running_sums(xs, &mut totals.to_vec(), y);
        }
    });
}
