//! Pooling: each place of a window in turn, for all windows at once.
use crate::{
    CpuValue,
    number::Number,
    parallel,
    real::Real,
    simd::dispatch_v3,
    value::Output,
    view,
    windows::{Windows, zip},
};
use firesteel_core::{Divisor, Meta, Metas, Outputs, Pool, Result};
use smallvec::smallvec;

/// Windows that are worked on at once, so that their results stay in cache.
const BLOCK: usize = 4096;
/// The place of a window that has not seen anything yet.
const NOWHERE: u32 = u32::MAX;

/// The largest of each window, NaN before all, and its place; the first of equals.
pub(crate) fn max_pool(x: &CpuValue, pool: &Pool, out: &Metas) -> Result<Outputs<CpuValue>> {
    wide!(x.meta.dtype, T => max_of::<T>(x, pool, out))
}

fn max_of<T: Number>(x: &CpuValue, pool: &Pool, out: &Metas) -> Result<Outputs<CpuValue>> {
    let (x, windows) = (view::contiguous(x)?, windows(x, pool));
    let x = x.rows::<T>().unwrap_or_default();
    let (input, output) = (windows.inputs(), windows.outputs());
    let mut y = Output::<T>::new(out[0].numel())?;
    let mut at = Output::<i64>::new(out[1].numel())?;
    parallel::rows(y.slice(), output, [at.slice()], parallel::GRAIN / 8, &|first, y, [at]| {
        let mut places = [NOWHERE; BLOCK];
        let planes = y.chunks_exact_mut(output.max(1)).zip(at.chunks_exact_mut(output.max(1)));
        for (i, (y, at)) in planes.enumerate() {
            let x = &x[(first + i) * input..][..input];
            for (block, (y, at)) in y.chunks_mut(BLOCK).zip(at.chunks_mut(BLOCK)).enumerate() {
                let places = &mut places[..y.len()];
                largest(&windows, x, block * BLOCK, y, places);
                for (at, place) in at.iter_mut().zip(places) {
                    *at = if *place == NOWHERE { -1 } else { (*place).into() };
                }
            }
        }
        Ok(())
    })?;
    Ok(smallvec![y.finish(&out[0].shape, out[0].dtype), at.finish(&out[1].shape, out[1].dtype)])
}

/// The largest of the windows from number `start`.
fn largest<T: Number>(windows: &Windows, x: &[T], start: usize, y: &mut [T], places: &mut [u32]) {
    y.fill(T::LOWEST);
    places.fill(NOWHERE);
    let (columns, step) = (start..start + y.len(), windows.step());
    for tap in 0..windows.taps() {
        windows.runs(tap, columns.clone(), |column, len, place| {
            let at = column - start;
            let (y, places, x, first) =
                (&mut y[at..at + len], &mut places[at..at + len], &x[place..], place as u32);
            let best = y.iter_mut().zip(places);
            // strides of one and two are worth vector code of their own
            dispatch_v3!(|L| match step {
                1 => best.zip(x).zip(first..).for_each(|((best, x), place)| take(best, *x, place)),
                2 =>
                    best.zip(x.chunks(2)).zip(0..).for_each(|((best, x), i)| take(best, x[0], first + 2 * i)),
                _ => best.zip(x.chunks(step)).zip(0..).for_each(|((best, x), i)| take(
                    best,
                    x[0],
                    first + step as u32 * i
                )),
            });
        });
    }
}

/// Replaces the best, where `x` is larger or the first NaN, or the best is none.
#[inline(always)]
fn take<T: Number>((best, at): (&mut T, &mut u32), x: T, place: u32) {
    let better = (x > *best) | (x.is_nan() & !best.is_nan()) | (*at == NOWHERE);
    *best = if better { x } else { *best };
    *at = if better { place } else { *at };
}

/// The mean of each window.
pub(crate) fn avg_pool<T: Real>(x: &CpuValue, pool: &Pool, divisor: Divisor, out: &Meta) -> Result<CpuValue> {
    let (x, windows) = (view::contiguous(x)?, windows(x, pool));
    let x = x.rows::<T>().unwrap_or_default();
    let (input, output) = (windows.inputs(), windows.outputs());
    let counts = counts::<T>(&windows, divisor);
    let mut y = Output::<T>::new(out.numel())?;
    parallel::pieces(y.slice(), output, parallel::GRAIN / 8, |first, y| {
        for (i, y) in y.chunks_exact_mut(output.max(1)).enumerate() {
            let x = &x[(first + i) * input..][..input];
            for (block, (y, counts)) in y.chunks_mut(BLOCK).zip(counts.chunks(BLOCK)).enumerate() {
                sums(&windows, x, block * BLOCK, y);
                y.iter_mut().zip(counts).for_each(|(y, n)| *y = *y / *n);
            }
        }
    });
    Ok(y.finish(&out.shape, out.dtype))
}

/// The sums of the windows from number `start`.
fn sums<T: Real>(windows: &Windows, x: &[T], start: usize, y: &mut [T]) {
    y.fill(T::default());
    let columns = start..start + y.len();
    for tap in 0..windows.taps() {
        windows.runs(tap, columns.clone(), |column, len, place| {
            let y = &mut y[column - start..][..len];
            dispatch_v3!(|L| zip(y, &x[place..], windows.step(), |y, x| *y += *x));
        });
    }
}

/// What the sum of each window is divided by.
fn counts<T: Real>(windows: &Windows, divisor: Divisor) -> Vec<T> {
    let counted = match divisor {
        Divisor::Fixed(n) => return vec![T::of(n as f64); windows.outputs()],
        Divisor::Inside => windows.clone(),
        Divisor::Padded => windows.over_padding(),
    };
    let mut counts = vec![T::default(); windows.outputs()];
    for tap in 0..counted.taps() {
        counted.runs(tap, 0..counts.len(), |column, len, _| {
            counts[column..column + len].iter_mut().for_each(|n| *n += T::of(1.0));
        });
    }
    counts
}

fn windows(x: &CpuValue, pool: &Pool) -> Windows {
    let lead = x.meta.shape.rank() - pool.kernel.len();
    Windows::of_pool(pool, &x.meta.shape[lead..])
}
