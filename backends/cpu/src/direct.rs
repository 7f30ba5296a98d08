//! Convolutions along one or two axes on long lines: no matrix of what windows see is ever written.
//!
//! The padded lines of a channel lie one behind another. So all that a place of the window sees, as it moves over the
//! image, is one long line that begins somewhere; what falls between two lines is computed too, and left out at the
//! end. Sums of some filters and some vectors of neighbouring windows stay in registers for all channels and places.
mod axis;
mod gradient;
mod tile;

pub(crate) use axis::{Axis, Moves};
pub(crate) use gradient::weight_gradient;

use crate::{
    canvas::Canvas,
    parallel,
    simd::{Isa, best, on_vectors},
    value::Output,
    windows::zip,
    winograd::Filters,
};
use firesteel_core::Result;
use pulp::{Simd, WithSimd};
use std::ops::Range;
use tile::{SLACK, Tile, blocks};

/// How many numbers of lines are held at a time, about.
const HELD: usize = 64 * 1024;
/// A vector of F32, at most.
const LANES: usize = 16;

/// A convolution by reading `x [images, groups, channels, ..]` to `y [images, groups, filters, ..]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) images: usize,
    pub(crate) groups: usize,
    pub(crate) channels: usize,
    pub(crate) filters: usize,
    /// Of a plane of `y`.
    pub(crate) output: [usize; 2],
    /// Taps of a filter along both axes.
    pub(crate) kernel: [usize; 2],
}

/// Whether lines are worth it: where vectors are not mostly padding.
fn pays(axes: &[Axis; 2]) -> bool {
    if matches!(best(), Isa::Baseline) || axes.iter().any(|axis| axis.count == 0 || axis.size == 0) {
        return false;
    }
    let all = |f: fn(&Axis) -> usize| axes.iter().map(f).fold(1usize, usize::saturating_mul);
    let (results, numbers) = (all(|axis| axis.count), all(|axis| axis.size));
    let held = all(|axis| axis.len.saturating_mul(axis.phases.len()));
    let line = (axes[0].count * axes[1].len).next_multiple_of(LANES);
    held <= 4 * (results + numbers) + 1024 && 2 * results >= line
}

/// Writes the results that the axes tell of, one pair after another: together they are all of `y`, or zeros are where no
/// window is. False where lines are not worth it.
pub(crate) fn convolve(
    x: &[f32],
    filters: Filters,
    y: &mut [f32],
    sizes: &Sizes,
    axes: &[[Axis; 2]],
) -> Result<bool> {
    let Sizes { images, groups, channels, filters: many, .. } = *sizes;
    if !axes.iter().all(pays) || images * groups * channels * many == 0 {
        return Ok(false);
    }
    if axes.iter().flatten().any(|axis| axis.every > 1) {
        y.fill(0.0);
    }
    axes.iter().try_for_each(|axes| convolve_one(x, filters, y, sizes, axes))?;
    Ok(!axes.is_empty())
}

/// Writes the results that one pair of axes tells of.
fn convolve_one(x: &[f32], filters: Filters, y: &mut [f32], sizes: &Sizes, axes: &[Axis; 2]) -> Result<()> {
    let lines = Lines::new(axes, sizes.channels, usize::MAX);
    let bands = axes[0].count.div_ceil(lines.band);
    let rows = tile::rows(lines.span(lines.band), sizes.filters);
    let w = packed(filters, sizes, axes, rows)?;
    let units = sizes.images * sizes.groups * bands;
    // few blocks of lines are read by several jobs, each for some of the filters
    let threads = parallel::num_threads();
    let parts = (2 * threads).div_ceil(units).min(sizes.filters.div_ceil(rows)).max(1);
    let some = sizes.filters.div_ceil(parts).next_multiple_of(rows);
    let parts = sizes.filters.div_ceil(some);
    let each = (units * parts).div_ceil(8 * threads).max(1);
    let jobs = (0..units * parts).step_by(each).map(|from| from..(units * parts).min(from + each)).collect();
    let y = Canvas::new(y);
    let plan = Plan { sizes, axes, lines, x, w: w.read(), y: &y, bands, some, parts, rows };
    parallel::try_jobs(jobs, |units| on_vectors(Units { plan: &plan, units }))
}

/// The taps that are read, along both axes: what is held for one channel is `[phases, phases, height, len]`.
fn taps(axes: &[Axis; 2]) -> impl Iterator<Item = (axis::Tap, axis::Tap)> {
    axes[0].taps.iter().flat_map(|a| axes[1].taps.iter().map(|b| (*a, *b)))
}

/// Filters in blocks of rows: `[groups, blocks, channels, taps, rows]`.
fn packed(filters: Filters, sizes: &Sizes, axes: &[Axis; 2], rows: usize) -> Result<Output<f32>> {
    let taps: Vec<usize> = taps(axes).map(|(a, b)| a.tap * sizes.kernel[1] + b.tap).collect();
    let depth = sizes.channels * taps.len();
    let all: usize = sizes.kernel.iter().product();
    let mut w = Output::new(sizes.groups * sizes.filters * depth)?;
    let mut rest = w.slice();
    let mut jobs = vec![];
    for group in 0..sizes.groups {
        for block in blocks(sizes.filters, rows) {
            let (w, after) = rest.split_at_mut(block.len() * depth);
            rest = after;
            jobs.push((group * sizes.filters * sizes.channels * all, block, w));
        }
    }
    let pack = |(start, block, w): (usize, Range<usize>, &mut [f32])| {
        for (i, filter) in block.clone().enumerate() {
            let mut w = w[i..].iter_mut().step_by(block.len());
            for channel in 0..sizes.channels {
                let at = start + filter * filters.by_filter + channel * filters.by_channel;
                let from = &filters.w[at..at + all];
                taps.iter().zip(&mut w).for_each(|(tap, w)| *w = from[*tap]);
            }
        }
    };
    match sizes.groups * sizes.filters * depth > parallel::GRAIN {
        true => parallel::jobs(jobs, pack),
        false => jobs.into_iter().for_each(pack),
    }
    Ok(w)
}

/// How lines of some rows of results are held: for each channel `[phases, phases, height, pitch]`.
#[derive(Clone, Copy, Debug)]
struct Lines {
    /// Rows of results.
    band: usize,
    /// Rows of lines that these read.
    height: usize,
    pitch: usize,
    /// Numbers of a channel.
    plane: usize,
    /// Results of a row.
    count: usize,
}

impl Lines {
    /// Of at most so many rows of results.
    fn new(axes: &[Axis; 2], channels: usize, most: usize) -> Self {
        let [rows, columns] = axes;
        let line = columns.len * rows.phases.len() * columns.phases.len() * channels;
        let fits = (HELD / line).saturating_sub(rows.reach()).max(rows.reach() + 1);
        let most = fits.min(most).min(rows.count);
        let band = rows.count.div_ceil(rows.count.div_ceil(most));
        let height = band + rows.reach();
        let plane = rows.phases.len() * columns.phases.len() * height * columns.len;
        Self { band, height, pitch: columns.len, plane, count: columns.count }
    }

    /// From the first result of so many rows to the last.
    fn span(&self, rows: usize) -> usize {
        (rows - 1) * self.pitch + self.count
    }

    /// Where the first result finds what each tap reads, for all channels.
    fn places(&self, axes: &[Axis; 2], channels: usize) -> Vec<usize> {
        let place = |(a, b): (axis::Tap, axis::Tap)| {
            ((a.phase * axes[1].phases.len() + b.phase) * self.height + a.place) * self.pitch + b.place
        };
        let places: Vec<usize> = taps(axes).map(place).collect();
        (0..channels).flat_map(|channel| places.iter().map(move |at| channel * self.plane + at)).collect()
    }

    /// Brings in what some rows of results read of an image `x [channels, ..]`.
    #[inline(always)]
    fn bring(&self, axes: &[Axis; 2], x: &[f32], rows: Range<usize>, lines: &mut [f32]) {
        let [across, along] = axes;
        let size = across.size * along.size;
        for channel in 0..x.len() / size {
            let x = &x[channel * size..];
            let mut at = channel * self.plane;
            for phase in &across.phases {
                for beside in &along.phases {
                    let inside = along.inside(*beside);
                    let first = along.at(inside.start, *beside).unwrap_or_default();
                    for row in 0..rows.len() + across.reach() {
                        let line = &mut lines[at + row * self.pitch..];
                        // what is copied may reach beyond the line, whose end is written thereafter
                        let inside = match across.at(rows.start + row, *phase) {
                            None => 0..0,
                            Some(row) => {
                                let x = &x[row * along.size + first..];
                                copy(x, along.step(), &mut line[inside.start..], inside.len());
                                inside.clone()
                            }
                        };
                        (0..inside.start).for_each(|i| line[i] = 0.0);
                        (inside.end..self.pitch).for_each(|i| line[i] = 0.0);
                    }
                    at += self.height * self.pitch;
                }
            }
        }
    }
}

/// Copies so many numbers that lie a step apart; perhaps some more, where there is room for them.
#[inline(always)]
fn copy(x: &[f32], step: usize, y: &mut [f32], len: usize) {
    if step > 1 {
        return zip(&mut y[..len], x, step, |y, x| *y = *x);
    }
    let vectors = len.div_ceil(LANES);
    let (from, to) = (x.as_chunks::<LANES>().0, y.as_chunks_mut::<LANES>().0);
    if from.len() < vectors || to.len() < vectors {
        return y[..len].copy_from_slice(&x[..len]);
    }
    to[..vectors].iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

/// What all jobs of a convolution read.
struct Plan<'a> {
    sizes: &'a Sizes,
    axes: &'a [Axis; 2],
    lines: Lines,
    x: &'a [f32],
    w: &'a [f32],
    y: &'a Canvas<'a>,
    bands: usize,
    /// Filters of a part.
    some: usize,
    parts: usize,
    /// Filters of a block.
    rows: usize,
}

/// Some units of the work: each is a band of rows of an image and group, for a part of the filters.
struct Units<'a> {
    plan: &'a Plan<'a>,
    units: Range<usize>,
}

impl WithSimd for Units<'_> {
    type Output = Result<()>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Result<()> {
        let Plan { sizes, axes, lines, bands, some, parts, rows, .. } = *self.plan;
        let [across, along] = axes;
        let places = lines.places(axes, sizes.channels);
        let length = lines.span(lines.band) + SLACK;
        let mut held = Output::new(sizes.channels * lines.plane + SLACK)?;
        let mut sums = Output::new(rows * length)?;
        let (held, sums) = (held.slice(), sums.slice());
        let image = sizes.channels * across.size * along.size;
        let [height, width] = sizes.output;
        for unit in self.units {
            let (at, part) = (unit / parts, unit % parts);
            let (plane, band) = (at / bands, at % bands * lines.band);
            let band = band..across.count.min(band + lines.band);
            lines.bring(axes, &self.plan.x[plane * image..][..image], band.clone(), held);
            let span = lines.span(band.len());
            let w = &self.plan.w[plane % sizes.groups * sizes.filters * places.len()..];
            for block in blocks(sizes.filters, rows) {
                if block.start / some != part {
                    continue;
                }
                let w = &w[block.start * places.len()..][..block.len() * places.len()];
                Tile { lines: held, places: &places, w, rows: block.len(), span, sums, length }.run(simd);
                for (i, filter) in block.enumerate() {
                    let from = (plane * sizes.filters + filter) * height * width;
                    let first = from + (across.first + band.start * across.every) * width;
                    let end = from + (across.first + (band.end - 1) * across.every + 1) * width;
                    // SAFETY: the rows of a band and filter are no other's.
                    let y = unsafe { self.plan.y.part(first..end) };
                    let sums = &sums[i * length..][..length];
                    for row in 0..band.len() {
                        let sums = &sums[row * lines.pitch..];
                        let y = &mut y[row * across.every * width + along.first..];
                        match along.every {
                            // what is copied too much belongs to the next row, which comes thereafter
                            1 if across.every == 1 => copy(sums, 1, y, along.count),
                            1 => y[..along.count].copy_from_slice(&sums[..along.count]),
                            every => y
                                .iter_mut()
                                .step_by(every)
                                .zip(&sums[..along.count])
                                .for_each(|(y, sum)| *y = *sum),
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
