//! Softmax and its logarithm: a row at a time, while it is in cache, or several short ones.
// loops go by indices: closures of iterators would not be compiled for the vectors at hand
#![allow(clippy::needless_range_loop)]

use crate::{
    CpuValue, parallel,
    real::{Real, larger, largest, sum},
    simd::{Level, dispatch},
    value::Output,
    view,
};
use firesteel_core::{Axes, Meta, Result};

/// Shorter rows than this are done with side by side, as many as fill vectors.
const SHORT: usize = 32;
const TOGETHER: usize = 16;

/// `e^(x - max) / Σ e^(x - max)` along the axis.
pub(crate) fn softmax<T: Real>(x: &CpuValue, axis: usize, out: &Meta) -> Result<CpuValue> {
    along::<T>(x, axis, out, |x, y, width| match width < SHORT {
        true => dispatch!(|L| short_rows(x, y, width, lines::<L, T>)),
        false => each(x, y, width, |x, y| dispatch!(|L| row::<L, T>(x, y))),
    })
}

/// `x - max - ln Σ e^(x - max)` along the axis.
pub(crate) fn log_softmax<T: Real>(x: &CpuValue, axis: usize, out: &Meta) -> Result<CpuValue> {
    along::<T>(x, axis, out, |x, y, width| match width < SHORT {
        true => dispatch!(|L| short_rows(x, y, width, log_lines::<L, T>)),
        false => each(x, y, width, |x, y| dispatch!(|L| log_row::<L, T>(x, y))),
    })
}

/// [`row`] of short rows side by side, whose largest numbers are `max`.
#[inline(always)]
fn lines<L: Level, T: Real>(lines: &mut [[T; TOGETHER]], max: &[T; TOGETHER]) {
    let mut sum = [T::default(); TOGETHER];
    for line in lines.iter_mut() {
        for i in 0..TOGETHER {
            line[i] = T::exp::<L>(line[i] - max[i]);
            sum[i] += line[i];
        }
    }
    for line in lines {
        for i in 0..TOGETHER {
            line[i] = line[i] / sum[i];
        }
    }
}

/// [`log_row`], likewise.
#[inline(always)]
fn log_lines<L: Level, T: Real>(lines: &mut [[T; TOGETHER]], max: &[T; TOGETHER]) {
    let mut sum = [T::default(); TOGETHER];
    for line in lines.iter() {
        for i in 0..TOGETHER {
            sum[i] += T::exp::<L>(line[i] - max[i]);
        }
    }
    for i in 0..TOGETHER {
        sum[i] = T::ln::<L>(sum[i]);
    }
    for line in lines {
        for i in 0..TOGETHER {
            line[i] = line[i] - max[i] - sum[i];
        }
    }
}

/// Calls `f` with each row.
fn each<T>(x: &[T], y: &mut [T], width: usize, f: impl Fn(&[T], &mut [T])) {
    x.chunks_exact(width).zip(y.chunks_exact_mut(width)).for_each(|(x, y)| f(x, y));
}

/// Calls `f` with the numbers of some rows side by side, `[width, TOGETHER]`, and the largest of each, and writes what it makes
/// of them. Where there are fewer rows, there are zeros.
#[inline(always)]
fn short_rows<T: Real>(x: &[T], y: &mut [T], width: usize, f: impl Fn(&mut [[T; TOGETHER]], &[T; TOGETHER])) {
    let mut lines = [[T::default(); TOGETHER]; SHORT];
    let lines = &mut lines[..width];
    for (x, y) in x.chunks(TOGETHER * width).zip(y.chunks_mut(TOGETHER * width)) {
        if x.len() < TOGETHER * width {
            lines.as_flattened_mut().fill(T::default());
        }
        for (i, x) in x.chunks_exact(width).enumerate() {
            lines.iter_mut().zip(x).for_each(|(line, x)| line[i] = *x);
        }
        let mut max = [T::NEG_INFINITY; TOGETHER];
        for line in lines.iter() {
            for i in 0..TOGETHER {
                max[i] = larger(max[i], line[i]);
            }
        }
        f(lines, &max);
        for (i, y) in y.chunks_exact_mut(width).enumerate() {
            y.iter_mut().zip(lines.iter()).for_each(|(y, line)| *y = line[i]);
        }
    }
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

/// Applies a function of some rows, and their width, along an axis, which is the last one in memory for that time.
fn along<T: Real>(
    x: &CpuValue,
    axis: usize,
    out: &Meta,
    f: impl Fn(&[T], &mut [T], usize) + Sync,
) -> Result<CpuValue> {
    let rows = view::contiguous(&x.view(x.layout.permute(&last(out.shape.rank(), axis))))?;
    let (width, x) = (out.shape[axis], rows.rows::<T>().unwrap_or_default());
    let mut y = Output::<T>::new(out.numel())?;
    parallel::pieces(y.slice(), width, parallel::GRAIN / 4, |first, y| {
        f(&x[first * width..][..y.len()], y, width);
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
