//! Products of matrices of few bits, by what processors have for them: instructions that multiply groups of numbers, each
//! of 32 bits, and add their products to a sum of 32 bits. So two numbers of BF16 are added in F32, and four bytes in I32.
mod kept;
mod kernel;
mod pack;

pub(crate) use kernel::{Kernel, SIDE, Sums};
#[cfg(target_arch = "x86_64")]
pub(crate) use kernel::{has_bf16, has_vnni};

use crate::{
    CpuValue,
    gemm::{Matrix, MatrixMut, blocks},
    matmul::{last_two, starts},
    parallel,
    simd::dispatch_v3,
    stream::fetch,
    value::{Native, Output},
};
use firesteel_core::{Meta, Result};
use pack::{Packed, Side};
use std::{collections::HashMap, sync::Arc};

/// Steps of a panel that a block of results takes in one go, for which panels stay in the first cache.
const DEPTH: usize = 16;
/// Panels on a side of a job's results, at most: they stay in the second cache.
const PANELS: usize = 8;

/// Below this many products of numbers it is not worth packing them.
pub(crate) const FEW: usize = 16 * 1024;

/// A block of results.
pub(crate) type Block<R> = [R; SIDE * SIDE];

/// A part of the results, and the number of its matrix and of its first row and column.
struct Job<'a, R> {
    batch: usize,
    first: [usize; 2],
    y: MatrixMut<'a, R>,
}

/// The products of batches of matrices `[m, k]` and `[k, n]` of which none is empty, of numbers of which `G` fill a group;
/// `finish` makes results of sums, from a column on. Nothing where numbers cannot be multiplied so.
pub(crate) fn product<N: Native, const G: usize, R: Native>(
    kernel: Kernel,
    [a, b]: [&CpuValue; 2],
    out: &Meta,
    finish: impl Fn(&mut Sums, usize, &mut Block<R>) + Sync,
) -> Result<Option<CpuValue>> {
    let [.., m, n] = out.shape[..] else { return Ok(None) };
    let (a, places_a) = packed::<N, G>(kernel, a, Side::Left)?;
    let (b, places_b) = packed::<N, G>(kernel, b, Side::Right)?;
    let (Some(a), Some(b)) = (a, b) else { return Ok(None) };

    let mut y = Output::<R>::new(out.numel())?;
    let side = side([places_a.len(), m, n]);
    let mut columns: Vec<Job<R>> = vec![];
    for (batch, y) in y.slice().chunks_exact_mut(m * n).enumerate() {
        let parts = MatrixMut::rows(y, [m, n]).split_columns(side);
        columns.extend(parts.map(|(column, y)| Job { batch, first: [0, column], y }));
    }
    let mut jobs: Vec<Job<R>> = vec![];
    for Job { batch, first: [_, column], y } in &mut columns {
        let parts = y.split_rows(side);
        jobs.extend(parts.map(|(row, y)| Job { batch: *batch, first: [row, *column], y }));
    }
    let passes = a.steps.div_ceil(DEPTH) * a.parts * b.parts;
    parallel::try_jobs(jobs, |mut job| {
        let [rows, columns] = job.y.size;
        let [height, width] = [rows.div_ceil(SIDE), columns.div_ceil(SIDE)];
        // of one pass no sums are kept: they stay in the first cache
        let kept = if passes == 1 { 1 } else { height * width };
        let mut sums = Output::<u32>::new(kept * SIDE * SIDE)?;
        let (sums, _) = sums.slice().as_chunks_mut();
        let mut block = [R::default(); SIDE * SIDE];
        let [row, column] = job.first.map(|first| first / SIDE);
        let (place_a, place_b) = (places_a[job.batch], places_b[job.batch]);
        let ready = kernel.start();
        let parts = (0..a.parts).flat_map(|i| (0..b.parts).map(move |j| (i, j)));
        let passed =
            blocks(a.steps, DEPTH).flat_map(|steps| parts.clone().map(move |parts| (steps.clone(), parts)));
        for (pass, (steps, (part_a, part_b))) in passed.enumerate() {
            let left = |i: usize| a.panel(place_a, part_a, row + i, steps.clone());
            let right = |j: usize| b.panel(place_b, part_b, column + j, steps.clone());
            for j in 0..width {
                let first = if pass == 0 {
                    ready.first(b.panel(place_b, 0, column + j, 0..b.steps))
                } else {
                    [0; SIDE]
                };
                for i in 0..height {
                    let next = match (i + 1 < height, j + 1 < width) {
                        (true, _) => left(i + 1),
                        (_, true) => right(j + 1),
                        _ => &[],
                    };
                    let place = [i, j].map(|at| at * SIDE);
                    let sums = &mut sums[(j * height + i) % kept];
                    if pass == 0 {
                        sums.chunks_exact_mut(SIDE).for_each(|sums| sums.copy_from_slice(&first));
                    }
                    if pass + 1 == passes {
                        expect(&mut job.y, place);
                    }
                    ready.add(left(i), right(j), next, sums);
                    // while they are in the first cache
                    if pass + 1 == passes {
                        finish(sums, job.first[1] + place[1], &mut block);
                        dispatch_v3!(|L| put(&block, &mut job.y, place));
                    }
                }
            }
        }
        Ok(())
    })?;
    Ok(Some(y.finish(&out.shape, out.dtype)))
}

/// Has the memory fetched that a block of results is written to.
fn expect<R: Native>(y: &mut MatrixMut<R>, [row, column]: [usize; 2]) {
    for i in row..y.size[0].min(row + SIDE) {
        let line = y.row(i)[column..].as_ptr();
        (0..SIDE * size_of::<R>()).step_by(64).for_each(|at| fetch(line.wrapping_byte_add(at)));
    }
}

/// Writes a block of results from a row and column on.
#[inline(always)]
fn put<R: Native>(block: &Block<R>, y: &mut MatrixMut<R>, [row, column]: [usize; 2]) {
    let [rows, _] = y.size;
    for (i, from) in block.as_chunks::<SIDE>().0.iter().enumerate().take(rows - row) {
        let to = &mut y.row(row + i)[column..];
        match to.first_chunk_mut() {
            Some(to) => *to = *from,
            None => to.copy_from_slice(&from[..to.len()]),
        }
    }
}

/// How many rows and columns a job has, so that there is one for each thread. No sum depends on it.
fn side([batch, m, n]: [usize; 3]) -> usize {
    let mut panels = PANELS;
    let jobs = |panels: usize| batch * m.div_ceil(panels * SIDE) * n.div_ceil(panels * SIDE);
    while panels > 1 && jobs(panels) < 4 * parallel::num_threads() {
        panels /= 2;
    }
    panels * SIDE
}

/// The matrices of a batch, each packed once (a single one on the right may still be packed from an earlier product), and which of them each number of the batch has; nothing where they
/// cannot be multiplied so.
fn packed<N: Native, const G: usize>(
    kernel: Kernel,
    x: &CpuValue,
    side: Side,
) -> Result<(Option<Arc<Packed>>, Vec<usize>)> {
    let (mut distinct, mut found) = (vec![], HashMap::new());
    let place = |start: usize| {
        *found.entry(start).or_insert_with(|| {
            distinct.push(start);
            distinct.len() - 1
        })
    };
    let places = starts(x).into_iter().map(place).collect();
    let matrix = |&start: &usize| -> Matrix<N> {
        let matrix = last_two(x, start);
        if side == Side::Right { matrix.t() } else { matrix }
    };
    let matrices: Vec<Matrix<N>> = distinct.iter().map(matrix).collect();
    let pack = || Packed::new::<N, G>(&matrices, side, kernel.change(x.meta.dtype, side));
    let packed = match (side, &distinct[..]) {
        (Side::Right, [_]) => kept::packed(x, kernel, pack)?,
        _ => pack()?.map(Arc::new),
    };
    Ok((packed, places))
}
