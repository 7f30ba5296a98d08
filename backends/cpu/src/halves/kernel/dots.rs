//! The dot products of pairs in vectors that AVX-512 BF16 has.
// loops go by indices: closures of iterators would not be compiled for the vectors at hand
#![allow(clippy::needless_range_loop)]

use super::{PAIRS, SIDE, Sums, TILE};
use std::arch::x86_64::*;

/// Rows of a block whose sums are in registers at once.
const ROWS: usize = 8;
/// Vectors of columns of a block.
const VECTORS: usize = SIDE / PAIRS;

/// Whether the processor has them.
pub(super) fn is_there() -> bool {
    is_x86_feature_detected!("avx512bf16")
}

/// Adds the product of two panels, each of which is a step of two tiles after another; the panel that comes `next` is
/// brought to the second cache meanwhile.
///
/// # Safety
/// The processor has them, and a panel is as long as the other.
#[target_feature(enable = "avx512f,avx512bf16")]
pub(super) unsafe fn add(a: &[u16], b: &[u16], next: &[u16], sums: &mut Sums) {
    let steps = a.len() / (2 * TILE);
    let mut next = next.chunks(2 * TILE * ROWS / SIDE);
    for first in (0..SIDE).step_by(ROWS) {
        let rows = a[first / PAIRS * TILE + first % PAIRS * 2 * PAIRS..].as_ptr().cast::<i32>();
        let c = sums[first * SIDE..][..ROWS * SIDE].as_mut_ptr();
        let mut totals = [[_mm512_setzero_ps(); VECTORS]; ROWS];
        // SAFETY: a tile of the left panel is sixteen rows of sixteen pairs, and one of the right panel sixteen pairs of
        // sixteen columns; a step has two of each, and there are as many steps in both. A block has SIDE numbers in a row.
        unsafe {
            for r in 0..ROWS {
                for j in 0..VECTORS {
                    totals[r][j] = _mm512_loadu_ps(c.add(r * SIDE + j * PAIRS));
                }
            }
            for step in 0..steps {
                let a = rows.add(step * TILE);
                let b = b.as_ptr().add(step * 2 * TILE);
                for line in next.next().unwrap_or_default().chunks(2 * PAIRS) {
                    _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast());
                }
                for p in 0..PAIRS {
                    let mut columns = [_mm512_setzero_si512(); VECTORS];
                    for j in 0..VECTORS {
                        columns[j] = _mm512_loadu_si512(b.add(j * TILE + p * 2 * PAIRS).cast());
                    }
                    for r in 0..ROWS {
                        let pair = pairs(_mm512_set1_epi32(a.add(r * PAIRS + p).read_unaligned()));
                        for j in 0..VECTORS {
                            totals[r][j] = _mm512_dpbf16_ps(totals[r][j], pair, pairs(columns[j]));
                        }
                    }
                }
            }
            for r in 0..ROWS {
                for j in 0..VECTORS {
                    _mm512_storeu_ps(c.add(r * SIDE + j * PAIRS), totals[r][j]);
                }
            }
        }
    }
}

/// Words as pairs.
#[target_feature(enable = "avx512f,avx512bf16")]
#[inline]
fn pairs(words: __m512i) -> __m512bh {
    // SAFETY: both are sixteen words of any bits.
    unsafe { std::mem::transmute(words) }
}
