//! Matrices as kernels read them: numbers in groups of 32 bits, in tiles.
use super::kernel::{GROUPS, SIDE, TILE};
use crate::{
    elementwise::Stored,
    gemm::Matrix,
    parallel,
    simd::dispatch_v3,
    stream::fetch,
    turn::turn,
    value::{Native, Output},
};
use bytemuck::{cast_slice, cast_slice_mut};
use firesteel_core::Result;
use half::f16;
use std::{
    ops::Range,
    sync::atomic::{AtomicBool, Ordering},
};

/// Sixteen rows or columns by sixteen groups of what they are made of, or the other way round.
type Tile = [[u32; GROUPS]; GROUPS];

/// Which side of a product a matrix is on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Its rows are multiplied: a tile is a row after another.
    Left,
    /// Its columns are: a tile is a group of every column after another.
    Right,
}

/// What numbers are made to be as they are packed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// What they are.
    Nothing,
    /// Numbers of F16, of which each becomes two of BF16.
    Cut,
    /// Bytes with a sign, which become 128 more without.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    Raise,
}

/// Matrices in panels of [`SIDE`] rows or columns, which are filled up with zeros. A panel lies step by step, and a step
/// is two tiles.
pub(super) struct Packed {
    memory: Output<u32>,
    /// Into how many numbers each number is cut.
    pub(super) parts: usize,
    panels: usize,
    pub(super) steps: usize,
}

impl Packed {
    /// Packs matrices of one size, each `[rows or columns, numbers of one]`; nothing where a number of F16 is not
    /// finite, and so not a sum of two.
    pub(super) fn new<N: Native, const G: usize>(
        matrices: &[Matrix<N>],
        side: Side,
        change: Change,
    ) -> Result<Option<Self>> {
        let [lines, k] = matrices.first().map_or([0, 0], |matrix| matrix.size);
        let parts = if change == Change::Cut { 2 } else { 1 };
        let (panels, steps) = (lines.div_ceil(SIDE), k.div_ceil(G * GROUPS));
        let panel = steps * 2 * TILE;
        let mut memory = Output::<u32>::new(matrices.len() * parts * panels * panel)?;
        let is_finite = AtomicBool::new(true);
        parallel::pieces(memory.slice(), panel, parallel::GRAIN / 2, |first, y| {
            // side by side where numbers of a row or column lie apart: what is a line of memory is read at once
            let is_across = matrices[0].strides[1] != 1;
            let count = y.len() / panel;
            dispatch_v3!(|L| for at in 0..count * steps {
                let (i, step) = if is_across { (at % count, at / count) } else { (at / steps, at % steps) };
                let (matrix, part) = ((first + i) / (parts * panels), (first + i) / panels % parts);
                let tiles: &mut [Tile] = cast_slice_mut(&mut y[(i * steps + step) * 2 * TILE..][..2 * TILE]);
                for (tile, y) in tiles.iter_mut().enumerate() {
                    let place = [(first + i) % panels * SIDE + tile * GROUPS, step * G * GROUPS];
                    let is_left = read::<N, G>(&matrices[matrix], place, y);
                    match change {
                        Change::Nothing => {}
                        Change::Cut => {
                            if !cut(y, part) {
                                is_finite.store(false, Ordering::Relaxed);
                            }
                        }
                        Change::Raise => y.as_flattened_mut().iter_mut().for_each(|x| *x ^= 0x8080_8080),
                    }
                    if is_left != (side == Side::Left) {
                        turn(y.clone().as_flattened(), GROUPS, [GROUPS; 2], y.as_flattened_mut(), GROUPS);
                    }
                }
            });
        });
        Ok(is_finite.into_inner().then_some(Self { memory, parts, panels, steps }))
    }

    /// Some steps of a panel of a part of a matrix.
    pub(super) fn panel(&self, matrix: usize, part: usize, panel: usize, steps: Range<usize>) -> &[u32] {
        let start = ((matrix * self.parts + part) * self.panels + panel) * self.steps;
        &self.memory.read()[(start + steps.start) * 2 * TILE..(start + steps.end) * 2 * TILE]
    }
}

/// Writes the numbers of a matrix from a place on, and zeros where it ends; says whether they lie as on the left. What is
/// whole has a length that is known, and so vector code.
#[inline(always)]
fn read<N: Native, const G: usize>(matrix: &Matrix<N>, [line, from]: [usize; 2], tile: &mut Tile) -> bool {
    *tile = [[0; GROUPS]; GROUPS];
    let [lines, k] = matrix.size;
    let (lines, until) = (lines.min(line + GROUPS), k.min(from + G * GROUPS));
    let line = line.min(lines);
    match matrix.strides {
        [1, step] if step != 1 => {
            let columns = matrix.t();
            let column = |p: usize| if p < until { &columns.row(p)[line..lines] } else { &[] };
            for (groups, p) in tile.iter_mut().zip((from..until).step_by(G)) {
                let (groups, _) = cast_slice_mut(groups).as_chunks_mut();
                let mut numbers: [&[N]; G] = [&[]; G];
                for (r, numbers) in numbers.iter_mut().enumerate() {
                    *numbers = column(p + r);
                    fetch(numbers.as_ptr().wrapping_offset(step * (G * GROUPS) as isize));
                }
                zip(numbers, groups);
            }
            false
        }
        [_, step] => {
            for (tile, i) in tile.iter_mut().zip(line..lines) {
                let tile: &mut [N] = cast_slice_mut(tile);
                let row = if step == 1 { &matrix.row(i)[from..until] } else { &[] };
                fetch(row.as_ptr().wrapping_add(4 * G * GROUPS));
                if row.len() == G * GROUPS {
                    tile.copy_from_slice(row);
                } else {
                    tile.iter_mut().zip(from..until).for_each(|(x, j)| *x = matrix.number(i, j));
                }
            }
            true
        }
    }
}

/// Writes the first numbers of each row side by side, and so on.
#[inline(always)]
fn zip<N: Native, const G: usize>(rows: [&[N]; G], y: &mut [[N; G]]) {
    if y.len() >= GROUPS && rows.iter().all(|row| row.len() >= GROUPS) {
        let (y, rows) = (&mut y[..GROUPS], rows.map(|row| &row[..GROUPS]));
        for i in 0..GROUPS {
            for r in 0..G {
                y[i][r] = rows[r][i];
            }
        }
        return;
    }
    for r in 0..G {
        y.iter_mut().zip(rows[r]).for_each(|(y, x)| y[r] = *x);
    }
}

/// Numbers of F16 to the one of two parts of each in BF16, whose sum they are; false where one is not finite.
#[inline(always)]
fn cut(tile: &mut Tile, part: usize) -> bool {
    let tile: &mut [u16] = cast_slice_mut(tile.as_flattened_mut());
    let mut wide = [0f32; 2 * TILE];
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
