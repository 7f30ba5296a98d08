//! Convolutions by filters of 3x3 in Winograd's way, `F(4x4, 3x3)`: a quarter of the multiplications.
//!
//! A tile of 4x4 results sees 6x6 elements. Both are transformed ([`transform`]), so that the convolution is a
//! product of matrices `[tiles, channels] x [channels, filters]` for each of 36 places. Blocks of tiles stay in
//! cache from what they see to their results. In there channels are the last axis, whatever the image's size, and
//! vectors go along them. The gradient of the weight is the adjoint of all that. Where there is but one block of tiles,
//! it is the filters that are cut in blocks.
// loops go by indices: closures of iterators would not be compiled for the vectors at hand
#![allow(clippy::needless_range_loop)]

mod few;
mod gradient;
mod transform;

pub(crate) use gradient::weight_gradient;

use crate::{
    canvas::Canvas,
    gemm::blocks,
    micro::{Grid, WIDTH, product},
    parallel,
    simd::{Isa, best, on_vectors},
    taps::{Filters, TOGETHER},
    turn::turn,
    value::Output,
};
use bytemuck::{cast_slice, cast_slice_mut};
use firesteel_core::Result;
use pulp::{Simd, WithSimd};
use std::{
    ops::Range,
    sync::atomic::{AtomicBool, Ordering},
};
use transform::{SIDE, TILE};

/// Places of a transformed tile.
const PLACES: usize = SIDE * SIDE;
/// Tiles of a block: a multiple of the rows that products take at a time.
const TILES: usize = 48;
/// How many elements are brought in at a time, about.
const BROUGHT: usize = 32 * 1024;

/// The sizes of a convolution by filters of 3x3 that step by one:
/// `(x [images, groups, channels, input], w [groups, filters, channels, 3, 3]) -> [images, groups, filters, output]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) images: usize,
    pub(crate) groups: usize,
    pub(crate) channels: usize,
    pub(crate) filters: usize,
    pub(crate) input: [usize; 2],
    pub(crate) output: [usize; 2],
    pub(crate) padding: [usize; 2],
}

impl Sizes {
    /// Whether it is faster this way, where transformed filters are written out.
    pub(crate) fn pays(&self) -> bool {
        // the transforms of filters are worth about 64 tiles
        self.saves(64)
    }

    /// Whether the convolution itself, or the input's gradient, is faster this way.
    pub(crate) fn pays_forward(&self) -> bool {
        self.saves(if few::fits(self) { few::FILTERS } else { 64 })
    }

    /// Whether it is faster, where the transforms of filters are worth so many tiles.
    fn saves(&self, filters: usize) -> bool {
        if matches!(best(), Isa::Baseline) {
            return false;
        }
        let [h, w] = self.output;
        let direct = 9.0 * (self.images * h * w) as f64 * self.channels as f64 * self.filters as f64;
        let padded = (wide(self.channels) * wide(self.filters)) as f64;
        // the transforms of tiles are worth about half of the products
        direct > (PLACES * (self.tiles() + filters)) as f64 * 1.5 * padded
            && self.channels.min(self.filters) >= 8
    }

    /// The convolution by turned filters that gives the gradient of the input.
    pub(crate) fn turned(&self) -> Option<Self> {
        let [top, left] = self.padding;
        let turned = Self {
            channels: self.filters,
            filters: self.channels,
            input: self.output,
            output: self.input,
            padding: [2usize.checked_sub(top)?, 2usize.checked_sub(left)?],
            ..*self
        };
        Some(turned)
    }

    /// Tiles of an image, along both axes.
    fn grid(&self) -> [usize; 2] {
        self.output.map(|n| n.div_ceil(TILE))
    }

    /// Tiles of all images.
    fn tiles(&self) -> usize {
        self.images * self.grid().iter().product::<usize>()
    }

    /// How many blocks the tiles are.
    fn blocks(&self) -> usize {
        self.tiles().div_ceil(TILES)
    }

    /// The runs of neighbouring tiles, of at most `most`, that make up a block.
    fn runs(&self, block: usize, most: usize) -> Vec<Run> {
        let mut runs = vec![];
        let [rows, columns] = self.grid();
        let (mut tile, end) = (block * TILES, self.tiles().min((block + 1) * TILES));
        while tile < end {
            let (line, column) = (tile / columns, tile % columns);
            let len = (columns - column).min(end - tile).min(most);
            let at = [line % rows * TILE, column * TILE];
            runs.push(Run { image: line / rows, at, len, place: tile - block * TILES });
            tile += len;
        }
        runs
    }

    /// How many tiles are brought in at a time.
    fn most(&self) -> usize {
        (BROUGHT / (SIDE * TILE * wide(self.channels.max(self.filters)))).clamp(1, TILES)
    }
}

/// Neighbouring tiles in a line: the first has its results at `at`, and is number `place` of its block.
#[derive(Clone, Copy, Debug)]
struct Run {
    image: usize,
    at: [usize; 2],
    len: usize,
    place: usize,
}

/// How far apart places of so many numbers lie: not by a power of two, or they would drive each other out of the cache.
fn apart(numbers: usize) -> usize {
    numbers + WIDTH
}

/// Channels with those that fill up a vector.
fn wide(channels: usize) -> usize {
    channels.next_multiple_of(WIDTH)
}

/// Writes the convolution; false where a result is not finite, since what is not finite spreads over a whole tile
/// here.
pub(crate) fn forward(x: &[f32], filters: Filters, y: &mut [f32], sizes: &Sizes) -> Result<bool> {
    if few::fits(sizes) {
        return few::forward(x, filters, y, sizes);
    }
    let mut u = transformed(filters, sizes)?;
    let u = &*u.slice();
    let group = PLACES * apart(sizes.channels * wide(sizes.filters));
    let y = Canvas::new(y);
    let blocks = sizes.blocks();
    let jobs = (0..blocks * sizes.groups).map(|job| (job / blocks, job % blocks)).collect();
    let finite = AtomicBool::new(true);
    parallel::try_jobs(jobs, |(at, block)| {
        let u = &u[at * group..][..group];
        if !on_vectors(Forward { sizes, x, u, y: &y, group: at, block })? {
            finite.store(false, Ordering::Relaxed);
        }
        Ok(())
    })?;
    Ok(finite.into_inner())
}

/// The filters in each place of a transformed tile: `[groups, 36, channels, filters]`, filters filled up.
fn transformed(filters: Filters, sizes: &Sizes) -> Result<Output<f32>> {
    let blocks = wide(sizes.filters) / WIDTH;
    let mut u = Output::new(sizes.groups * PLACES * apart(sizes.channels * wide(sizes.filters)))?;
    let canvas = Canvas::new(u.slice());
    let jobs = (0..sizes.groups * blocks).map(|job| (job / blocks, job % blocks)).collect();
    parallel::jobs(jobs, |(group, block)| on_vectors(Transform { filters, sizes, group, block, u: &canvas }));
    Ok(u)
}

/// Transforms the filters of a block of them in a group, for all channels.
struct Transform<'a> {
    filters: Filters<'a>,
    sizes: &'a Sizes,
    group: usize,
    block: usize,
    u: &'a Canvas<'a>,
}

impl WithSimd for Transform<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { filters, sizes, group, block, u: to } = self;
        let (width, first) = (wide(sizes.filters), block * WIDTH);
        let some = first..sizes.filters.min(first + WIDTH);
        let start = group * sizes.filters * sizes.channels * 9;
        let mut taps = [0.0; TOGETHER * 9 * WIDTH];
        let mut u = [0.0; PLACES * WIDTH];
        for together in blocks(sizes.channels, TOGETHER) {
            filters.bring(start, some.clone(), together.clone(), 9, &mut taps, WIDTH);
            for (channel, taps) in together.zip(taps.chunks_exact(9 * WIDTH)) {
                transform_filters(simd, taps, filters.turned, &mut u, WIDTH);
                for (place, u) in u.chunks_exact(WIDTH).enumerate() {
                    let place = (group * PLACES + place) * apart(sizes.channels * width);
                    // SAFETY: the filters of a block are no other's.
                    unsafe { to.write(place + channel * width + first, u) };
                }
            }
        }
    }
}

/// Transforms [`WIDTH`] filters of one channel, `taps [9, WIDTH]`; places lie `step` apart in `u`.
#[inline(always)]
fn transform_filters<S: Simd>(simd: S, taps: &[f32], turned: bool, u: &mut [f32], step: usize) {
    for lane in (0..WIDTH).step_by(S::F32_LANES) {
        let mut lines = [[simd.splat_f32s(0.0); 3]; SIDE];
        for j in 0..3 {
            let mut column = [simd.splat_f32s(0.0); 3];
            for i in 0..3 {
                let tap = 3 * i + j;
                column[i] = vector::<S>(taps, if turned { 8 - tap } else { tap } * WIDTH + lane);
            }
            let column = transform::filter(simd, column);
            for row in 0..SIDE {
                lines[row][j] = column[row];
            }
        }
        for row in 0..SIDE {
            let line = transform::filter(simd, lines[row]);
            for column in 0..SIDE {
                put::<S>(u, (row * SIDE + column) * step + lane, line[column]);
            }
        }
    }
}

/// Brings in a rectangle of channels, of which row and column `at` are the first (they may be outside the image
/// of `size`, where zeros are): `y [rows, columns, wide(channels)]`.
#[inline(always)]
fn bring(x: &[f32], size: [usize; 2], at: [isize; 2], shape: [usize; 2], channels: usize, y: &mut [f32]) {
    let ([rows, columns], width) = (shape, wide(channels));
    let y = &mut y[..rows * columns * width];
    let inside = |axis: usize| {
        let edge = |i: isize| i.clamp(0, shape[axis] as isize) as usize;
        edge(-at[axis])..edge(size[axis] as isize - at[axis]).max(edge(-at[axis]))
    };
    let (inner_rows, inner) = (inside(0), inside(1));
    if channels < width || inner_rows.len() < rows || inner.len() < columns {
        y.fill(0.0);
    }
    if inner.is_empty() {
        return;
    }
    for row in inner_rows {
        let from = (at[0] + row as isize) as usize * size[1] + (at[1] + inner.start as isize) as usize;
        let y = &mut y[(row * columns + inner.start) * width..][..inner.len() * width];
        let x = cast_slice(&x[from..]);
        turn(x, size[0] * size[1], [channels, inner.len()], cast_slice_mut(y), width);
    }
}

/// The vector that begins at `at`.
#[inline(always)]
fn vector<S: Simd>(x: &[f32], at: usize) -> S::f32s {
    S::as_simd_f32s(&x[at..at + S::F32_LANES]).0[0]
}

/// Writes the vector that begins at `at`.
#[inline(always)]
fn put<S: Simd>(y: &mut [f32], at: usize, x: S::f32s) {
    S::as_mut_simd_f32s(&mut y[at..at + S::F32_LANES]).0[0] = x;
}

/// Transforms a run of tiles, brought in as `x [ROWS, len TILE + ROWS - TILE, width]`: along both axes by `line`;
/// to `y [36, TILES, width]` with its places [`apart`], from tile `place` on.
#[inline(always)]
fn transform_run<S: Simd, const ROWS: usize>(
    simd: S,
    x: &[f32],
    Run { len, place, .. }: Run,
    width: usize,
    y: &mut [f32],
    line: impl Fn([S::f32s; ROWS]) -> [S::f32s; SIDE],
) {
    let zero = simd.splat_f32s(0.0);
    let columns = len * TILE + ROWS - TILE;
    for tile in 0..len {
        for channel in (0..width).step_by(S::F32_LANES) {
            // along the first axis, then along the second
            let mut lines = [[zero; ROWS]; SIDE];
            for j in 0..ROWS {
                let mut column = [zero; ROWS];
                for i in 0..ROWS {
                    column[i] = vector::<S>(x, (i * columns + tile * TILE + j) * width + channel);
                }
                let column = line(column);
                for i in 0..SIDE {
                    lines[i][j] = column[i];
                }
            }
            for i in 0..SIDE {
                let line = line(lines[i]);
                for j in 0..SIDE {
                    let at = (i * SIDE + j) * apart(TILES * width) + (place + tile) * width + channel;
                    put::<S>(y, at, line[j]);
                }
            }
        }
    }
}

/// Transforms what a block of tiles of a group sees: `seen [36, TILES, channels]`, with places [`apart`] and channels
/// filled up. Gives how many tiles these are.
#[inline(always)]
fn see<S: Simd>(
    simd: S,
    sizes: &Sizes,
    x: &[f32],
    group: usize,
    block: usize,
    seen: &mut [f32],
) -> Result<usize> {
    let Sizes { groups, channels, input, padding, .. } = *sizes;
    let (depth, most) = (wide(channels), sizes.most());
    let mut brought = Output::new(SIDE * (most * TILE + 2) * depth)?;
    let brought = brought.slice();
    let image = channels * input[0] * input[1];
    let mut tiles = 0;
    for run in sizes.runs(block, most) {
        let x = &x[(run.image * groups + group) * image..][..image];
        let at = [0, 1].map(|axis| run.at[axis] as isize - padding[axis] as isize);
        bring(x, input, at, [SIDE, run.len * TILE + 2], channels, brought);
        transform_run(
            simd,
            brought,
            run,
            depth,
            seen,
            #[inline(always)]
            |x| transform::seen(simd, x),
        );
        tiles = run.place + run.len;
    }
    Ok(tiles)
}

/// The products of a block of tiles with some filters of a group: `products [36, TILES, filters]`, with places [`apart`]
/// and filters filled up.
struct Products<'a> {
    sizes: &'a Sizes,
    group: usize,
    block: usize,
    filters: Range<usize>,
    products: &'a [f32],
    y: &'a Canvas<'a>,
}

impl Products<'_> {
    /// Writes the results. Gives whether all of these are finite.
    #[inline(always)]
    fn put<S: Simd>(self, simd: S) -> Result<bool> {
        let (width, most) = (wide(self.filters.len()), self.sizes.most());
        let mut results = Output::new(TILE * most * TILE * width)?;
        let mut turned = Output::new(most * TILE * self.filters.len())?;
        let (results, turned) = (results.slice(), turned.slice());
        let mut odd = simd.splat_f32s(0.0);
        for run in self.sizes.runs(self.block, most) {
            let columns = run.len * TILE;
            for tile in 0..run.len {
                for filter in (0..width).step_by(S::F32_LANES) {
                    let mut lines = [[odd; SIDE]; TILE];
                    for j in 0..SIDE {
                        let mut column = [odd; SIDE];
                        for i in 0..SIDE {
                            let at =
                                (i * SIDE + j) * apart(TILES * width) + (run.place + tile) * width + filter;
                            column[i] = vector::<S>(self.products, at);
                        }
                        let column = transform::results(simd, column);
                        for i in 0..TILE {
                            lines[i][j] = column[i];
                        }
                    }
                    for i in 0..TILE {
                        let line = transform::results(simd, lines[i]);
                        for j in 0..TILE {
                            // zero times what is not finite is NaN
                            odd = simd.mul_add_e_f32s(line[j], simd.splat_f32s(0.0), odd);
                            put::<S>(results, (i * columns + tile * TILE + j) * width + filter, line[j]);
                        }
                    }
                }
            }
            self.write(run, results, turned);
        }
        Ok(simd.reduce_sum_f32s(odd) == 0.0)
    }

    /// Writes the results of a run, which lie in `from [4, len TILE, filters]`.
    #[inline(always)]
    fn write(&self, run: Run, from: &[f32], turned: &mut [f32]) {
        let Sizes { groups, filters, output: [height, width], .. } = *self.sizes;
        let plane = (run.image * groups + self.group) * filters + self.filters.start;
        let (columns, filters) = (run.len * TILE, self.filters.len());
        let (wide, len) = (wide(filters), columns.min(width - run.at[1]));
        for row in 0..TILE.min(height - run.at[0]) {
            let from = cast_slice(&from[row * columns * wide..]);
            turn(from, wide, [columns, filters], cast_slice_mut(turned), columns);
            for (filter, line) in turned.chunks_exact(columns).take(filters).enumerate() {
                let at = ((plane + filter) * height + run.at[0] + row) * width + run.at[1];
                // SAFETY: the tiles of a block are no other's, nor are its filters.
                unsafe { self.y.write(at, &line[..len]) };
            }
        }
    }
}

/// A block of tiles of one group, from what they see to their results. Gives whether all of these are finite.
struct Forward<'a> {
    sizes: &'a Sizes,
    x: &'a [f32],
    u: &'a [f32],
    y: &'a Canvas<'a>,
    group: usize,
    block: usize,
}

impl WithSimd for Forward<'_> {
    type Output = Result<bool>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Result<bool> {
        let Self { sizes, x, u, y, group, block } = self;
        let Sizes { channels, filters, .. } = *sizes;
        let (depth, width) = (wide(channels), wide(filters));
        let mut seen = Output::new(PLACES * apart(TILES * depth))?;
        let mut products = Output::new(PLACES * apart(TILES * width))?;
        let (seen, products) = (seen.slice(), products.slice());
        let tiles = see(simd, sizes, x, group, block, seen)?;
        for place in 0..PLACES {
            let a = Grid { data: &seen[place * apart(TILES * depth)..], row: depth, column: 1 };
            let b = Grid { data: &u[place * apart(channels * width)..], row: width, column: 1 };
            let c = &mut products[place * apart(TILES * width)..];
            product(simd, [tiles, channels, width], a, b, (c, width), false);
        }
        Products { sizes, group, block, filters: 0..filters, products, y }.put(simd)
    }
}
