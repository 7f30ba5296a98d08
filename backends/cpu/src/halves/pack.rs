//! Matrices of half precision as kernels read them: pairs of BF16, in tiles.
use super::kernel::{PAIRS, SIDE, TILE};
use crate::{
    elementwise::Stored, gemm::Matrix, parallel, simd::dispatch_v3, stream::fetch, turn::turn, value::Output,
};
use bytemuck::{cast_mut, cast_slice, cast_slice_mut};
use firesteel_core::{DType, Result};
use half::f16;
use std::{
    iter::repeat,
    ops::Range,
    sync::atomic::{AtomicBool, Ordering},
};

/// Numbers of a row or column that one step multiplies.
const STEP: usize = 2 * PAIRS;

/// Sixteen rows or columns by sixteen pairs of what they are made of, or the other way round.
type Tile = [[u32; PAIRS]; PAIRS];

/// Which side of a product a matrix is on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Its rows are multiplied: a tile is a row after another.
    Left,
    /// Its columns are: a tile is a pair of every column after another.
    Right,
}

/// Matrices in panels of [`SIDE`] rows or columns, which are filled up with zeros. A panel lies step by step, and a step
/// is two tiles.
pub(super) struct Packed {
    memory: Output<u16>,
    /// Into how many numbers of BF16 each number is cut.
    pub(super) parts: usize,
    panels: usize,
    pub(super) steps: usize,
}

impl Packed {
    /// Packs matrices of one size, each `[rows or columns, numbers of one]`; nothing where a number of F16 is not
    /// finite, and so not a sum of two.
    pub(super) fn new(matrices: &[Matrix<u16>], side: Side, dtype: DType) -> Result<Option<Self>> {
        let [lines, k] = matrices.first().map_or([0, 0], |matrix| matrix.size);
        let parts = if dtype == DType::F16 { 2 } else { 1 };
        let (panels, steps) = (lines.div_ceil(SIDE), k.div_ceil(STEP));
        let panel = steps * 2 * TILE;
        let mut memory = Output::<u16>::new(matrices.len() * parts * panels * panel)?;
        let is_finite = AtomicBool::new(true);
        parallel::pieces(memory.slice(), panel, parallel::GRAIN, |first, y| {
            dispatch_v3!(|L| for (i, y) in y.chunks_exact_mut(panel).enumerate() {
                let (matrix, at) = ((first + i) / (parts * panels), (first + i) % (parts * panels));
                for (tile, y) in cast_slice_mut::<u16, Tile>(y).iter_mut().enumerate() {
                    let place = [at % panels * SIDE + tile % 2 * PAIRS, tile / 2 * STEP];
                    let is_left = read(&matrices[matrix], place, y);
                    if parts == 2 && !cut(y, at / panels) {
                        is_finite.store(false, Ordering::Relaxed);
                    }
                    if is_left != (side == Side::Left) {
                        turn(y.clone().as_flattened(), PAIRS, [PAIRS; 2], y.as_flattened_mut(), PAIRS);
                    }
                }
            });
        });
        Ok(is_finite.into_inner().then_some(Self { memory, parts, panels, steps }))
    }

    /// Some steps of a panel of a part of a matrix.
    pub(super) fn panel(&self, matrix: usize, part: usize, panel: usize, steps: Range<usize>) -> &[u16] {
        let start = ((matrix * self.parts + part) * self.panels + panel) * self.steps;
        &self.memory.read()[(start + steps.start) * 2 * TILE..(start + steps.end) * 2 * TILE]
    }
}

/// Writes the numbers of a matrix from a place on, and zeros where it ends; says whether they lie as on the left. What is
/// whole has a length that is known, and so vector code.
#[inline(always)]
fn read(matrix: &Matrix<u16>, [line, from]: [usize; 2], tile: &mut Tile) -> bool {
    *tile = [[0; PAIRS]; PAIRS];
    let [lines, k] = matrix.size;
    let (lines, until) = (lines.min(line + PAIRS), k.min(from + STEP));
    let line = line.min(lines);
    match matrix.strides {
        [1, step] if step != 1 => {
            let columns = matrix.t();
            let column = |p: usize| if p < until { &columns.row(p)[line..lines] } else { &[] };
            for (tile, p) in tile.iter_mut().zip((from..until).step_by(2)) {
                let (low, high) = (column(p), column(p + 1));
                [low, high].iter().for_each(|x| fetch(x.as_ptr().wrapping_offset(step * STEP as isize)));
                match (low.first_chunk::<PAIRS>(), high.first_chunk::<PAIRS>()) {
                    (Some(low), Some(high)) => (0..PAIRS).for_each(|i| tile[i] = pair(low[i], high[i])),
                    _ => {
                        let high = high.iter().copied().chain(repeat(0));
                        tile.iter_mut().zip(low.iter().zip(high)).for_each(|(y, (a, b))| *y = pair(*a, b));
                    }
                }
            }
            false
        }
        [_, step] => {
            for (tile, i) in tile.iter_mut().zip(line..lines) {
                let tile: &mut [u16; STEP] = cast_mut(tile);
                let row = if step == 1 { &matrix.row(i)[from..until] } else { &[] };
                fetch(row.as_ptr().wrapping_add(4 * STEP));
                match row.first_chunk() {
                    Some(row) => *tile = *row,
                    None => tile.iter_mut().zip(from..until).for_each(|(x, j)| *x = matrix.number(i, j)),
                }
            }
            true
        }
    }
}

/// Two numbers as one.
#[inline(always)]
fn pair(low: u16, high: u16) -> u32 {
    u32::from(low) | u32::from(high) << u16::BITS
}

/// Numbers of F16 to the one of two parts of each in BF16, whose sum they are; false where one is not finite.
#[inline(always)]
fn cut(tile: &mut Tile, part: usize) -> bool {
    let tile: &mut [u16] = cast_slice_mut(tile.as_flattened_mut());
    let mut wide = [0f32; TILE];
    f16::widen(cast_slice(tile), &mut wide);
    let mut is_finite = true;
    for (y, x) in tile.iter_mut().zip(wide) {
        let upper = x.to_bits() >> u16::BITS;
        let lower = x - f32::from_bits(upper << u16::BITS);
        is_finite &= x.is_finite();
        *y = if part == 0 { upper as u16 } else { (lower.to_bits() >> u16::BITS) as u16 };
    }
    is_finite
}
