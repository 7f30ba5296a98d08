//! Sums in registers: some neighbouring windows by some vectors of filters.
//!
//! Windows end with their row, whatever its length is, and rows of a window that lie outside the image are left out.
// loops go by indices: closures of iterators would not be compiled for the vectors at hand
#![allow(clippy::needless_range_loop)]

use super::{Axis, LANES, Lines, axis::Tap};
use crate::{gemm::blocks, simd::best, stream::fetch};
use pulp::Simd;
use std::ops::Range;

/// How many numbers of filters stay in the first cache while all windows pass by, about.
const HELD: usize = 4 * 1024;

/// Filters of a block: as many as registers have room for, and at most so many that there are `many` blocks.
pub(super) fn rows(filters: usize, many: usize) -> usize {
    let most = if best().lanes() == LANES { 3 } else { 1 };
    let vectors = filters.div_ceil(LANES);
    LANES * vectors.div_ceil(vectors.div_ceil(most).max(many))
}

/// The sums `[windows, width]` of a block of filters.
pub(super) struct Panel<'a> {
    pub(super) held: &'a [f32],
    pub(super) lines: &'a Lines,
    pub(super) axes: &'a [Axis; 2],
    /// Where the first window finds what each tap reads, for all channels.
    pub(super) places: &'a [usize],
    /// Filters `[channels, taps, width]`.
    pub(super) w: &'a [f32],
    pub(super) width: usize,
    pub(super) sums: &'a mut [f32],
}

impl Panel<'_> {
    /// Computes those of a band of rows, a part of the channels after another.
    #[inline(always)]
    pub(super) fn run<S: Simd>(mut self, simd: S, band: Range<usize>) {
        let [across, along] = self.axes;
        let taps = across.taps.len() * along.taps.len();
        let most = self.places.iter().copied().max().unwrap_or_default();
        assert!(
            most + (band.len() - 1) * self.lines.pitch + (along.count - 1) * along.apart < self.held.len()
        );
        assert!(self.w.len() == self.places.len() * self.width && self.width.is_multiple_of(LANES));
        assert!(self.sums.len() == band.len() * along.count * self.width);
        let some = (HELD / (taps * self.width)).max(1);
        for channels in blocks(self.places.len() / taps, some) {
            let next = self.w.as_ptr().wrapping_add(channels.end * taps * self.width);
            let share = (some * taps * self.width).div_ceil(band.len()).next_multiple_of(LANES);
            for (row, at) in band.clone().enumerate() {
                // the filters that come next are asked for meanwhile
                (0..share).step_by(LANES).for_each(|i| fetch(next.wrapping_add(row * share + i)));
                let inside = |tap: &&Tap| across.at(at + tap.place, across.phases[tap.phase]).is_some();
                let first = across.taps.iter().take_while(|tap| !inside(tap)).count();
                let seen = across.taps.iter().filter(inside).count();
                let taken = first * along.taps.len()..(first + seen) * along.taps.len();
                self.row(simd, row, channels.clone(), taken);
            }
        }
    }

    /// One row of windows, for some channels and taps.
    #[inline(always)]
    fn row<S: Simd>(&mut self, simd: S, row: usize, channels: Range<usize>, taps: Range<usize>) {
        let most = if S::F32_LANES == LANES { 8 } else { 6 };
        let count = self.lines.count;
        let parts = count.div_ceil(most);
        for part in 0..parts {
            let windows = part * count / parts..(part + 1) * count / parts;
            let part = Part { row, windows, channels: channels.clone(), taps: taps.clone() };
            match (S::F32_LANES, self.width / S::F32_LANES) {
                (LANES, 1) => self.part::<S, 1>(simd, part),
                (LANES, 2) => self.part::<S, 2>(simd, part),
                (LANES, _) => self.part::<S, 3>(simd, part),
                _ => self.part::<S, 2>(simd, part),
            }
        }
    }

    /// Some windows of a row, by `V` vectors of filters.
    #[inline(always)]
    fn part<S: Simd, const V: usize>(&mut self, simd: S, part: Part) {
        match part.windows.len() {
            1 => self.sum::<S, 1, V>(simd, part),
            2 => self.sum::<S, 2, V>(simd, part),
            3 => self.sum::<S, 3, V>(simd, part),
            4 => self.sum::<S, 4, V>(simd, part),
            5 => self.sum::<S, 5, V>(simd, part),
            6 => self.sum::<S, 6, V>(simd, part),
            7 => self.sum::<S, 7, V>(simd, part),
            _ => self.sum::<S, 8, V>(simd, part),
        }
    }

    /// `R` windows by `V` vectors of filters.
    #[inline(always)]
    fn sum<S: Simd, const R: usize, const V: usize>(&mut self, simd: S, part: Part) {
        let Part { row, windows, channels, taps } = part;
        let all = self.axes.iter().map(|axis| axis.taps.len()).product::<usize>();
        let apart = self.axes[1].apart;
        // all taps of a channel lie before those of the next
        let (runs, len) = match taps.len() == all {
            true => (1, channels.len() * all),
            false => (channels.len(), taps.len()),
        };
        let first = channels.start * all + taps.start;
        assert!(windows.len() == R && self.width == V * S::F32_LANES);
        assert!(channels.end * all * self.width <= self.w.len());
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        let y = &mut self.sums[(row * self.lines.count + windows.start) * self.width..][..R * self.width];
        // SAFETY: `run` saw that what the windows of each row see lies in what is held, for all channels and taps, and
        // here was seen that the filters of these channels, and `R` windows of sums, lie in their slices.
        unsafe {
            let y = y.as_mut_ptr().cast::<S::f32s>();
            if channels.start > 0 {
                for i in 0..R {
                    for j in 0..V {
                        sums[i][j] = y.add(i * V + j).read_unaligned();
                    }
                }
            }
            let line = self.held.as_ptr().add(row * self.lines.pitch + windows.start * apart);
            for run in 0..runs {
                let first = first + run * all;
                let mut w = self.w.as_ptr().add(first * self.width).cast::<S::f32s>();
                for &place in &self.places[first..first + len] {
                    let x = line.add(place);
                    let mut filters = [simd.splat_f32s(0.0); V];
                    for j in 0..V {
                        filters[j] = w.add(j).read_unaligned();
                    }
                    for i in 0..R {
                        let x = simd.splat_f32s(*x.add(i * apart));
                        for j in 0..V {
                            sums[i][j] = simd.mul_add_e_f32s(x, filters[j], sums[i][j]);
                        }
                    }
                    w = w.add(V);
                }
            }
            for i in 0..R {
                for j in 0..V {
                    y.add(i * V + j).write_unaligned(sums[i][j]);
                }
            }
        }
    }
}

/// Neighbouring windows of a row, and the channels and taps that are added up.
struct Part {
    row: usize,
    windows: Range<usize>,
    channels: Range<usize>,
    taps: Range<usize>,
}
