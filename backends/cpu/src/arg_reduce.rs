//! Where along an axis the best element stands.
use crate::{
    CpuValue,
    number::{Arithmetic, Fold, Max, Min, Number},
    parallel,
    reduce::{self, innermost, joined},
    value::Output,
    view::each_row,
    wide::widened,
};
use firesteel_core::{ArgReduce, Axes, Meta, Result};

/// A row is searched for its best in blocks; only the best block is looked through for the place.
const BLOCK: usize = 1024;
/// How many columns are searched side by side, at most and at least.
const WIDTH: usize = 512;
const NARROW: usize = 8;
/// Shorter rows than this are searched side by side, as columns are.
const SHORT: usize = 16;

/// An order in which NaN is better than all.
trait Best: Fold {
    fn better<A: Arithmetic>(a: A, b: A) -> bool;
}

impl Best for Max {
    #[inline(always)]
    fn better<A: Arithmetic>(a: A, b: A) -> bool {
        (a > b) | (a.is_nan() & !b.is_nan())
    }
}

impl Best for Min {
    #[inline(always)]
    fn better<A: Arithmetic>(a: A, b: A) -> bool {
        (a < b) | (a.is_nan() & !b.is_nan())
    }
}

pub(crate) fn arg_reduce(kind: ArgReduce, x: &CpuValue, axis: usize, out: &Meta) -> Result<CpuValue> {
    widened(&[x], out, |xs, out| {
        wide!(xs[0].meta.dtype, T => match kind {
            ArgReduce::Max => find::<T, Max>(xs[0], axis, out),
            ArgReduce::Min => find::<T, Min>(xs[0], axis, out),
        })
    })
}

fn find<T: Number, F: Best>(x: &CpuValue, axis: usize, out: &Meta) -> Result<CpuValue> {
    let (n, stride) = (x.layout.shape[axis], x.layout.strides[axis]);
    let others: Axes = (0..x.layout.shape.rank()).filter(|&a| a != axis && x.layout.shape[a] != 1).collect();
    let starts = joined(&x.layout, &others, x.layout.offset);
    let (rows, width, step) = innermost(&starts);
    let is_short = stride == 1 && n < SHORT;
    let beside = (step == 1 && stride != 1 || is_short) && width >= NARROW && u32::try_from(n).is_ok();
    let memory = x.memory::<T>();
    let mut y = Output::<i64>::new(out.numel())?;
    parallel::pieces(y.slice(), 1, parallel::GRAIN / n + 1, |first, y| {
        if beside {
            return each_row(y, first, width, &rows, |start, column, y| {
                for (i, y) in y.chunks_mut(WIDTH).enumerate() {
                    let start = start.wrapping_add_signed((column + i * WIDTH) as isize * step);
                    columns::<T, F>(memory, [start, n], [stride, step], y);
                }
            });
        }
        for (y, start) in y.iter_mut().zip(starts.offsets_from(first)) {
            *y = match stride {
                1 => row::<T, F>(&memory[start..start + n]),
                _ => strided::<T, F>(memory, start, n, stride),
            } as i64;
        }
    });
    Ok(y.finish(&out.shape, out.dtype))
}

fn row<T: Number, F: Best>(xs: &[T]) -> usize {
    let (mut best, mut found) = (F::start(), None);
    for (i, xs) in xs.chunks(BLOCK).enumerate() {
        let x = reduce::row::<T, F>(xs, 0, xs.len(), 1);
        if found.is_none() || F::better(x, best) {
            (best, found) = (x, Some(i * BLOCK));
        }
    }
    let start = found.unwrap_or(0);
    // NaN differs from itself
    let best = |x: &T| x.total() == best || x.is_nan();
    start + xs[start..].iter().position(best).unwrap_or(0)
}

fn strided<T: Number, F: Best>(memory: &[T], start: usize, n: usize, stride: isize) -> usize {
    let (mut best, mut found, mut at) = (memory[start], 0, start);
    for i in 1..n {
        at = at.wrapping_add_signed(stride);
        let x = memory[at];
        if F::better(x, best) {
            (best, found) = (x, i);
        }
    }
    found
}

/// The places in columns of `n`, the first of which begins at `start`; a column steps by `stride`, and the next one is `step`
/// away.
fn columns<T: Number, F: Best>(
    memory: &[T],
    [start, n]: [usize; 2],
    [stride, step]: [isize; 2],
    y: &mut [i64],
) {
    let mut best = [F::start::<T>(); WIDTH];
    let mut found = [0u32; WIDTH];
    let (best, found) = (&mut best[..y.len()], &mut found[..y.len()]);
    let mut at = start;
    for i in 0..n as u32 {
        let improve = |(best, found): (&mut T, &mut u32), x: T| {
            let better = (i == 0) | F::better(x, *best);
            *best = if better { x } else { *best };
            *found = if better { i } else { *found };
        };
        let places = best.iter_mut().zip(&mut *found);
        match step {
            1 => places.zip(&memory[at..]).for_each(|(place, x)| improve(place, *x)),
            2.. => places.zip(memory[at..].chunks(step as usize)).for_each(|(place, x)| improve(place, x[0])),
            _ => places.enumerate().for_each(|(j, place)| {
                improve(place, memory[at.wrapping_add_signed(j as isize * step)]);
            }),
        }
        at = at.wrapping_add_signed(stride);
    }
    y.iter_mut().zip(found).for_each(|(y, &mut i)| *y = i.into());
}
