//! Sums in registers: some filters by some vectors of neighbouring windows.
// loops go by indices: closures of iterators would not be compiled for the vectors at hand
#![allow(clippy::needless_range_loop)]

use crate::simd::best;
use pulp::Simd;
use std::ops::Range;

/// How many numbers beyond a span may be read and written.
pub(super) const SLACK: usize = 8 * 16;

/// Filters of a block, for spans of so many windows.
pub(super) fn rows(span: usize, filters: usize) -> usize {
    let lanes = best().lanes();
    let rows = match (lanes, span.div_ceil(lanes)) {
        (16, 1 | 2) | (_, 1) => 12,
        (16, 4 | 7 | 8) => 6,
        (16, _) => 8,
        _ => 6,
    };
    // the last powers of two are blocks of their own
    if filters < rows { 1 << filters.max(1).ilog2().min(2) } else { rows }
}

/// Filters in blocks of so many, then of fewer.
pub(super) fn blocks(filters: usize, rows: usize) -> impl Iterator<Item = Range<usize>> {
    let mut first = 0;
    std::iter::from_fn(move || {
        let left = filters - first;
        let size = [rows, 4, 2, 1].into_iter().find(|size| *size <= left.min(rows))?;
        first += size;
        Some(first - size..first)
    })
}

/// The sums `[rows, span]` of a block of filters, which lie `length` apart.
pub(super) struct Tile<'a> {
    pub(super) lines: &'a [f32],
    /// Where the first window finds what each tap reads.
    pub(super) places: &'a [usize],
    /// Filters `[places, rows]`.
    pub(super) w: &'a [f32],
    pub(super) rows: usize,
    pub(super) span: usize,
    pub(super) sums: &'a mut [f32],
    pub(super) length: usize,
}

impl Tile<'_> {
    #[inline(always)]
    pub(super) fn run<S: Simd>(self, simd: S) {
        let Self { lines, places, w, rows, span, ref sums, length } = self;
        let most = places.iter().copied().max().unwrap_or_default();
        assert!(most + span + SLACK <= lines.len() && span + SLACK <= length);
        assert!(w.len() == rows * places.len() && sums.len() >= rows * length);
        let vectors = span.div_ceil(S::F32_LANES);
        match (S::F32_LANES, rows, vectors) {
            (16, 12, 1) => self.along::<S, 12, 1>(simd),
            (16, 12, _) => self.along::<S, 12, 2>(simd),
            (16, 8, _) => self.along::<S, 8, 3>(simd),
            (16, 6, _) => self.along::<S, 6, 4>(simd),
            (16, 4, _) => self.along::<S, 4, 6>(simd),
            (_, 12, _) => self.along::<S, 12, 1>(simd),
            (_, 6, _) => self.along::<S, 6, 2>(simd),
            (_, 4, _) => self.along::<S, 4, 3>(simd),
            (_, 2, 1..=4) => self.along::<S, 2, 4>(simd),
            (16, 2, _) => self.along::<S, 2, 8>(simd),
            (_, 2, _) => self.along::<S, 2, 4>(simd),
            (_, 1, 1..=4) => self.along::<S, 1, 4>(simd),
            (_, 1, _) => self.along::<S, 1, 8>(simd),
            (_, rows, _) => unreachable!("blocks have no {rows} filters"),
        }
    }

    /// All windows, `V` vectors of them at a time, for `R` filters.
    #[inline(always)]
    fn along<S: Simd, const R: usize, const V: usize>(self, simd: S) {
        let mut at = 0;
        while at < self.span {
            let mut sums = [[simd.splat_f32s(0.0); V]; R];
            // SAFETY: at most `V` vectors, and so no more than SLACK, lie beyond the span; `run` saw that so much of
            // lines and sums lies in their slices, from each place on, and that `w` has `R` numbers for each.
            unsafe {
                let (lines, mut w) = (self.lines.as_ptr().add(at), self.w.as_ptr());
                for &place in self.places {
                    let line = lines.add(place).cast::<S::f32s>();
                    let mut x = [simd.splat_f32s(0.0); V];
                    for j in 0..V {
                        x[j] = line.add(j).read_unaligned();
                    }
                    for i in 0..R {
                        let w = simd.splat_f32s(*w.add(i));
                        for j in 0..V {
                            sums[i][j] = simd.mul_add_e_f32s(w, x[j], sums[i][j]);
                        }
                    }
                    w = w.add(R);
                }
                let y = self.sums.as_mut_ptr().add(at);
                for i in 0..R {
                    for j in 0..V {
                        y.add(i * self.length).cast::<S::f32s>().add(j).write_unaligned(sums[i][j]);
                    }
                }
            }
            at += V * S::F32_LANES;
        }
    }
}
