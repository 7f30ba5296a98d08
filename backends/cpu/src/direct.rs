//! Convolutions along one or two axes on long lines: no matrix of what windows see is ever written.
//!
//! The padded lines of a channel lie one behind another. So all that a place of the window sees, as it moves over the
//! image, is one long line that begins somewhere; what falls between two lines is computed too, and left out at the
//! end. Sums of some filters and some vectors of neighbouring windows stay in registers for all channels and places.
//!
//! Where lines would fill vectors badly, as those of small images do, vectors go along the filters instead.
mod across;
mod axis;
mod gradient;
mod tile;

pub(crate) use axis::{Axis, Moves};
pub(crate) use gradient::weight_gradient;

use crate::{
    canvas::Canvas,
    gemm, parallel,
    simd::{Isa, best, on_vectors},
    stream::fetch,
    taps::{Filters, TOGETHER},
    turn::turn,
    value::Output,
    windows::zip,
};
use across::Panel;
use bytemuck::{cast_slice, cast_slice_mut};
use firesteel_core::Result;
use pulp::{Simd, WithSimd};
use std::ops::Range;
use tile::{SLACK, Tile, blocks};

/// How many numbers of lines are held at a time, about.
const HELD: usize = 64 * 1024;
/// A vector of F32, at most.
const LANES: usize = 16;
/// What turning the sums of one window costs where vectors go along filters, in numbers that it might see.
const TURNED: usize = 16;

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

/// Along what vectors go.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Lines,
    Filters,
}

impl Way {
    /// The faster one.
    fn new(lines: &Lines, sizes: &Sizes, taps: usize) -> Self {
        let (filters, depth) = (sizes.filters, sizes.channels * taps);
        let lanes = best().lanes();
        let by_lines = lines.span(lines.band).next_multiple_of(lanes) * filters * depth;
        let by_filters = lines.band * lines.count * filters.next_multiple_of(LANES) * (depth + TURNED);
        if by_filters < by_lines { Self::Filters } else { Self::Lines }
    }

    /// Filters of a block, of which there are to be so many.
    fn rows(self, lines: &Lines, filters: usize, many: usize) -> usize {
        match self {
            Self::Lines => tile::rows(lines.span(lines.band), filters),
            Self::Filters => across::rows(filters, many),
        }
    }

    /// Filters in blocks of so many, and the rest.
    fn blocks(self, filters: usize, rows: usize) -> Vec<Range<usize>> {
        match self {
            Self::Lines => blocks(filters, rows).collect(),
            Self::Filters => gemm::blocks(filters, rows).collect(),
        }
    }

    /// So many filters with those that fill up a vector.
    fn wide(self, filters: usize) -> usize {
        match self {
            Self::Lines => filters,
            Self::Filters => filters.next_multiple_of(LANES),
        }
    }
}

/// Writes the results that one pair of axes tells of.
fn convolve_one(x: &[f32], filters: Filters, y: &mut [f32], sizes: &Sizes, axes: &[Axis; 2]) -> Result<()> {
    let lines = Lines::new(axes, sizes.channels, usize::MAX);
    let way = Way::new(&lines, sizes, axes[0].taps.len() * axes[1].taps.len());
    let [across, along] = axes;
    // where all phases are read and vectors go along none, lines are held as they are
    let undivided = [across.clone(), along.undivided()];
    let (axes, lines) = match way {
        Way::Filters if along.phases.len() == along.step() => {
            (&undivided, Lines::new(&undivided, sizes.channels, usize::MAX))
        }
        Way::Filters | Way::Lines => (axes, lines),
    };
    let bands = across.count.div_ceil(lines.band);
    let all = sizes.images * sizes.groups * bands;
    // few blocks of lines are read by several jobs, each for some of the filters
    let threads = parallel::num_threads();
    let parts = (2 * threads).div_ceil(all);
    let rows = way.rows(&lines, sizes.filters, parts);
    let parts = parts.min(sizes.filters.div_ceil(rows)).max(1);
    let some = sizes.filters.div_ceil(parts).next_multiple_of(rows);
    let units = all * sizes.filters.div_ceil(some);
    let each = (units / (8 * threads)).max(1);
    let jobs = gemm::blocks(units, each).collect();
    let blocks = way.blocks(sizes.filters, rows);
    let w = packed(filters, sizes, axes, way, &blocks)?;
    let y = Canvas::new(y);
    let plan = Plan { sizes, axes, lines, x, w: w.read(), y: &y, bands, all, some, way, blocks: &blocks };
    parallel::try_jobs(jobs, |units| on_vectors(Units { plan: &plan, units }))
}

/// The taps that are read, along both axes: what is held for one channel is `[phases, phases, height, len]`.
fn taps(axes: &[Axis; 2]) -> impl Iterator<Item = (axis::Tap, axis::Tap)> {
    axes[0].taps.iter().flat_map(|a| axes[1].taps.iter().map(|b| (*a, *b)))
}

/// Filters in blocks: `[groups, blocks, channels, taps, rows]`, rows filled up with zeros where vectors go along them.
fn packed(
    filters: Filters,
    sizes: &Sizes,
    axes: &[Axis; 2],
    way: Way,
    blocks: &[Range<usize>],
) -> Result<Output<f32>> {
    let taps: Vec<usize> = taps(axes).map(|(a, b)| a.tap * sizes.kernel[1] + b.tap).collect();
    let all: usize = sizes.kernel.iter().product();
    let depth = sizes.channels * taps.len();
    let mut w = Output::new(sizes.groups * way.wide(sizes.filters) * depth)?;
    let mut rest = w.slice();
    let mut jobs = vec![];
    for group in 0..sizes.groups {
        for block in blocks {
            let (w, after) = rest.split_at_mut(way.wide(block.len()) * depth);
            rest = after;
            jobs.push((group * sizes.filters * sizes.channels * all, block.clone(), w));
        }
    }
    let pack = |(start, block, w): (usize, Range<usize>, &mut [f32])| {
        let width = way.wide(block.len());
        let parts = w.chunks_mut(TOGETHER * taps.len() * width);
        for (channels, w) in gemm::blocks(sizes.channels, TOGETHER).zip(parts) {
            if taps.len() == all {
                if block.len() < width {
                    w.fill(0.0);
                }
                filters.bring(start, block.clone(), channels, all, w, width);
                continue;
            }
            for (channel, w) in channels.zip(w.chunks_exact_mut(taps.len() * width)) {
                let at = start + block.start * filters.by_filter + channel * filters.by_channel;
                for (tap, w) in taps.iter().zip(w.chunks_exact_mut(width)) {
                    let (w, rest) = w.split_at_mut(block.len());
                    zip(w, &filters.w[at + tap..], filters.by_filter, |w, tap| *w = *tap);
                    rest.fill(0.0);
                }
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
        let channels = x.len() / size;
        for channel in 0..channels {
            let x = &x[channel * size..];
            // that of the next channel is asked for meanwhile
            let ahead = if channel + 1 < channels { along.size } else { 0 };
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
                                let next = x.as_ptr().wrapping_add(size);
                                (0..ahead).step_by(LANES).for_each(|i| fetch(next.wrapping_add(i)));
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
    /// Bands of all images and groups.
    all: usize,
    /// Filters of a part.
    some: usize,
    way: Way,
    blocks: &'a [Range<usize>],
}

impl Plan<'_> {
    /// Writes a band of rows of a plane, which lie so far apart.
    #[inline(always)]
    fn put(&self, plane: usize, band: Range<usize>, sums: &[f32], pitch: usize) {
        let [across, along] = self.axes;
        let [height, width] = self.sizes.output;
        let from = plane * height * width;
        let first = from + (across.first + band.start * across.every) * width;
        let end = from + (across.first + (band.end - 1) * across.every + 1) * width;
        // SAFETY: the rows of a band and filter are no other's.
        let y = unsafe { self.y.part(first..end) };
        for row in 0..band.len() {
            let sums = &sums[row * pitch..];
            let y = &mut y[row * across.every * width + along.first..];
            match along.every {
                // what is copied too much belongs to the next row, which comes thereafter
                1 if across.every == 1 => copy(sums, 1, y, along.count),
                1 => y[..along.count].copy_from_slice(&sums[..along.count]),
                every => {
                    y.iter_mut().step_by(every).zip(&sums[..along.count]).for_each(|(y, sum)| *y = *sum);
                }
            }
        }
    }
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
        let Plan { sizes, axes, lines, bands, all, some, way, blocks, .. } = *self.plan;
        let [across, along] = axes;
        let places = lines.places(axes, sizes.channels);
        let length = lines.span(lines.band) + SLACK;
        let rows = blocks.iter().map(|block| way.wide(block.len())).max().unwrap_or_default();
        let mut held = Output::new(sizes.channels * lines.plane + SLACK)?;
        let mut sums = Output::new(rows * length)?;
        let mut turned = Output::new(if way == Way::Filters { rows * length } else { 0 })?;
        let (held, sums, turned) = (held.slice(), sums.slice(), turned.slice());
        let image = sizes.channels * across.size * along.size;
        for unit in self.units {
            // the same filters again while they are in cache
            let (part, at) = (unit / all, unit % all);
            let (plane, band) = (at / bands, at % bands * lines.band);
            let band = band..across.count.min(band + lines.band);
            lines.bring(axes, &self.plan.x[plane * image..][..image], band.clone(), held);
            let w = &self.plan.w[plane % sizes.groups * way.wide(sizes.filters) * places.len()..];
            for block in blocks.iter().filter(|block| block.start / some == part) {
                let (rows, width) = (block.len(), way.wide(block.len()));
                let w = &w[block.start * places.len()..][..width * places.len()];
                let filters = (plane * sizes.filters + block.start..).take(rows);
                match way {
                    Way::Lines => {
                        let span = lines.span(band.len());
                        Tile { lines: held, places: &places, w, rows, span, sums, length }.run(simd);
                        let sums = sums.chunks_exact(length);
                        filters.zip(sums).for_each(|(plane, sums)| {
                            self.plan.put(plane, band.clone(), sums, lines.pitch);
                        });
                    }
                    Way::Filters => {
                        let windows = band.len() * along.count;
                        let sums = &mut sums[..windows * width];
                        Panel { held, lines: &lines, axes, places: &places, w, width, sums }
                            .run(simd, band.clone());
                        turn(cast_slice(sums), width, [windows, rows], cast_slice_mut(turned), length);
                        let sums = turned.chunks_exact(length);
                        filters.zip(sums).for_each(|(plane, sums)| {
                            self.plan.put(plane, band.clone(), sums, along.count);
                        });
                    }
                }
            }
        }
        Ok(())
    }
}
