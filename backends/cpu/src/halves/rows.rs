//! Dot products of rows that lie in lines, in the vectors of AVX-512: pairs of BF16 where there is an instruction for those,
//! and F16 widened as it is read.
// loops go by indices: closures of iterators would not be compiled for the vectors at hand
#![allow(clippy::needless_range_loop)]

use crate::{
    dots::has_bf16,
    gemm::Matrix,
    simd::{Isa, best},
};
use firesteel_core::DType;
use std::arch::x86_64::*;

/// Rows on either side that are multiplied at once.
const ROWS: usize = 4;
/// How far ahead of its use a row of the right matrix is asked for, in numbers.
const AHEAD: usize = 512;

/// The sums of the first rows on the left with four on the right, of so many numbers each.
type Sums = unsafe fn([*const u16; ROWS], [*const u16; ROWS], usize) -> [[f32; ROWS]; ROWS];

/// Kernels that this processor has, for one row on the left, two, and four.
pub(super) struct Kernels([Sums; 3]);

impl Kernels {
    /// Those for a dtype, if there are any.
    pub(super) fn of(dtype: DType) -> Option<Self> {
        match dtype {
            DType::BF16 if has_bf16() => Some(Self([bf16_sums::<1>, bf16_sums::<2>, bf16_sums::<ROWS>])),
            DType::F16 if matches!(best(), Isa::V4(_)) => {
                Some(Self([f16_sums::<1>, f16_sums::<2>, f16_sums::<ROWS>]))
            }
            _ => None,
        }
    }

    /// `y = x wᵀ`, of matrices of that dtype whose rows lie in lines; `y` is row-major. Each sum is added up in sixteen lanes,
    /// in an order that depends on its length alone.
    pub(super) fn product<T>(&self, x: Matrix<T>, w: Matrix<T>, y: &mut [f32]) {
        let ([m, k], n) = (x.size, w.size[0]);
        assert!(size_of::<T>() == size_of::<u16>() && w.size[1] == k && y.len() == m * n);
        assert!(x.strides[1] == 1 && w.strides[1] == 1);
        let row = |matrix: &Matrix<T>, i: usize| {
            matrix.pointer().cast::<u16>().wrapping_offset(i as isize * matrix.strides[0])
        };
        for column in (0..n).step_by(ROWS) {
            let columns = ROWS.min(n - column);
            // what is beyond the last row is the last row again
            let w = std::array::from_fn(|j| row(&w, column + j.min(columns - 1)));
            for first in (0..m).step_by(ROWS) {
                let rows = ROWS.min(m - first);
                let x = std::array::from_fn(|i| row(&x, first + i.min(rows - 1)));
                // SAFETY: the processor was seen to have what it needs, and all of these rows have `k` numbers.
                let sums = unsafe { self.0[(rows - 1).min(2)](x, w, k) };
                for (i, sums) in sums.iter().enumerate().take(rows) {
                    y[(first + i) * n + column..][..columns].copy_from_slice(&sums[..columns]);
                }
            }
        }
    }
}

/// Declares the sums of a dtype: `$step` numbers are loaded at once, those that a mask names, and multiplied.
macro_rules! sums {
    ($name:ident, $features:literal, $step:literal numbers, $load:ident, $add:ident) => {
        /// The products of the first `R` rows on the left and all on the right.
        ///
        /// # Safety
        /// The processor has what is asked for, and all rows have `k` numbers.
        #[target_feature(enable = $features)]
        unsafe fn $name<const R: usize>(
            x: [*const u16; ROWS],
            w: [*const u16; ROWS],
            k: usize,
        ) -> [[f32; ROWS]; ROWS] {
            let mut totals = [[_mm512_setzero_ps(); ROWS]; R];
            let mut add = |at: usize, mask: u32| {
                // SAFETY: the mask names numbers that are there; what is asked for ahead need not be.
                unsafe {
                    let mut columns = [$load(w[0].wrapping_add(at), mask); ROWS];
                    _mm_prefetch::<_MM_HINT_T0>(w[0].wrapping_add(at + AHEAD).cast());
                    for j in 1..ROWS {
                        columns[j] = $load(w[j].wrapping_add(at), mask);
                        _mm_prefetch::<_MM_HINT_T0>(w[j].wrapping_add(at + AHEAD).cast());
                    }
                    for i in 0..R {
                        let row = $load(x[i].wrapping_add(at), mask);
                        for j in 0..ROWS {
                            totals[i][j] = $add(totals[i][j], row, columns[j]);
                        }
                    }
                }
            };
            for at in (0..k / $step * $step).step_by($step) {
                add(at, !0);
            }
            if !k.is_multiple_of($step) {
                add(k / $step * $step, (1 << (k % $step)) - 1);
            }
            let mut sums = [[0.0; ROWS]; ROWS];
            for i in 0..R {
                for j in 0..ROWS {
                    sums[i][j] = _mm512_reduce_add_ps(totals[i][j]);
                }
            }
            sums
        }
    };
}

sums!(bf16_sums, "avx512f,avx512bw,avx512bf16", 32 numbers, load_pairs, add_pairs);
sums!(f16_sums, "avx512f,avx512bw,avx512vl", 16 numbers, load_wide, add_wide);

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
#[inline]
unsafe fn load_pairs(x: *const u16, mask: u32) -> __m512bh {
    // SAFETY: the caller's promise; both are thirty-two words of any bits.
    unsafe { std::mem::transmute(_mm512_maskz_loadu_epi16(mask, x.cast())) }
}

#[target_feature(enable = "avx512f,avx512bf16")]
#[inline]
fn add_pairs(sum: __m512, x: __m512bh, w: __m512bh) -> __m512 {
    _mm512_dpbf16_ps(sum, x, w)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
#[inline]
unsafe fn load_wide(x: *const u16, mask: u32) -> __m512 {
    // SAFETY: the caller's promise.
    unsafe { _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask as __mmask16, x.cast())) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn add_wide(sum: __m512, x: __m512, w: __m512) -> __m512 {
    _mm512_fmadd_ps(x, w, sum)
}
