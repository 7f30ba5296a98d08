//! Where there are few tiles, as of small images with many channels, the filters are most of what is read. So these are
//! transformed a part at a time, and multiplied with all tiles while they are in cache: nothing but the filters as they
//! lie comes from memory.
use super::{
    Canvas, Filters, Grid, Output, PLACES, Products, Sizes, TILES, TOGETHER, WIDTH, apart, blocks,
    on_vectors, parallel, product, see, transform_filters, wide,
};
use crate::stream::fetch;
use firesteel_core::Result;
use pulp::{Simd, WithSimd};
use std::{
    ops::Range,
    sync::atomic::{AtomicBool, Ordering},
};

/// What the transforms of filters are worth here, in tiles.
pub(super) const FILTERS: usize = 3;
/// Filters of a block: three vectors of eight tiles are what registers hold.
const BLOCK: usize = 3 * WIDTH;
/// Channels of a part.
const DEPTH: usize = 4 * TOGETHER;

/// Whether there are so few tiles.
pub(super) fn fits(sizes: &Sizes) -> bool {
    sizes.blocks() == 1
}

/// As [`super::forward`].
pub(super) fn forward(x: &[f32], filters: Filters, y: &mut [f32], sizes: &Sizes) -> Result<bool> {
    let size = PLACES * apart(TILES * wide(sizes.channels));
    let mut seen = Output::new(sizes.groups * size)?;
    let jobs = seen.slice().chunks_exact_mut(size).enumerate().collect();
    parallel::try_jobs(jobs, |(group, seen)| on_vectors(See { sizes, x, group, seen }))?;

    let (seen, y) = (seen.read(), Canvas::new(y));
    // as many for each thread, where there are so many
    let vectors = wide(sizes.filters) / WIDTH;
    let blocks = sizes.filters.div_ceil(BLOCK).next_multiple_of(parallel::num_threads()).min(vectors);
    let finite = AtomicBool::new(true);
    let jobs = (0..sizes.groups * blocks).map(|job| (job / blocks, job % blocks)).collect();
    parallel::try_jobs(jobs, |(group, block)| {
        let first = |block: usize| block * vectors / blocks * WIDTH;
        let some = first(block)..first(block + 1).min(sizes.filters);
        let seen = &seen[group * size..][..size];
        if !on_vectors(Few { sizes, seen, filters, y: &y, group, some })? {
            finite.store(false, Ordering::Relaxed);
        }
        Ok(())
    })?;
    Ok(finite.into_inner())
}

/// Transforms what the tiles of a group see.
struct See<'a> {
    sizes: &'a Sizes,
    x: &'a [f32],
    group: usize,
    seen: &'a mut [f32],
}

impl WithSimd for See<'_> {
    type Output = Result<()>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Result<()> {
        see(simd, self.sizes, self.x, self.group, 0, self.seen).map(drop)
    }
}

/// Some filters of a group, by all tiles. Gives whether all results are finite.
struct Few<'a> {
    sizes: &'a Sizes,
    seen: &'a [f32],
    filters: Filters<'a>,
    y: &'a Canvas<'a>,
    group: usize,
    some: Range<usize>,
}

impl WithSimd for Few<'_> {
    type Output = Result<bool>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Result<bool> {
        let Self { sizes, seen, filters, y, group, some } = self;
        let (depth, width, tiles) = (wide(sizes.channels), wide(some.len()), sizes.tiles());
        let mut u = Output::new(DEPTH * apart(PLACES * width))?;
        let mut products = Output::new(PLACES * apart(TILES * width))?;
        let (u, products) = (u.slice(), products.slice());
        for first in (0..sizes.channels).step_by(DEPTH) {
            let channels = first..sizes.channels.min(first + DEPTH);
            transform(simd, sizes, filters, group, some.clone(), channels.clone(), u);
            for place in 0..PLACES {
                let a = Grid { data: &seen[place * apart(TILES * depth) + first..], row: depth, column: 1 };
                let b = Grid { data: &u[place * width..], row: apart(PLACES * width), column: 1 };
                let c = &mut products[place * apart(TILES * width)..];
                product(simd, [tiles, channels.len(), width], a, b, (c, width), first > 0);
            }
        }
        Products { sizes, group, block: 0, filters: some, products, y }.put(simd)
    }
}

/// Some filters of some channels in each place of a transformed tile: `u [DEPTH, 36, filters]`, with channels [`apart`]
/// and filters filled up.
#[inline(always)]
fn transform<S: Simd>(
    simd: S,
    sizes: &Sizes,
    filters: Filters,
    group: usize,
    some: Range<usize>,
    channels: Range<usize>,
    u: &mut [f32],
) {
    let (start, width) = (group * sizes.filters * sizes.channels * 9, wide(some.len()));
    let mut taps = [0.0; TOGETHER * 9 * WIDTH];
    for at in (0..width).step_by(WIDTH) {
        let some = some.start + at..some.end.min(some.start + at + WIDTH);
        // of filters that are none there are zeros
        if some.len() < WIDTH {
            taps.fill(0.0);
        }
        for together in blocks(channels.len(), TOGETHER) {
            let from = channels.start + together.start..channels.start + together.end;
            filters.bring(start, some.clone(), from, 9, &mut taps, WIDTH);
            for (channel, taps) in together.zip(taps.chunks_exact(9 * WIDTH)) {
                let at = channel * apart(PLACES * width) + at;
                // lines are written sooner where they are in cache already
                let next = u.as_ptr().wrapping_add(at + apart(PLACES * width));
                (0..PLACES).for_each(|place| fetch(next.wrapping_add(place * width)));
                transform_filters(simd, taps, filters.turned, &mut u[at..], width);
            }
        }
    }
}
