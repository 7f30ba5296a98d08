//! The dot products in vectors that AVX-512 has: of pairs of BF16, and of fours of bytes.
// loops go by indices: closures of iterators would not be compiled for the vectors at hand
#![allow(clippy::needless_range_loop)]

use super::{GROUPS, SIDE, Sums, TILE};
use std::arch::x86_64::*;

/// Rows of a block whose sums are in registers at once.
const ROWS: usize = 8;
/// Vectors of columns of a block.
const VECTORS: usize = SIDE / GROUPS;

/// What is multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// BF16, by AVX-512 BF16.
    Halves,
    /// Bytes, by AVX-512 VNNI: those of the left have no sign.
    Bytes,
}

/// Whether the processor has them.
pub(super) fn is_there(numbers: Numbers) -> bool {
    match numbers {
        Numbers::Halves => is_x86_feature_detected!("avx512bf16"),
        Numbers::Bytes => is_x86_feature_detected!("avx512vnni"),
    }
}

/// Writes out a kernel for each kind of numbers.
macro_rules! kernels {
    ($($(#[$doc:meta])* $name:ident: $features:literal, $dot:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// Each panel is a step of two tiles after another; the panel that comes `next` is brought to the second cache
        /// meanwhile.
        ///
        /// # Safety
        /// The processor has the instructions, and a panel is as long as the other.
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $name(a: &[u32], b: &[u32], next: &[u32], sums: &mut Sums) {
            let steps = a.len() / (2 * TILE);
            let mut next = next.chunks(2 * TILE * ROWS / SIDE);
            for first in (0..SIDE).step_by(ROWS) {
                let rows = a[first / GROUPS * TILE + first % GROUPS * GROUPS..].as_ptr().cast::<i32>();
                let c = sums[first * SIDE..][..ROWS * SIDE].as_mut_ptr();
                let mut totals = [[_mm512_setzero_si512(); VECTORS]; ROWS];
                // SAFETY: a tile of the left panel is sixteen rows of sixteen groups, and one of the right panel sixteen
                // groups of sixteen columns; a step has two of each, and there are as many steps in both. A block has
                // SIDE numbers in a row.
                unsafe {
                    for r in 0..ROWS {
                        for j in 0..VECTORS {
                            totals[r][j] = _mm512_loadu_si512(c.add(r * SIDE + j * GROUPS).cast());
                        }
                    }
                    for step in 0..steps {
                        let a = rows.add(step * 2 * TILE);
                        let b = b.as_ptr().add(step * 2 * TILE);
                        for line in next.next().unwrap_or_default().chunks(GROUPS) {
                            _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast());
                        }
                        for p in 0..GROUPS {
                            let mut columns = [_mm512_setzero_si512(); VECTORS];
                            for j in 0..VECTORS {
                                columns[j] = _mm512_loadu_si512(b.add(j * TILE + p * GROUPS).cast());
                            }
                            for r in 0..ROWS {
                                let group = _mm512_set1_epi32(a.add(r * GROUPS + p).read_unaligned());
                                for j in 0..VECTORS {
                                    totals[r][j] = $dot(totals[r][j], group, columns[j]);
                                }
                            }
                        }
                    }
                    for r in 0..ROWS {
                        for j in 0..VECTORS {
                            _mm512_storeu_si512(c.add(r * SIDE + j * GROUPS).cast(), totals[r][j]);
                        }
                    }
                }
            }
        }
    )*};
}

kernels! {
    /// Adds the product of two panels of BF16 in F32.
    halves: "avx512f,avx512bf16", dot_of_halves;
    /// Adds the product of a panel of bytes without signs and one of bytes with signs in I32.
    bytes: "avx512f,avx512vnni", _mm512_dpbusd_epi32;
}

/// Words as numbers.
#[target_feature(enable = "avx512f,avx512bf16")]
#[inline]
fn dot_of_halves(sums: __m512i, a: __m512i, b: __m512i) -> __m512i {
    // SAFETY: all are sixteen words of any bits.
    let pairs = |words: __m512i| -> __m512bh { unsafe { std::mem::transmute(words) } };
    _mm512_castps_si512(_mm512_dpbf16_ps(_mm512_castsi512_ps(sums), pairs(a), pairs(b)))
}

/// What has to be added to the products of bytes of a panel since those of the left were raised by 128: as much of the sums
/// of columns, taken away.
///
/// # Safety
/// The processor has the instructions.
#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) unsafe fn raised(b: &[u32]) -> [u32; SIDE] {
    let raise = _mm512_set1_epi8(i8::MIN);
    let mut more = [[_mm512_setzero_si512(); VECTORS]; 2];
    for step in b.chunks_exact(2 * TILE) {
        for p in 0..GROUPS {
            for j in 0..VECTORS {
                let groups = step[j * TILE + p * GROUPS..][..GROUPS].as_ptr();
                // SAFETY: there are sixteen.
                let groups = unsafe { _mm512_loadu_si512(groups.cast()) };
                more[p % 2][j] = _mm512_dpbusd_epi32(more[p % 2][j], raise, groups);
            }
        }
    }
    let mut first = [0; SIDE];
    for j in 0..VECTORS {
        let taken = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_add_epi32(more[0][j], more[1][j]));
        let first = first[j * GROUPS..][..GROUPS].as_mut_ptr();
        // SAFETY: there are sixteen.
        unsafe { _mm512_storeu_si512(first.cast(), taken) }
    }
    first
}
