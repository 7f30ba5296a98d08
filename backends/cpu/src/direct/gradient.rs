//! The gradient of the weight on long lines: for each place of a window, what it sees times what is given.
//!
//! Where there are many filters, vectors go along these, and the given gradients are turned for that. Where there are
//! few, as where each channel has its own, vectors go along the lines.
// loops go by indices: closures of iterators would not be compiled for the vectors at hand
#![allow(clippy::needless_range_loop)]

use super::{
    Axis, LANES, Lines, Sizes, pays,
    tile::{SLACK, blocks},
};
use crate::{parallel, simd::on_vectors, turn::turn, value::Output};
use bytemuck::{cast_slice, cast_slice_mut};
use firesteel_core::Result;
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// How many numbers gradients may have that are summed apart from each other.
const APART: usize = 1 << 20;
/// So many jobs are enough, whatever the number of threads: the result is not to depend on that.
const JOBS: usize = 8;
/// Up to so many filters, vectors go along lines.
const FEW: usize = 8;
/// How many given gradients are held at a time, about.
const GIVEN: usize = 8 * 1024;

/// Writes the gradient of the weight `[groups, filters, channels, kernel]` from that of the result; false where lines
/// are not worth it, or a number is not finite, since what is not meets zeros between lines.
pub(crate) fn weight_gradient(
    g: &[f32],
    x: &[f32],
    w: &mut [f32],
    sizes: &Sizes,
    axes: &[Axis; 2],
) -> Result<bool> {
    let Sizes { images, groups, channels, filters, kernel, .. } = *sizes;
    if !pays(axes) || images * groups * channels * filters == 0 {
        return Ok(false);
    }
    let taps: usize = kernel.iter().product();
    let width = if filters > FEW { filters.next_multiple_of(LANES) } else { filters };
    let most = if filters > FEW { (GIVEN / (width * axes[1].count)).max(1) } else { usize::MAX };
    let lines = Lines::new(axes, channels, most);
    let units = images * axes[0].count.div_ceil(lines.band);
    let numbers = channels * taps * width;
    let parts = JOBS.div_ceil(groups).min((APART / (groups * numbers)).max(1)).min(units).max(1);
    let some = channels.div_ceil(JOBS.div_ceil(parts * groups)).max(1);
    let mut sums = Output::new(parts * groups * numbers)?;
    let mut rest = sums.slice();
    let mut jobs = vec![];
    for part in 0..parts {
        for group in 0..groups {
            for first in (0..channels).step_by(some) {
                let taken = first..channels.min(first + some);
                let (sums, after) = rest.split_at_mut(taken.len() * taps * width);
                rest = after;
                let units = part * units / parts..(part + 1) * units / parts;
                jobs.push(Gradient { sizes, axes, lines, g, x, group, channels: taken, units, width, sums });
            }
        }
    }
    parallel::try_jobs(jobs, on_vectors)?;

    let (sums, others) = sums.slice().split_at_mut(groups * numbers);
    parallel::pieces(sums, 1, parallel::GRAIN, |first, sums| {
        for others in others.chunks_exact(groups * numbers) {
            sums.iter_mut().zip(&others[first..]).for_each(|(sum, other)| *sum += other);
        }
    });
    // sums of neighbouring filters of a group are neighbours
    let (sums, depth) = (&*sums, channels * taps);
    parallel::pieces(w, depth, parallel::GRAIN, |first, mut w| {
        let mut filter = first;
        while !w.is_empty() {
            let (group, at) = (filter / filters, filter % filters);
            let many = (filters - at).min(w.len() / depth);
            let from = &sums[group * numbers + at..];
            turn(cast_slice(from), width, [depth, many], cast_slice_mut(w), depth);
            w = &mut w[many * depth..];
            filter += many;
        }
    });
    Ok(w.iter().all(|w| w.is_finite()))
}

/// The gradients `sums [channels, taps, width]` of some channels of a group, from some bands of rows of all images.
struct Gradient<'a> {
    sizes: &'a Sizes,
    axes: &'a [Axis; 2],
    lines: Lines,
    g: &'a [f32],
    x: &'a [f32],
    group: usize,
    channels: Range<usize>,
    units: Range<usize>,
    /// Filters, with those that fill up a vector.
    width: usize,
    sums: &'a mut [f32],
}

impl WithSimd for Gradient<'_> {
    type Output = Result<()>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Result<()> {
        let Self { sizes, axes, lines, width, .. } = self;
        let Sizes { groups, channels, filters, .. } = *sizes;
        let [across, along] = axes;
        let bands = across.count.div_ceil(lines.band);
        let places = lines.places(axes, self.channels.len());
        let mut held = Output::new(self.channels.len() * lines.plane + SLACK)?;
        let row = lines.span(lines.band) + SLACK;
        let turned = filters > FEW;
        let mut given = Output::new(if turned { lines.band * along.count * width } else { filters * row })?;
        let (held, given) = (held.slice(), given.slice());
        // what nobody writes is to be finite
        held.fill(0.0);
        given.fill(0.0);
        self.sums.fill(0.0);
        let (size, plane) = (across.size * along.size, across.count * along.count);
        for unit in self.units {
            let (image, first) = (unit / bands * groups + self.group, unit % bands * lines.band);
            let band = first..across.count.min(first + lines.band);
            let x = &self.x[(image * channels + self.channels.start) * size..][..self.channels.len() * size];
            lines.bring(axes, x, band.clone(), held);
            let g = &self.g[image * filters * plane + first * along.count..];
            let count = band.len() * along.count;
            if turned {
                turn(cast_slice(g), plane, [filters, count], cast_slice_mut(given), width);
                let work = Work { lines: held, places: &places, given, sums: self.sums, width };
                work.by_filters(simd, [band.len(), along.count], lines.pitch);
                continue;
            }
            given.fill(0.0);
            for filter in 0..filters {
                let lines_of = given[filter * row..].chunks_mut(lines.pitch);
                let g = g[filter * plane..][..count].chunks_exact(along.count);
                lines_of.zip(g).for_each(|(line, g)| line[..along.count].copy_from_slice(g));
            }
            let work = Work { lines: held, places: &places, given, sums: self.sums, width };
            work.by_lines(simd, filters, lines.span(band.len()), row);
        }
        Ok(())
    }
}

/// What is seen in lines times what is given.
struct Work<'a> {
    lines: &'a [f32],
    places: &'a [usize],
    given: &'a [f32],
    /// `[places, width]`
    sums: &'a mut [f32],
    width: usize,
}

impl Work<'_> {
    /// Of gradients `given [rows, columns, width]`.
    #[inline(always)]
    fn by_filters<S: Simd>(mut self, simd: S, size: [usize; 2], pitch: usize) {
        let ([rows, columns], places, width) = (size, self.places.len(), self.width);
        let most = self.places.iter().copied().max().unwrap_or_default();
        assert!(most + (rows - 1) * pitch + columns <= self.lines.len());
        assert!(rows * columns * width <= self.given.len());
        assert!(places * width <= self.sums.len() && width.is_multiple_of(LANES));
        let by_nine = places.is_multiple_of(9);
        let mut at = 0;
        while at < width {
            at += match (S::F32_LANES, (width - at) / LANES) {
                (16, 4 | 7..) => self.panel::<S, 6, 4>(simd, size, pitch, at),
                (16, 3 | 5 | 6) => self.panel::<S, 8, 3>(simd, size, pitch, at),
                (16, 2) if by_nine => self.panel::<S, 9, 2>(simd, size, pitch, at),
                (16, 2) => self.panel::<S, 8, 2>(simd, size, pitch, at),
                (16, _) if by_nine => self.panel::<S, 9, 1>(simd, size, pitch, at),
                (16, _) => self.panel::<S, 8, 1>(simd, size, pitch, at),
                _ => self.panel::<S, 6, 2>(simd, size, pitch, at),
            };
        }
    }

    /// `V` vectors of filters from `at` on, `P` places at a time; gives how many filters.
    #[inline(always)]
    fn panel<S: Simd, const P: usize, const V: usize>(
        &mut self,
        simd: S,
        size: [usize; 2],
        pitch: usize,
        at: usize,
    ) -> usize {
        for block in blocks(self.places.len(), P) {
            match block.len() {
                len if len == P => self.block::<S, P, V>(simd, size, pitch, block.start, at),
                4 => self.block::<S, 4, V>(simd, size, pitch, block.start, at),
                2 => self.block::<S, 2, V>(simd, size, pitch, block.start, at),
                _ => self.block::<S, 1, V>(simd, size, pitch, block.start, at),
            }
        }
        V * S::F32_LANES
    }

    /// `P` places and `V` vectors of filters.
    #[inline(always)]
    fn block<S: Simd, const P: usize, const V: usize>(
        &mut self,
        simd: S,
        [rows, columns]: [usize; 2],
        pitch: usize,
        first: usize,
        at: usize,
    ) {
        let mut sums = [[simd.splat_f32s(0.0); V]; P];
        let mut starts = [0; P];
        starts.copy_from_slice(&self.places[first..first + P]);
        // SAFETY: `by_filters` saw that lines have so many rows and columns from each place on, `given` so many rows,
        // columns and filters, and `sums` so many places and filters. A vector is read and written wherever it lies.
        unsafe {
            let mut given = self.given.as_ptr().add(at);
            for row in 0..rows {
                let lines = starts.map(|start| self.lines.as_ptr().add(start + row * pitch));
                for column in 0..columns {
                    let mut g = [simd.splat_f32s(0.0); V];
                    for j in 0..V {
                        g[j] = given.cast::<S::f32s>().add(j).read_unaligned();
                    }
                    for i in 0..P {
                        let x = simd.splat_f32s(*lines[i].add(column));
                        for j in 0..V {
                            sums[i][j] = simd.mul_add_e_f32s(x, g[j], sums[i][j]);
                        }
                    }
                    given = given.add(self.width);
                }
            }
            for i in 0..P {
                let all = self.sums.as_mut_ptr().add((first + i) * self.width + at).cast::<S::f32s>();
                for j in 0..V {
                    let sum = simd.add_f32s(all.add(j).read_unaligned(), sums[i][j]);
                    all.add(j).write_unaligned(sum);
                }
            }
        }
    }

    /// Of gradients of so many filters, each a line as long as a span, which lie `length` apart, with zeros where
    /// there is no window.
    #[inline(always)]
    fn by_lines<S: Simd>(mut self, simd: S, filters: usize, span: usize, length: usize) {
        let most = self.places.iter().copied().max().unwrap_or_default();
        assert!(most + span + SLACK <= self.lines.len() && filters * length <= self.given.len());
        assert!(span + SLACK <= length && self.places.len() * self.width <= self.sums.len());
        for filter in 0..filters {
            let given = &self.given[filter * length..][..length];
            for block in blocks(self.places.len(), 9) {
                match block.len() {
                    9 => self.line::<S, 9>(simd, given, span, block.start, filter),
                    4 => self.line::<S, 4>(simd, given, span, block.start, filter),
                    2 => self.line::<S, 2>(simd, given, span, block.start, filter),
                    _ => self.line::<S, 1>(simd, given, span, block.start, filter),
                }
            }
        }
    }

    /// `P` places of one filter.
    #[inline(always)]
    fn line<S: Simd, const P: usize>(
        &mut self,
        simd: S,
        given: &[f32],
        span: usize,
        first: usize,
        filter: usize,
    ) {
        let mut sums = [simd.splat_f32s(0.0); P];
        let places = &self.places[first..first + P];
        for at in (0..span).step_by(S::F32_LANES) {
            // SAFETY: a vector that begins in the span ends before SLACK, which `by_lines` saw to lie in both slices,
            // in lines from each place on.
            unsafe {
                let g = given.as_ptr().add(at).cast::<S::f32s>().read_unaligned();
                let lines = self.lines.as_ptr().add(at);
                for i in 0..P {
                    let x = lines.add(places[i]).cast::<S::f32s>().read_unaligned();
                    sums[i] = simd.mul_add_e_f32s(x, g, sums[i]);
                }
            }
        }
        for i in 0..P {
            self.sums[(first + i) * self.width + filter] += simd.reduce_sum_f32s(sums[i]);
        }
    }
}
