//! The gradient of the weight, in Winograd's way: the adjoint of the transforms and of the products between them.
// as in the module above
#![allow(clippy::needless_range_loop)]

use super::{
    PLACES, Sizes, TILES, apart, bring, put, see,
    transform::{self, FILTER, SIDE, TILE},
    transform_run, vector, wide,
};
use crate::{
    micro::{Grid, WIDTH, product},
    parallel,
    simd::on_vectors,
    value::Output,
};
use firesteel_core::Result;
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// How many numbers the gradients of transformed weights may have that are summed apart from each other.
const APART: usize = 4 << 20;
/// Filters that are worth bringing the input in again for another thread.
const FILTERS: usize = 128;

/// Writes the gradient of the weight, `[groups, filters, channels, 3, 3]`, from that of the result; false where a
/// number is not finite.
pub(crate) fn weight_gradient(g: &[f32], x: &[f32], w: &mut [f32], sizes: &Sizes) -> Result<bool> {
    let Sizes { groups, channels, filters, .. } = *sizes;
    let depth = wide(channels);
    let blocks = sizes.blocks();
    // sums are kept apart by parts of the tiles and by filters; not by the number of threads, since the result is
    // not to depend on that
    let parts = (APART / (groups * PLACES * filters * depth)).clamp(1, 8).min(blocks);
    let some = if parts * groups < 4 { FILTERS.min(filters) } else { filters };
    let chunk = PLACES * apart(some * depth);
    let numbers = groups * filters.div_ceil(some) * chunk;
    let mut u = Output::new(parts * numbers)?;
    let mut rest = u.slice();
    let mut jobs = vec![];
    for part in 0..parts {
        for group in 0..groups {
            for first in (0..filters).step_by(some) {
                let taken = first..filters.min(first + some);
                let (u, after) = rest.split_at_mut(chunk);
                rest = after;
                let blocks = part * blocks / parts..(part + 1) * blocks / parts;
                let place = apart(some * depth);
                jobs.push(Gradient { sizes, g, x, u, place, group, filters: taken, blocks });
            }
        }
    }
    parallel::try_jobs(jobs, on_vectors)?;

    let u = &*u.slice();
    parallel::pieces(w, channels * 9, parallel::GRAIN / 32, |first, w| {
        for (i, w) in w.chunks_exact_mut(channels * 9).enumerate() {
            let (group, filter) = ((first + i) / filters, (first + i) % filters);
            let block = group * filters.div_ceil(some) + filter / some;
            let start = block * chunk + filter % some * depth;
            on_vectors(Gather { u: &u[start..], place: apart(some * depth), part: numbers, w });
        }
    });
    Ok(w.iter().all(|w| w.is_finite()))
}

/// The gradients `w [channels, 3, 3]` of a filter, from those of the transformed one in each `place` and `part`, which
/// lie so far apart.
struct Gather<'a> {
    u: &'a [f32],
    place: usize,
    part: usize,
    w: &'a mut [f32],
}

impl WithSimd for Gather<'_> {
    type Output = ();

    /// `Gᵀ u G`.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (at, w) in self.w.chunks_mut(S::F32_LANES * 9).enumerate() {
            let mut sums = [simd.splat_f32s(0.0); 9];
            for place in 0..PLACES {
                let mut u = simd.splat_f32s(0.0);
                let parts = self.u[place * self.place..].chunks(self.part);
                for part in parts {
                    if part.len() >= (at + 1) * S::F32_LANES {
                        u = simd.add_f32s(u, vector::<S>(part, at * S::F32_LANES));
                    }
                }
                for tap in 0..9 {
                    let factor = FILTER[place / SIDE][tap / 3] * FILTER[place % SIDE][tap % 3];
                    sums[tap] = simd.mul_add_e_f32s(simd.splat_f32s(factor), u, sums[tap]);
                }
            }
            let mut taps = [[0.0; WIDTH]; 9];
            for tap in 0..9 {
                put::<S>(&mut taps[tap], 0, sums[tap]);
            }
            for (channel, w) in w.as_chunks_mut::<9>().0.iter_mut().enumerate() {
                for tap in 0..9 {
                    w[tap] = taps[tap][channel];
                }
            }
        }
    }
}

/// The gradient of some transformed filters of a group, from some blocks of tiles: `u [36, filters, channels]`,
/// channels filled up.
struct Gradient<'a> {
    sizes: &'a Sizes,
    g: &'a [f32],
    x: &'a [f32],
    u: &'a mut [f32],
    /// How far apart the places lie in it.
    place: usize,
    group: usize,
    filters: Range<usize>,
    blocks: Range<usize>,
}

impl WithSimd for Gradient<'_> {
    type Output = Result<()>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Result<()> {
        let Sizes { groups, channels, filters, output, .. } = *self.sizes;
        let taken = self.filters.len();
        let (depth, width) = (wide(channels), wide(taken));
        let most = self.sizes.most();
        let mut seen = Output::new(PLACES * apart(TILES * depth))?;
        let mut given = Output::new(PLACES * apart(TILES * width))?;
        let mut brought = Output::new(TILE * most * TILE * width)?;
        let (seen, given, brought) = (seen.slice(), given.slice(), brought.slice());
        let plane = output[0] * output[1];
        self.u.fill(0.0);
        for block in self.blocks {
            let tiles = see(simd, self.sizes, self.x, self.group, block, seen)?;
            for run in self.sizes.runs(block, most) {
                let filter = (run.image * groups + self.group) * filters + self.filters.start;
                let g = &self.g[filter * plane..];
                bring(g, output, run.at.map(|at| at as isize), [TILE, run.len * TILE], taken, brought);
                transform_run(
                    simd,
                    brought,
                    run,
                    width,
                    given,
                    #[inline(always)]
                    |g| transform::gradients(simd, g),
                );
            }
            for place in 0..PLACES {
                let a = Grid { data: &given[place * apart(TILES * width)..], row: 1, column: width };
                let b = Grid { data: &seen[place * apart(TILES * depth)..], row: depth, column: 1 };
                let c = &mut self.u[place * self.place..];
                product(simd, [taken, tiles, depth], a, b, (c, depth), true);
            }
        }
        Ok(())
    }
}
