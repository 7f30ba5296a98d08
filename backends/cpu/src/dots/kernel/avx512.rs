//! The dot products in vectors that AVX-512 has: of pairs of BF16, and of fours of bytes.
// loops go by indices: closures of iterators would not be compiled for the vectors at hand
#![allow(clippy::needless_range_loop)]

use super::{GROUPS, Lines, SIDE, Sums, TILE};
use crate::gemm::{MatrixMut, blocks};
use std::{arch::x86_64::*, ops::Range};

/// Rows of a block whose sums are in registers at once.
const ROWS: usize = 8;
/// Vectors of columns of a block.
const VECTORS: usize = SIDE / GROUPS;

/// What is multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// BF16, by AVX-512 BF16.
    Halves,
    /// Bytes, by AVX-512 VNNI: those of the right have no sign.
    Bytes,
}

/// Whether the processor has them.
pub(super) fn is_there(numbers: Numbers) -> bool {
    match numbers {
        Numbers::Halves => is_x86_feature_detected!("avx512bf16"),
        Numbers::Bytes => is_x86_feature_detected!("avx512vnni"),
    }
}

/// A block of results: what it is the product of, and where its sums come from and go to.
struct Task<'a> {
    a: Lines<'a>,
    b: &'a [u32],
    next: Lines<'a>,
    first: Option<&'a [u32; SIDE]>,
    sums: *mut u32,
    to: *mut u32,
    stride: usize,
}

/// As [`Ready::add`](super::Ready::add).
///
/// # Safety
/// The processor has the instructions, `a` has no more than SIDE rows of as many steps as the panel `b`, and `to` as many of
/// SIDE numbers.
pub(super) unsafe fn add(
    numbers: Numbers,
    a: Lines,
    b: &[u32],
    next: Lines,
    first: Option<&[u32; SIDE]>,
    sums: &mut Sums,
    to: Option<MatrixMut<u32>>,
) {
    let sums = sums.as_mut_ptr();
    let (to, stride) = to.map_or((sums, SIDE), |mut to| (to.pointer(0, 0), to.stride()));
    let task = Task { a, b, next, first, sums, to, stride };
    let kernels = match numbers {
        Numbers::Halves => &HALVES,
        Numbers::Bytes => &BYTES,
    };
    let groups = a.rows.div_ceil(ROWS);
    let height = a.rows.div_ceil(groups.max(1)).max(1);
    let mut fetched = blocks(next.rows, next.rows.div_ceil(groups.max(1)).max(1));
    for rows in blocks(a.rows, height) {
        // SAFETY: the caller's promise; there are one to ROWS rows.
        unsafe { kernels[rows.len() - 1](&task, rows.start, fetched.next().unwrap_or_default()) }
    }
}

/// Adds the products of rows from one on, and has lines of what is next brought to the second cache meanwhile.
type Group = unsafe fn(&Task, usize, Range<usize>);

/// Writes out kernels for each kind of numbers, for one to ROWS rows.
macro_rules! kernels {
    ($($(#[$doc:meta])* $kernels:ident, $name:ident: $features:literal, $dot:expr;)*) => {$(
        $(#[$doc])*
        const $kernels: [Group; ROWS] =
            [$name::<1>, $name::<2>, $name::<3>, $name::<4>, $name::<5>, $name::<6>, $name::<7>, $name::<8>];

        /// # Safety
        /// The processor has the instructions, and the task is as [`add`] promises; there are `R` rows from `row` on.
        #[target_feature(enable = $features)]
        unsafe fn $name<const R: usize>(task: &Task, row: usize, fetched: Range<usize>) {
            let Task { a, b, next, first, sums, to, stride } = *task;
            let mut totals = [[_mm512_setzero_si512(); VECTORS]; R];
            // SAFETY: a step of a row is sixteen groups, and one of the panel two tiles of sixteen groups of sixteen columns.
            // A block has SIDE numbers in a row. What is fetched need not be there.
            unsafe {
                for r in 0..R {
                    for j in 0..VECTORS {
                        totals[r][j] = match first {
                            Some(first) => _mm512_set1_epi32(first[row + r] as i32),
                            None => _mm512_loadu_si512(sums.add((row + r) * SIDE + j * GROUPS).cast()),
                        };
                    }
                }
                for step in 0..a.steps {
                    let line = a.at(row, step);
                    let b = b.as_ptr().add(step * 2 * TILE);
                    for row in fetched.clone() {
                        _mm_prefetch::<_MM_HINT_T1>(next.at(row, step).cast());
                    }
                    for p in 0..GROUPS {
                        let mut columns = [_mm512_setzero_si512(); VECTORS];
                        for j in 0..VECTORS {
                            columns[j] = _mm512_loadu_si512(b.add(j * TILE + p * GROUPS).cast());
                        }
                        for r in 0..R {
                            let group = line.add(r * a.strides[0]).cast::<i32>().add(p).read_unaligned();
                            for j in 0..VECTORS {
                                totals[r][j] = $dot(totals[r][j], columns[j], _mm512_set1_epi32(group));
                            }
                        }
                    }
                }
                for r in 0..R {
                    for j in 0..VECTORS {
                        _mm512_storeu_si512(to.add((row + r) * stride + j * GROUPS).cast(), totals[r][j]);
                    }
                }
            }
        }
    )*};
}

kernels! {
    /// Products of BF16 in F32.
    HALVES, halves: "avx512f,avx512bf16", dot_of_halves;
    /// Products of bytes with signs and a panel of bytes without in I32.
    BYTES, bytes: "avx512f,avx512vnni", _mm512_dpbusd_epi32;
}

/// Words as numbers.
#[target_feature(enable = "avx512f,avx512bf16")]
#[inline]
fn dot_of_halves(sums: __m512i, a: __m512i, b: __m512i) -> __m512i {
    // SAFETY: all are sixteen words of any bits.
    let pairs = |words: __m512i| -> __m512bh { unsafe { std::mem::transmute(words) } };
    _mm512_castps_si512(_mm512_dpbf16_ps(_mm512_castsi512_ps(sums), pairs(a), pairs(b)))
}

/// What has to be added to the products of bytes of rows since those of the panel were raised by 128: as much of the sums of
/// the rows, taken away.
///
/// # Safety
/// The processor has the instructions.
#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) unsafe fn raised(a: Lines) -> [u32; SIDE] {
    let raise = _mm512_set1_epi8(i8::MIN);
    let mut first = [0; SIDE];
    for (row, first) in first.iter_mut().enumerate().take(a.rows) {
        let mut sum = _mm512_setzero_si512();
        for step in 0..a.steps {
            // SAFETY: a step is a vector.
            let line = unsafe { _mm512_loadu_si512(a.at(row, step).cast()) };
            sum = _mm512_dpbusd_epi32(sum, raise, line);
        }
        *first = (_mm512_reduce_add_epi32(sum) as u32).wrapping_neg();
    }
    first
}
