//! The rows of the left side as kernels read them: packed, or where they lie.
use super::{
    kernel::{Kernel, SIDE, TILE},
    pack::{Change, Packed, Side},
};
use crate::{gemm::Matrix, value::Native};
use bytemuck::cast_slice;
use firesteel_core::{DType, Result};
use std::ops::Range;

/// Bytes of a row that are a step: a line of a cache.
pub(super) const LINE: usize = 64;

/// Some steps of some rows, all of which lie in its memory.
#[derive(Clone, Copy)]
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
pub(super) struct Lines<'a> {
    pub(super) memory: &'a [u8],
    pub(super) rows: usize,
    pub(super) steps: usize,
    /// How far rows lie apart, and steps of one, in bytes.
    pub(super) strides: [usize; 2],
}

impl<'a> Lines<'a> {
    pub(super) const NONE: Self = Self { memory: &[], rows: 0, steps: 0, strides: [0; 2] };

    fn new(memory: &'a [u8], rows: usize, steps: usize, strides: [usize; 2]) -> Self {
        if rows == 0 || steps == 0 {
            return Self::NONE;
        }
        assert!((rows - 1) * strides[0] + (steps - 1) * strides[1] + LINE <= memory.len());
        Self { memory, rows, steps, strides }
    }

    /// The first rows of a panel.
    pub(super) fn packed(panel: &'a [u32], rows: usize) -> Self {
        let step = size_of::<u32>() * 2 * TILE;
        assert!(rows <= SIDE && panel.len().is_multiple_of(2 * TILE));
        Self::new(cast_slice(panel), rows, panel.len() / (2 * TILE), [LINE, step])
    }

    /// Where a step of a row lies, if there is one.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn at(&self, row: usize, step: usize) -> *const u8 {
        self.memory.as_ptr().wrapping_add(row * self.strides[0] + step * self.strides[1])
    }
}

/// The matrices on the left.
pub(super) enum Left<'a, N> {
    Packed(Packed),
    Lying(Vec<Matrix<'a, N>>),
}

impl<'a, N: Native> Left<'a, N> {
    /// Matrices whose rows are whole steps stay where they lie, where the kernel can read them there; nothing where a number
    /// of F16 is not finite.
    pub(super) fn new<const G: usize>(
        kernel: Kernel,
        dtype: DType,
        matrices: Vec<Matrix<'a, N>>,
    ) -> Result<Option<Self>> {
        let change = kernel.change(dtype, Side::Left);
        let is_whole = |matrix: &Matrix<N>| {
            matrix.strides[1] == 1
                && matrix.strides[0] >= 0
                && (matrix.size[1] * size_of::<N>()).is_multiple_of(LINE)
        };
        if kernel.reads_lines() && change == Change::Nothing && matrices.iter().all(is_whole) {
            return Ok(Some(Self::Lying(matrices)));
        }
        Ok(Packed::new::<N, G>(&matrices, Side::Left, change)?.map(Self::Packed))
    }

    /// Into how many numbers each number is cut.
    pub(super) fn parts(&self) -> usize {
        match self {
            Self::Packed(packed) => packed.parts,
            Self::Lying(_) => 1,
        }
    }

    /// Some steps of the rows of a panel of a part of a matrix.
    pub(super) fn lines(
        &self,
        matrix: usize,
        part: usize,
        panel: usize,
        rows: usize,
        steps: Range<usize>,
    ) -> Lines<'_> {
        match self {
            Self::Packed(packed) => Lines::packed(packed.panel(matrix, part, panel, steps), rows),
            Self::Lying(matrices) => {
                let numbers = LINE / size_of::<N>();
                let lines = matrices[matrix].part(panel * SIDE, rows);
                let lines = lines.columns(steps.start * numbers..steps.end * numbers);
                let stride = lines.strides[0] as usize * size_of::<N>();
                Lines::new(cast_slice(lines.lines()), rows, steps.len(), [stride, LINE])
            }
        }
    }
}
