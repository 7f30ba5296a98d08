//! Dot products of bytes in vectors of AVX2, which multiplies pairs of 16 bits: so bytes are widened as they are read, which
//! no sum of two products can leave.
// loops go by indices: closures of iterators would not be compiled for the vectors at hand
#![allow(clippy::needless_range_loop)]

use super::{GROUPS, Lines, SIDE, Sums, TILE};
use std::arch::x86_64::*;

/// Rows of a block whose sums are in registers at once.
const ROWS: usize = 4;
/// Vectors of columns, and columns in each.
const VECTORS: usize = 2;
const COLUMNS: usize = 4;

/// Adds the product of rows and a panel, which is a step of two tiles after another.
///
/// # Safety
/// The processor has AVX2, and there are no more than SIDE rows, of as many steps as the panel's.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn add(a: Lines, b: &[u32], sums: &mut Sums) {
    for row in (0..a.rows).step_by(ROWS) {
        // where there are no more rows, the last one is read again
        let rows: [_; ROWS] = std::array::from_fn(|r| a.at((row + r).min(a.rows - 1), 0));
        for column in (0..SIDE).step_by(VECTORS * COLUMNS) {
            let columns = b[column / GROUPS * TILE + column % GROUPS..].as_ptr();
            let c = sums[row * SIDE + column..].as_mut_ptr();
            // two sums of each column: of the first two of four bytes, and of the others
            let mut totals = [[_mm256_setzero_si256(); VECTORS]; ROWS];
            // SAFETY: a step of a row is sixteen groups, and one of the panel two tiles of sixteen groups of sixteen columns.
            // A block has SIDE numbers in each of SIDE rows, which is a multiple of ROWS.
            unsafe {
                for step in 0..a.steps {
                    for p in 0..GROUPS {
                        let at = step * a.strides[1] + p * size_of::<u32>();
                        let b = columns.add(step * 2 * TILE + p * GROUPS);
                        let mut wide = [_mm256_setzero_si256(); VECTORS];
                        for j in 0..VECTORS {
                            wide[j] = _mm256_cvtepi8_epi16(_mm_loadu_si128(b.add(j * COLUMNS).cast()));
                        }
                        for r in 0..ROWS {
                            let group = _mm_set1_epi32(rows[r].add(at).cast::<i32>().read_unaligned());
                            let group = _mm256_cvtepi8_epi16(group);
                            for j in 0..VECTORS {
                                totals[r][j] =
                                    _mm256_add_epi32(totals[r][j], _mm256_madd_epi16(group, wide[j]));
                            }
                        }
                    }
                }
                for r in 0..ROWS {
                    // within halves of vectors, which are then put in order
                    let both = _mm256_hadd_epi32(totals[r][0], totals[r][1]);
                    let both = _mm256_permute4x64_epi64::<0b11_01_10_00>(both);
                    let c = c.add(r * SIDE).cast::<__m256i>();
                    _mm256_storeu_si256(c, _mm256_add_epi32(_mm256_loadu_si256(c), both));
                }
            }
        }
    }
}
