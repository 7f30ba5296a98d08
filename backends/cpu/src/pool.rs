//! Pooling: a line of windows at a time, all places of a window in one pass over what they see.
use crate::{
    CpuValue, chain,
    number::{Arithmetic, Number},
    parallel,
    real::Real,
    simd::dispatch_v3,
    stream::{fence, stream},
    value::{Native, Output},
    view,
    windows::{Seen, Strips, Windows},
};
use bytemuck::{cast_slice, cast_slice_mut};
use firesteel_core::{Divisor, Meta, Metas, Outputs, Pool, Result};
use smallvec::smallvec;

/// The place of a window that has not seen anything yet.
const NOWHERE: u32 = u32::MAX;
/// Neighbouring windows that are worked on together.
const LANES: usize = 16;
/// Results of a plane in bytes, from which on they may go around the caches.
const LONG: usize = 4096;

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
    let streams = chain::streams(&out[0]);
    parallel::rows(y.slice(), output, [at.slice()], parallel::GRAIN / 8, &|first, y, [at]| {
        let mut best = Largest::new(&windows)?;
        let mut held = Held::new(output, streams)?;
        let mut held_at = Held::new(output, streams)?;
        let planes = y.chunks_exact_mut(output.max(1)).zip(at.chunks_exact_mut(output.max(1)));
        for (i, (y, at)) in planes.enumerate() {
            let x = &x[(first + i) * input..][..input];
            held.write(y, |y| held_at.write(at, |at| best.of(x, y, at)));
        }
        Ok(())
    })?;
    Ok(smallvec![y.finish(&out[0].shape, out[0].dtype), at.finish(&out[1].shape, out[1].dtype)])
}

/// The results of one plane, which may go around the caches.
struct Held<T>(Option<Output<T>>);

impl<T: Native> Held<T> {
    fn new(len: usize, streams: bool) -> Result<Self> {
        let streams = streams && len * size_of::<T>() >= LONG;
        Ok(Self(if streams { Some(Output::new(len)?) } else { None }))
    }

    /// Has `y` written.
    fn write(&mut self, y: &mut [T], work: impl FnOnce(&mut [T])) {
        let Some(held) = &mut self.0 else { return work(y) };
        work(held.slice());
        stream(cast_slice(held.slice()), cast_slice_mut(y));
        fence();
    }
}

/// Finds the largest of the windows over one plane after another.
struct Largest<'a, T> {
    windows: &'a Windows,
    strips: Strips<'a, T>,
    /// For each window of a line, the first place in a line of the plane that it sees.
    columns: Vec<u32>,
}

impl<'a, T: Number> Largest<'a, T> {
    fn new(windows: &'a Windows) -> Result<Self> {
        let column = |at| windows.first_column(at).map_or(NOWHERE, |place| place as u32);
        let columns = (0..windows.width()[1]).map(column).collect();
        Ok(Self { windows, strips: Strips::new(windows, T::LOWEST)?, columns })
    }

    fn of(&mut self, x: &[T], y: &mut [T], at: &mut [i64]) {
        let Self { windows, strips, columns } = self;
        let (n, step) = (columns.len(), windows.step() as u32);
        strips.each(x, |first, strips, seen| {
            let (y, at) = (&mut y[first..][..n], &mut at[first..][..n]);
            let line = windows.first_line(first / n);
            let blocks = y.chunks_mut(LANES).zip(at.chunks_mut(LANES)).zip(columns.chunks(LANES));
            dispatch_v3!(|L| for (i, ((y, at), columns)) in blocks.enumerate() {
                let start = line.unwrap_or(0) as u32;
                let (best, places) = largest(strips, seen, i * LANES, start, columns, step);
                put(y, best);
                put(at, places);
            });
            let nowhere = |column: u32| line.is_none() || column == NOWHERE;
            if nowhere(0) || columns.contains(&NOWHERE) {
                at.iter_mut().zip(&*columns).filter(|(_, c)| nowhere(**c)).for_each(|(at, _)| *at = -1);
            }
        });
    }
}

/// The largest, and their places, of the windows of a line from number `first`; the line of the image that they
/// see first begins at `start`, and each of them sees it first in its column.
#[inline(always)]
fn largest<T: Number>(
    strips: &[T],
    seen: &[Seen],
    first: usize,
    start: u32,
    columns: &[u32],
    step: u32,
) -> ([T; LANES], [i64; LANES]) {
    // nothing is below what each starts from, so what is outside the image never wins
    let (mut best, mut places) = ([T::LOWEST; LANES], [0; LANES]);
    let stand: [u32; LANES] = std::array::from_fn(|i| step.wrapping_mul(first as u32 + i as u32));
    places.iter_mut().zip(columns).for_each(|(place, column)| *place = start.wrapping_add(*column));
    places.iter_mut().zip(stand).for_each(|(place, stand)| *place = place.wrapping_sub(stand));
    for seen in seen {
        let Some(x) = strips[seen.start + first..].first_chunk::<LANES>() else { break };
        for i in 0..LANES {
            let better = (x[i] > best[i]) | (x[i].is_nan() & !best[i].is_nan());
            best[i] = T::choose(better, x[i], best[i]);
            places[i] = u32::choose(better, seen.place as u32, places[i]);
        }
    }
    (best, std::array::from_fn(|i| places[i].wrapping_add(stand[i]).into()))
}

/// Writes as many as there is room for.
#[inline(always)]
fn put<T: Copy>(y: &mut [T], block: [T; LANES]) {
    match y.first_chunk_mut() {
        Some(y) => *y = block,
        None => y.copy_from_slice(&block[..y.len()]),
    }
}

/// The mean of each window.
pub(crate) fn avg_pool<T: Real>(x: &CpuValue, pool: &Pool, divisor: Divisor, out: &Meta) -> Result<CpuValue> {
    let (x, windows) = (view::contiguous(x)?, windows(x, pool));
    let x = x.rows::<T>().unwrap_or_default();
    let (input, output) = (windows.inputs(), windows.outputs());
    let counts = counts::<T>(&windows, divisor);
    let mut y = Output::<T>::new(out.numel())?;
    let streams = chain::streams(out);
    parallel::rows(y.slice(), output, [] as [&mut [()]; 0], parallel::GRAIN / 8, &|first, y, _| {
        let mut strips = Strips::new(&windows, T::default())?;
        let mut held = Held::new(output, streams)?;
        for (i, y) in y.chunks_exact_mut(output.max(1)).enumerate() {
            let x = &x[(first + i) * input..][..input];
            held.write(y, |y| means(&mut strips, x, &counts, windows.width()[1], y));
        }
        Ok(())
    })?;
    Ok(y.finish(&out.shape, out.dtype))
}

/// The means of the windows over one plane, `n` of which stand in a line.
fn means<T: Real>(strips: &mut Strips<T>, x: &[T], counts: &[T], n: usize, y: &mut [T]) {
    strips.each(x, |first, strips, seen| {
        let (y, counts) = (&mut y[first..][..n], &counts[first..][..n]);
        dispatch_v3!(|L| {
            for (i, y) in y.chunks_mut(LANES).enumerate() {
                put(y, sums(strips, seen, i * LANES));
            }
            y.iter_mut().zip(counts).for_each(|(y, n)| *y = *y / *n);
        });
    });
}

/// The sums of the windows of a line from number `first`.
#[inline(always)]
fn sums<T: Real>(strips: &[T], seen: &[Seen], first: usize) -> [T; LANES] {
    let mut sums = [T::default(); LANES];
    for seen in seen {
        let Some(x) = strips[seen.start + first..].first_chunk::<LANES>() else { break };
        sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += *x);
    }
    sums
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
