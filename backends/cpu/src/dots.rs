//! Products of matrices of few bits, by what processors have for them: instructions that multiply groups of numbers, each
//! of 32 bits, and add their products to a sum of 32 bits. So two numbers of BF16 are added in F32, and four bytes in I32.
mod kept;
mod kernel;
mod lines;
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
use lines::{Left, Lines};
use pack::{Packed, Side};
use smallvec::SmallVec;
use std::{collections::HashMap, ops::Range, sync::Arc};

/// Steps of a panel that a block of results takes in one go, for which panels stay in the first cache.
const DEPTH: usize = 16;
/// Panels on a side of a job's results, at most: they stay in the second cache.
const PANELS: usize = 8;

/// Below this many products of numbers it is not worth packing them.
pub(crate) const FEW: usize = 16 * 1024;

/// A block of results.
pub(crate) type Block<R> = [R; SIDE * SIDE];

/// What becomes of sums.
pub(crate) trait Outcome: Native {
    /// A part of the results, where they are the sums.
    fn as_sums(_: MatrixMut<'_, Self>) -> Option<MatrixMut<'_, u32>> {
        None
    }
}

impl Outcome for u8 {}
impl Outcome for u16 {}

impl Outcome for u32 {
    fn as_sums(y: MatrixMut<'_, Self>) -> Option<MatrixMut<'_, u32>> {
        Some(y)
    }
}

/// A part of the results, and the number of its matrix and of its first row and column.
struct Job<'a, R> {
    batch: usize,
    first: [usize; 2],
    y: MatrixMut<'a, R>,
}

/// The products of batches of matrices `[m, k]` and `[k, n]` of which none is empty, of numbers of which `G` fill a group;
/// `finish` makes results of sums, from a column on, where they are not sums already. Nothing where numbers cannot be
/// multiplied so.
pub(crate) fn product<N: Native, const G: usize, R: Outcome>(
    kernel: Kernel,
    [a, b]: [&CpuValue; 2],
    out: &Meta,
    finish: impl Fn(&mut Sums, usize, &mut Block<R>) + Sync,
) -> Result<Option<CpuValue>> {
    let [.., m, n] = out.shape[..] else { return Ok(None) };
    let (matrices, places_a) = distinct::<N>(a, Side::Left);
    let Some(a) = Left::new::<G>(kernel, a.meta.dtype, matrices)? else { return Ok(None) };
    let (matrices, places_b) = distinct::<N>(b, Side::Right);
    let pack = || Packed::new::<N, G>(&matrices, Side::Right, kernel.change(b.meta.dtype, Side::Right));
    // a single one may still be packed from an earlier product
    let b = if matrices.len() == 1 { kept::packed(b, kernel, pack)? } else { pack()?.map(Arc::new) };
    let Some(b) = b else { return Ok(None) };

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
    let passes = b.steps.div_ceil(DEPTH) * a.parts() * b.parts;
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
        let lines = |part: usize, i: usize, steps: Range<usize>| {
            a.lines(place_a, part, row + i, SIDE.min(rows - i * SIDE), steps)
        };
        let firsts: SmallVec<[_; PANELS]> =
            (0..height).map(|i| ready.first(lines(0, i, 0..b.steps))).collect();
        let parts = (0..a.parts()).flat_map(|i| (0..b.parts).map(move |j| (i, j)));
        let passed =
            blocks(b.steps, DEPTH).flat_map(|steps| parts.clone().map(move |parts| (steps.clone(), parts)));
        for (pass, (steps, (part_a, part_b))) in passed.enumerate() {
            let left = |i: usize| lines(part_a, i, steps.clone());
            let right = |j: usize| b.panel(place_b, part_b, column + j, steps.clone());
            for j in 0..width {
                for i in 0..height {
                    let next = match (i + 1 < height, j + 1 < width) {
                        (true, _) => left(i + 1),
                        (_, true) => Lines::packed(right(j + 1), SIDE),
                        _ => Lines::NONE,
                    };
                    let place = [i, j].map(|at| at * SIDE);
                    let sums = &mut sums[(j * height + i) % kept];
                    let first = (pass == 0).then(|| &firsts[i]);
                    let is_last = pass + 1 == passes;
                    if is_last {
                        expect(&mut job.y, place);
                    }
                    let part = [0, 1].map(|axis| place[axis]..job.y.size[axis].min(place[axis] + SIDE));
                    let [rows, columns] = part;
                    let is_whole = columns.len() == SIDE;
                    let to = if is_last && is_whole { R::as_sums(job.y.part(rows, columns)) } else { None };
                    let is_done = !is_last || to.is_some();
                    ready.add(left(i), right(j), next, first, sums, to);
                    // while they are in the first cache
                    if !is_done {
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

/// The matrices of a batch, those on the right turned, and which of them each number of the batch has.
fn distinct<N: Native>(x: &CpuValue, side: Side) -> (Vec<Matrix<'_, N>>, Vec<usize>) {
    let (mut distinct, mut found) = (vec![], HashMap::new());
    let place = |start: usize| {
        *found.entry(start).or_insert_with(|| {
            let matrix = last_two(x, start);
            distinct.push(if side == Side::Right { matrix.t() } else { matrix });
            distinct.len() - 1
        })
    };
    let places = starts(x).into_iter().map(place).collect();
    (distinct, places)
}
