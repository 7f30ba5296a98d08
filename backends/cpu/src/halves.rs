//! Products of matrices of half precision, by what a processor has for them: the tiles of AMX, or the dot products of
//! AVX-512 BF16, which multiply pairs of BF16 and add in F32. A number of F16 is the sum of two of BF16, exactly, so a
//! product of F16 is four of BF16: for tiles that pays.
//!
//! Where there is neither, halves are widened to F32.
mod kernel;
mod pack;
#[cfg(test)]
mod tests;

use crate::{
    CpuValue,
    elementwise::Stored,
    gemm::{Matrix, MatrixMut, blocks},
    matmul::{last_two, starts},
    parallel,
    value::Output,
    view,
    wide::wide,
};
use bytemuck::cast_slice_mut;
use firesteel_core::{DType, Layout, Meta, Result, Shape};
use half::{bf16, f16};
use kernel::{Kernel, SIDE, Sums};
use pack::{Packed, Side};
use std::collections::HashMap;

/// Steps of a panel that a block of results takes in one go, for which panels stay in the first cache.
const DEPTH: usize = 16;
/// Panels on a side of a job's results, at most: they stay in the second cache.
const PANELS: usize = 8;
/// Below this many products of numbers it is not worth packing them.
const FEW: usize = 16 * 1024;

/// The product of batches of matrices, where it is of halves and this processor multiplies them; else nothing.
pub(crate) fn matmul(a: &CpuValue, b: &CpuValue, out: &Meta) -> Result<Option<CpuValue>> {
    product(a, b, None, out)
}

/// `x Wᵀ + b`, likewise.
pub(crate) fn linear(xs: &[&CpuValue], out: &Meta) -> Result<Option<CpuValue>> {
    let [x, w, bias @ ..] = xs else { return Ok(None) };
    if !out.dtype.is_half() {
        return Ok(None);
    }
    let (n, k) = (w.meta.shape[0], w.meta.shape[1]);
    let rows = Shape::from([out.numel() / n.max(1), k]);
    let y = Meta::new([rows[0], n], out.dtype);
    let x = view::reshape(x, &rows)?;
    let y = product(&x, &w.view(w.layout.permute(&[1, 0])), bias.first().copied(), &y)?;
    Ok(y.map(|y| y.view(Layout::contiguous(out.shape.clone()))))
}

fn product(a: &CpuValue, b: &CpuValue, bias: Option<&CpuValue>, out: &Meta) -> Result<Option<CpuValue>> {
    let Some(kernel) = Kernel::of(out.dtype) else { return Ok(None) };
    let ([.., m, n], Some(&k)) = (&out.shape[..], a.meta.shape.last()) else { return Ok(None) };
    if a.is_same() || b.is_same() || *m < 2 || *n < 2 || m * n * k < FEW {
        return Ok(None);
    }
    product_by(kernel, a, b, bias, out)
}

/// The product by this kernel, of whatever size.
fn product_by(
    kernel: Kernel,
    a: &CpuValue,
    b: &CpuValue,
    bias: Option<&CpuValue>,
    out: &Meta,
) -> Result<Option<CpuValue>> {
    match out.dtype {
        DType::BF16 => run::<bf16>(kernel, a, b, bias, out),
        _ => run::<f16>(kernel, a, b, bias, out),
    }
}

/// A part of the results, and the number of its matrix and of its first row and column.
struct Job<'a> {
    batch: usize,
    first: [usize; 2],
    y: MatrixMut<'a, u16>,
}

fn run<T: Stored<Number = f32>>(
    kernel: Kernel,
    a: &CpuValue,
    b: &CpuValue,
    bias: Option<&CpuValue>,
    out: &Meta,
) -> Result<Option<CpuValue>> {
    let [.., m, n] = out.shape[..] else { return Ok(None) };
    let (a, places_a) = packed(a, Side::Left)?;
    let (b, places_b) = packed(b, Side::Right)?;
    let (Some(a), Some(b)) = (a, b) else { return Ok(None) };
    let bias = bias.map(|bias| crate::elementwise::cast(bias, wide(out.dtype))).transpose()?;
    let bias = bias.map(|bias| view::contiguous(&bias)).transpose()?;
    let bias = bias.as_ref().and_then(CpuValue::rows::<f32>);

    let mut y = Output::<u16>::new(out.numel())?;
    let side = side([places_a.len(), m, n]);
    let mut columns: Vec<Job> = vec![];
    for (batch, y) in y.slice().chunks_exact_mut(m * n).enumerate() {
        let parts = MatrixMut::rows(y, [m, n]).split_columns(side);
        columns.extend(parts.map(|(column, y)| Job { batch, first: [0, column], y }));
    }
    let mut jobs: Vec<Job> = vec![];
    for Job { batch, first: [_, column], y } in &mut columns {
        let parts = y.split_rows(side);
        jobs.extend(parts.map(|(row, y)| Job { batch: *batch, first: [row, *column], y }));
    }
    parallel::try_jobs(jobs, |mut job| {
        let [rows, columns] = job.y.size;
        let [height, width] = [rows.div_ceil(SIDE), columns.div_ceil(SIDE)];
        let mut sums = Output::<f32>::new(height * width * SIDE * SIDE)?;
        sums.slice().fill(0.0);
        let [row, column] = job.first.map(|first| first / SIDE);
        let (place_a, place_b) = (places_a[job.batch], places_b[job.batch]);
        let bias = bias.map(|bias| &bias[job.first[1]..][..columns]);
        let ready = kernel.start();
        for steps in blocks(a.steps, DEPTH) {
            for (part_a, part_b) in (0..a.parts).flat_map(|i| (0..b.parts).map(move |j| (i, j))) {
                let is_last = (part_a + 1, part_b + 1) == (a.parts, b.parts);
                let left = |i: usize| a.panel(place_a, part_a, row + i, steps.clone());
                let right = |j: usize| b.panel(place_b, part_b, column + j, steps.clone());
                for (j, i) in (0..width).flat_map(|j| (0..height).map(move |i| (j, i))) {
                    let next = match (i + 1 < height, j + 1 < width) {
                        (true, _) => left(i + 1),
                        (_, true) => right(j + 1),
                        _ => &[],
                    };
                    let (sums, _) = sums.slice().as_chunks_mut();
                    let sums = &mut sums[j * height + i];
                    ready.add(left(i), right(j), next, sums);
                    // while they are in the first cache
                    if steps.end == a.steps && is_last {
                        put::<T>(sums, bias, &mut job.y, [i, j].map(|at| at * SIDE));
                    }
                }
            }
        }
        Ok(())
    })?;
    Ok(Some(y.finish(&out.shape, out.dtype)))
}

/// Writes a block of sums, with the bias of its columns, from a row and column on.
fn put<T: Stored<Number = f32>>(
    sums: &mut Sums,
    bias: Option<&[f32]>,
    y: &mut MatrixMut<u16>,
    [row, column]: [usize; 2],
) {
    if let Some(bias) = bias {
        for sums in sums.chunks_exact_mut(SIDE) {
            sums.iter_mut().zip(&bias[column..]).for_each(|(sum, bias)| *sum += bias);
        }
    }
    let mut narrow = [0u16; SIDE * SIDE];
    T::narrow(sums, cast_slice_mut(&mut narrow));
    let [rows, _] = y.size;
    for (i, from) in narrow.as_chunks::<SIDE>().0.iter().enumerate().take(rows - row) {
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

/// The matrices of a batch, each packed once, and which of them each number of the batch has; nothing where they
/// cannot be multiplied so.
fn packed(x: &CpuValue, side: Side) -> Result<(Option<Packed>, Vec<usize>)> {
    let (mut distinct, mut found) = (vec![], HashMap::new());
    let place = |start: usize| {
        *found.entry(start).or_insert_with(|| {
            distinct.push(start);
            distinct.len() - 1
        })
    };
    let places = starts(x).into_iter().map(place).collect();
    let matrix = |&start: &usize| -> Matrix<u16> {
        let matrix = last_two(x, start);
        if side == Side::Right { matrix.t() } else { matrix }
    };
    let matrices: Vec<Matrix<u16>> = distinct.iter().map(matrix).collect();
    Ok((Packed::new(&matrices, side, x.meta.dtype)?, places))
}
