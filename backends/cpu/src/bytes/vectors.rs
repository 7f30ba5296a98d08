//! Products of a matrix and a vector of bytes, by AVX-512 VNNI where the processor has it: the matrix's bytes are raised by 128,
//! and so lose their signs; the sum of the vector says how much the sums are raised by.
// loops go by indices: closures of iterators would not be compiled for the vectors at hand
#![allow(clippy::needless_range_loop)]

#[cfg(target_arch = "x86_64")]
use crate::gemm::Matrix;
use crate::{gemv::Summed, simd::Level};

impl Summed for i8 {
    type Sum = i32;

    #[inline(always)]
    fn plus_product<L: Level>(sum: i32, a: i8, b: i8) -> i32 {
        sum.wrapping_add(i32::from(a) * i32::from(b))
    }

    #[inline(always)]
    fn plus(a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    #[cfg(target_arch = "x86_64")]
    fn dots<L: Level, const R: usize>(rows: [&[i8]; R], x: &[i8]) -> [i32; R] {
        if crate::dots::has_vnni() {
            // SAFETY: the processor has what is wanted.
            return unsafe { vnni::dots(rows, x) };
        }
        crate::gemv::dots_in_lanes::<L, i8, R>(rows, x)
    }

    #[cfg(target_arch = "x86_64")]
    fn combine<L: Level>(b: Matrix<i8>, x: &[i8], y: &mut [i32]) {
        if crate::dots::has_vnni() {
            // SAFETY: the processor has what is wanted.
            return unsafe { vnni::combine(b, x, y) };
        }
        crate::gemv::combine_in_fours::<L, i8>(b, x, y);
    }
}

#[cfg(target_arch = "x86_64")]
mod vnni {
    use crate::{gemm::Matrix, gemv::WIDTH};
    use std::arch::x86_64::*;

    /// Bytes in a vector.
    const LANES: usize = 64;
    /// Rows whose bytes are brought together, so that four of a column are neighbours, and how often at a time.
    const FOUR: usize = 4;
    const FOURS: usize = 2;
    /// How far ahead rows are fetched, in bytes.
    const AHEAD: usize = 8 * LANES;

    /// Which lanes are among the first `len`.
    #[inline]
    fn first(len: usize) -> u64 {
        if len < LANES { (1 << len) - 1 } else { u64::MAX }
    }

    /// `Σ aᵢ xᵢ` of each row.
    ///
    /// # Safety
    /// The processor has AVX-512 VNNI.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) unsafe fn dots<const R: usize>(rows: [&[i8]; R], x: &[i8]) -> [i32; R] {
        assert!(rows.iter().all(|row| row.len() == x.len()));
        let raise = _mm512_set1_epi8(i8::MIN);
        let mut sums = [_mm512_setzero_si512(); R];
        let mut raised = _mm512_setzero_si512();
        for at in (0..x.len()).step_by(LANES) {
            let mask = first(x.len() - at);
            // SAFETY: what is masked is not read, and the rest is there. What is asked for need not be there.
            unsafe {
                let x = _mm512_maskz_loadu_epi8(mask, x.as_ptr().add(at));
                raised = _mm512_dpbusd_epi32(raised, raise, x);
                for r in 0..R {
                    let row = rows[r].as_ptr().add(at);
                    _mm_prefetch::<_MM_HINT_T0>(row.wrapping_add(AHEAD));
                    let row = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, row), raise);
                    sums[r] = _mm512_dpbusd_epi32(sums[r], row, x);
                }
            }
        }
        let mut y = [0; R];
        for r in 0..R {
            y[r] = _mm512_reduce_add_epi32(_mm512_sub_epi32(sums[r], raised));
        }
        y
    }

    /// `yⱼ += Σ xₚ bₚⱼ`, of rows in one piece.
    ///
    /// # Safety
    /// The processor has AVX-512 VNNI.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) unsafe fn combine(b: Matrix<i8>, x: &[i8], y: &mut [i32]) {
        let n = y.len();
        assert!(n <= WIDTH && b.size == [x.len(), n] && !x.is_empty());
        let raise = _mm512_set1_epi8(i8::MIN);
        // of sixteen columns each, in the order in which they are brought together
        let mut sums = [[_mm512_setzero_si512(); FOUR]; WIDTH / LANES];
        let mut raised = 0i32;
        for (p, x) in x.chunks(FOURS * FOUR).enumerate() {
            let mut factors = [[0i8; FOUR]; FOURS];
            factors.as_flattened_mut()[..x.len()].copy_from_slice(x);
            let mut groups = [_mm512_setzero_si512(); FOURS];
            let mut rows = [[std::ptr::null::<i8>(); FOUR]; FOURS];
            for g in 0..FOURS {
                groups[g] = _mm512_set1_epi32(i32::from_ne_bytes(factors[g].map(|x| x as u8)));
                for r in 0..FOUR {
                    // where there are no more rows, any does
                    let row = (p * FOURS * FOUR + g * FOUR + r).min(b.size[0] - 1);
                    rows[g][r] = b.row(row).as_ptr();
                }
            }
            for x in x {
                raised = raised.wrapping_add(i32::from(*x));
            }
            let step = b.strides[0] * (FOURS * FOUR) as isize;
            for (c, sums) in sums[..n.div_ceil(LANES)].iter_mut().enumerate() {
                let mask = first(n - c * LANES);
                for g in 0..FOURS {
                    let mut row = [_mm512_setzero_si512(); FOUR];
                    for r in 0..FOUR {
                        // SAFETY: what is masked is not read, and the rest is there. What is asked for need not be there.
                        unsafe {
                            let from = rows[g][r].add(c * LANES);
                            _mm_prefetch::<_MM_HINT_T0>(from.wrapping_offset(step));
                            row[r] = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, from), raise);
                        }
                    }
                    let [a, b, c, d] = row;
                    let (low, high) = (_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b));
                    let (low2, high2) = (_mm512_unpacklo_epi8(c, d), _mm512_unpackhi_epi8(c, d));
                    let columns = [
                        _mm512_unpacklo_epi16(low, low2),
                        _mm512_unpackhi_epi16(low, low2),
                        _mm512_unpacklo_epi16(high, high2),
                        _mm512_unpackhi_epi16(high, high2),
                    ];
                    for q in 0..FOUR {
                        sums[q] = _mm512_dpbusd_epi32(sums[q], columns[q], groups[g]);
                    }
                }
            }
        }
        let raised = raised.wrapping_mul(128);
        for (y, sums) in y.chunks_mut(LANES).zip(sums) {
            // SAFETY: all are words of any bits.
            let sums: [[i32; LANES / FOUR]; FOUR] = unsafe { std::mem::transmute(sums) };
            for (j, y) in y.iter_mut().enumerate() {
                // a quarter of a vector has four neighbours of every sixteen columns
                let sum = sums[j % 16 / FOUR][j / 16 * FOUR + j % FOUR];
                *y = y.wrapping_add(sum.wrapping_sub(raised));
            }
        }
    }
}
