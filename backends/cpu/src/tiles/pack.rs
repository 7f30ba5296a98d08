//! Blocks of operands laid out as tiles read them, and small squares whose rows become columns.
use super::{LANES, Panel, ROWS, SIDE, mask, panels};
use crate::gemm::{Matrix, blocks};
use std::arch::x86_64::*;

/// Packs `b [k, n]`: panel after panel, rows of whole vectors, filled up with zeros.
///
/// # Safety
/// `y` has room for it.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn pack(b: Matrix<f32>, y: *mut f32) {
    let [k, n] = b.size;
    // SAFETY: the caller's promise.
    let part = |p: usize, panel: Panel| unsafe { pack_part(b, p, panel, y) };
    if b.strides[1] == 1 {
        (0..k).step_by(LANES).for_each(|p| panels(n).for_each(|panel| part(p, panel)));
    } else {
        panels(n).for_each(|panel| (0..k).step_by(LANES).for_each(|p| part(p, panel)));
    }
}

/// Packs a vector of inner numbers of a panel, from number `p`.
///
/// # Safety
/// `y` has room for all of `b`.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn pack_part(b: Matrix<f32>, p: usize, panel: Panel, y: *mut f32) {
    let k = b.size[0];
    let rows = LANES.min(k - p);
    let b = b.part(p, rows);
    let width = panel.vectors() * LANES;
    for j in (0..panel.len).step_by(LANES) {
        let lanes = LANES.min(panel.len - j);
        let x = b.columns(panel.start + j..panel.start + j + lanes);
        let (x, [row, column]) = (x.pointer(), x.strides);
        let y = y.wrapping_add(panel.start * k + p * width + j);
        // SAFETY: only numbers of `b` are read, and all that is written lies in the panel. What is asked for need not be there.
        unsafe {
            if column == 1 {
                for i in 0..rows {
                    let line = _mm512_maskz_loadu_ps(mask(lanes), x.wrapping_offset(i as isize * row));
                    _mm512_storeu_ps(y.add(i * width), line);
                }
            } else {
                let mut square = [_mm512_setzero_ps(); LANES];
                for (j, line) in square.iter_mut().enumerate().take(lanes) {
                    let x = x.wrapping_offset(j as isize * column);
                    _mm_prefetch::<_MM_HINT_T0>(x.wrapping_add(4 * LANES).cast());
                    *line = _mm512_maskz_loadu_ps(mask(rows), x);
                }
                for (i, line) in turned(square).into_iter().enumerate().take(rows) {
                    _mm512_storeu_ps(y.add(i * width), line);
                }
            }
        }
    }
}

/// Packs rows `a [m, k]` that lie side by side, up to [`SIDE`]: column after column of the first eight, then of the others.
///
/// # Safety
/// `y` has room for them.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn pack_rows(a: Matrix<f32>, y: *mut f32) {
    let [m, k] = a.size;
    debug_assert!(a.strides[0] == 1 && m <= SIDE);
    // a few columns at once, so that a page of memory is left when all that is wanted of it was read
    for columns in blocks(k, LANES) {
        for row in (0..m).step_by(LANES) {
            for p in columns.clone() {
                let x = a.pointer().wrapping_offset(p as isize * a.strides[1]).wrapping_add(row);
                let y = y.wrapping_add(row * k + p * ROWS);
                // SAFETY: only numbers of `a` are read, and whole lines are written.
                unsafe {
                    let column = _mm512_maskz_loadu_ps(mask(m - row), x);
                    _mm256_storeu_ps(y, _mm512_castps512_ps256(column));
                    _mm256_storeu_ps(y.add(k * ROWS), upper(column));
                }
            }
        }
    }
}

/// Rows become columns: fours, then the quarters of vectors change places.
#[target_feature(enable = "avx512f")]
#[inline]
fn turned(x: [__m512; LANES]) -> [__m512; LANES] {
    // quarter `q` of `fours[4 i + j]`: column `4 q + j` of rows `4 i` to `4 i + 3`
    let mut fours = x;
    for i in (0..LANES).step_by(4) {
        [fours[i], fours[i + 1], fours[i + 2], fours[i + 3]] =
            turned_four(x[i], x[i + 1], x[i + 2], x[i + 3]);
    }
    let mut y = x;
    for j in 0..4 {
        let even = |a, b| _mm512_shuffle_f32x4::<0b10_00_10_00>(a, b);
        let odd = |a, b| _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b);
        let (a, b, c, d) = (fours[j], fours[4 + j], fours[8 + j], fours[12 + j]);
        let (even_top, even_bottom, odd_top, odd_bottom) = (even(a, b), even(c, d), odd(a, b), odd(c, d));
        y[j] = even(even_top, even_bottom);
        y[8 + j] = odd(even_top, even_bottom);
        y[4 + j] = even(odd_top, odd_bottom);
        y[12 + j] = odd(odd_top, odd_bottom);
    }
    y
}

/// The upper eight numbers.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn upper(x: __m512) -> __m256 {
    _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(x)))
}

/// Eight rows become columns of eight: vector `4 h + i` has columns `8 h + i` and `8 h + i + 4`.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn turned_eight(x: [__m512; ROWS]) -> [__m512; ROWS] {
    let (top, bottom) = (turned_four(x[0], x[1], x[2], x[3]), turned_four(x[4], x[5], x[6], x[7]));
    let low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    let high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    std::array::from_fn(|i| {
        let (top, bottom) = (_mm512_castps_pd(top[i % 4]), _mm512_castps_pd(bottom[i % 4]));
        _mm512_castpd_ps(_mm512_permutex2var_pd(top, if i < 4 { low } else { high }, bottom))
    })
}

/// Four rows become columns of four, pairs first: quarter `q` of the `i`-th is column `4 q + i`.
#[target_feature(enable = "avx512f")]
#[inline]
fn turned_four(a: __m512, b: __m512, c: __m512, d: __m512) -> [__m512; 4] {
    let (ab, ab_high) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    let (cd, cd_high) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
    [
        _mm512_shuffle_ps::<0b01_00_01_00>(ab, cd),
        _mm512_shuffle_ps::<0b11_10_11_10>(ab, cd),
        _mm512_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high),
        _mm512_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high),
    ]
}
