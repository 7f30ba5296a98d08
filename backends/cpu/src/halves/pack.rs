//! Matrices of half precision as kernels read them: pairs of BF16, in tiles.
use super::kernel::{PAIRS, SIDE, TILE};
use crate::{elementwise::Stored, gemm::Matrix, parallel, turn::turn, value::Output};
use bytemuck::{cast_slice, cast_slice_mut};
use firesteel_core::{DType, Result};
use half::f16;
use std::{
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
            for (i, y) in y.chunks_exact_mut(panel).enumerate() {
                let (matrix, at) = ((first + i) / (parts * panels), (first + i) % (parts * panels));
                for (tile, y) in y.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
                    let place = [at % panels * SIDE + tile % 2 * PAIRS, tile / 2 * STEP];
                    let (mut x, is_left) = read(&matrices[matrix], place);
                    if parts == 2 && !cut(&mut x, at / panels) {
                        is_finite.store(false, Ordering::Relaxed);
                    }
                    match is_left == (side == Side::Left) {
                        true => y.copy_from_slice(cast_slice(x.as_flattened())),
                        false => turn(x.as_flattened(), PAIRS, [PAIRS; 2], cast_slice_mut(y), PAIRS),
                    }
                }
            }
        });
        Ok(is_finite.into_inner().then_some(Self { memory, parts, panels, steps }))
    }

    /// Some steps of a panel of a part of a matrix.
    pub(super) fn panel(&self, matrix: usize, part: usize, panel: usize, steps: Range<usize>) -> &[u16] {
        let start = ((matrix * self.parts + part) * self.panels + panel) * self.steps;
        &self.memory.read()[(start + steps.start) * 2 * TILE..(start + steps.end) * 2 * TILE]
    }
}

/// The numbers of a matrix from a place on, and whether they lie as on the left.
fn read(matrix: &Matrix<u16>, [line, from]: [usize; 2]) -> (Tile, bool) {
    let mut tile = [[0; PAIRS]; PAIRS];
    let [lines, k] = matrix.size;
    let (lines, until) = (lines.min(line + PAIRS), k.min(from + STEP));
    let line = line.min(lines);
    match matrix.strides {
        [1, step] if step != 1 => {
            let columns = matrix.t();
            for (tile, p) in tile.iter_mut().zip((from..until).step_by(2)) {
                let low = &columns.row(p)[line..lines];
                let tile = tile.iter_mut();
                match p + 1 < until {
                    true => tile.zip(low.iter().zip(&columns.row(p + 1)[line..lines])).for_each(
                        |(tile, (&low, &high))| *tile = u32::from(low) | u32::from(high) << u16::BITS,
                    ),
                    false => tile.zip(low).for_each(|(tile, &low)| *tile = low.into()),
                }
            }
            (tile, false)
        }
        [_, step] => {
            for (tile, i) in tile.iter_mut().zip(line..lines) {
                let tile = &mut cast_slice_mut::<u32, u16>(tile)[..until.saturating_sub(from)];
                match step {
                    1 => tile.copy_from_slice(&matrix.row(i)[from..until]),
                    _ => tile.iter_mut().zip(from..).for_each(|(x, j)| *x = matrix.number(i, j)),
                }
            }
            (tile, true)
        }
    }
}

/// Numbers of F16 to the one of two parts of each in BF16, whose sum they are; false where one is not finite.
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
