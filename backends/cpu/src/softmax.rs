//! Softmax and its logarithm: a row at a time, while it is in cache.
use crate::{
    CpuValue, parallel,
    real::{Real, largest, sum},
    simd::{Level, dispatch},
    value::Output,
    view,
};
use firesteel_core::{Axes, Meta, Result};

/// `e^(x - max) / Σ e^(x - max)` along the axis.
pub(crate) fn softmax<T: Real>(x: &CpuValue, axis: usize, out: &Meta) -> Result<CpuValue> {
    along::<T>(x, axis, out, |x, y| dispatch!(|L| row::<L, T>(x, y)))
}

/// `x - max - ln Σ e^(x - max)` along the axis.
pub(crate) fn log_softmax<T: Real>(x: &CpuValue, axis: usize, out: &Meta) -> Result<CpuValue> {
    along::<T>(x, axis, out, |x, y| dispatch!(|L| log_row::<L, T>(x, y)))
}

#[inline(always)]
fn row<L: Level, T: Real>(x: &[T], y: &mut [T]) {
    let sum = T::of(exponentials::<L, T>(x, largest(x), y));
    let scale = T::of(1.0) / sum;
    y.iter_mut().for_each(|y| *y = *y * scale);
}

#[inline(always)]
fn log_row<L: Level, T: Real>(x: &[T], y: &mut [T]) {
    let max = largest(x);
    let log = T::of(exponentials::<L, T>(x, max, y).ln());
    y.iter_mut().zip(x).for_each(|(y, x)| *y = *x - max - log);
}

/// Writes `e^(x - max)`; gives their sum.
#[inline(always)]
pub(crate) fn exponentials<L: Level, T: Real>(x: &[T], max: T, y: &mut [T]) -> f64 {
    y.iter_mut().zip(x).for_each(|(y, x)| *y = T::exp::<L>(*x - max));
    sum(y, |y| y)
}

/// Applies a function of rows along an axis, which is the last one in memory for that time.
fn along<T: Real>(
    x: &CpuValue,
    axis: usize,
    out: &Meta,
    f: impl Fn(&[T], &mut [T]) + Sync,
) -> Result<CpuValue> {
    let rows = view::contiguous(&x.view(x.layout.permute(&last(out.shape.rank(), axis))))?;
    let (width, x) = (out.shape[axis], rows.rows::<T>().unwrap_or_default());
    let mut y = Output::<T>::new(out.numel())?;
    parallel::pieces(y.slice(), width, parallel::GRAIN / 4, |first, y| {
        let x = x[first * width..].chunks_exact(width);
        x.zip(y.chunks_exact_mut(width)).for_each(|(x, y)| f(x, y));
    });
    let y = y.finish(&rows.meta.shape, out.dtype);
    Ok(y.view(y.layout.permute(&back(out.shape.rank(), axis))))
}

/// The axes with this one last.
pub(crate) fn last(rank: usize, axis: usize) -> Axes {
    (0..rank).filter(|&a| a != axis).chain([axis]).collect()
}

/// Undoes [`last`].
fn back(rank: usize, axis: usize) -> Axes {
    (0..axis).chain([rank - 1]).chain(axis..rank - 1).collect()
}
