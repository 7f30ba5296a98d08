//! The way back through a normalisation of the last axes.
use super::{contiguous, elements, finish, output};
use crate::{
    CpuValue, parallel,
    real::{LANES, PIECE, Real, halved},
    simd::{Level, dispatch},
    value::Output,
};
use firesteel_core::{Axes, Error, Meta, Metas, NormAxes, Outputs, Result};

/// Rows with the same channels whose gradients of weight and bias are summed before they are added to the others', where each
/// element is a channel. So a sum depends neither on the number of threads, nor grows its error with the number of rows.
const ROWS: usize = 32;

/// Whether there is a kernel.
pub(crate) fn has_kernel(norm: &NormAxes, xs: &[&Meta]) -> bool {
    channels(norm, xs).is_some()
}

/// `x` as `[.., groups, inside, size]`, of which the last two are normalised together, and weight and bias vary along the two
/// in the middle.
fn channels(norm: &NormAxes, xs: &[&Meta]) -> Option<[usize; 3]> {
    let NormAxes { axes, centred, affine } = norm;
    let (x, weight) = (xs[0], xs.get(if *centred { 4 } else { 3 }));
    let rank = x.shape.rank();
    let first = rank - axes.len();
    let along = match (affine, weight) {
        (Some(along), _) => along.clone(),
        (None, Some(weight)) => (0..rank).filter(|&a| weight.shape[a] != 1).collect(),
        (None, None) => Axes::new(),
    };
    let mut long = along.iter().copied().filter(|&a| x.shape[a] != 1);
    let start = long.clone().next().unwrap_or(first).min(first);
    let end = long.next_back().map_or(first, |last| last + 1).max(first);
    let others = (0..rank).filter(|a| !along.contains(a)).collect();
    let fits = axes.iter().copied().eq(first..rank)
        && weight.is_none_or(|weight| weight.shape == x.reduced(&others))
        && (start..end).all(|a| x.shape[a] == 1 || along.contains(&a));
    let size = |axes: std::ops::Range<usize>| x.shape[axes].iter().product();
    fits.then(|| [size(start..first), size(first..end), size(end..rank)])
}

/// With `x̂ = (x - mean) r` and `ĝ = g w`:
/// ```text
/// dx = r (ĝ - mean ĝ - x̂ mean(ĝ x̂)),    dw = Σ g x̂,    db = Σ g
/// ```
/// Where no mean was taken away, neither is `mean ĝ`.
pub(crate) fn norm_grad<T: Real>(
    xs: &[&CpuValue],
    norm: &NormAxes,
    out: &Metas,
) -> Result<Outputs<CpuValue>> {
    let metas: Vec<&Meta> = xs.iter().map(|x| &x.meta).collect();
    let Some([groups, inside, size]) = channels(norm, &metas) else {
        return Err(Error::internal("norm_grad", "has no kernel for these axes"));
    };
    let xs = contiguous(xs)?;
    let (means, rest) = if norm.centred { (elements::<T>(&xs, 1), 2) } else { (&[][..], 1) };
    let (x, r, g) = (elements::<T>(&xs, 0), elements::<T>(&xs, rest), elements::<T>(&xs, rest + 1));
    let width = inside * size;
    let ones: Vec<T>;
    let weight = match xs.get(rest + 2).and_then(CpuValue::rows) {
        Some(weight) => weight,
        None => {
            ones = vec![T::of(1.0); groups * inside];
            &ones
        }
    };
    let affine = out.len() > 1;
    let mut dx = output::<T>(&out[0])?;
    // of each block of rows, the sums of both gradients for each of the groups in it
    let (block, within) = if size == 1 { (ROWS * groups, groups) } else { (1, 1) };
    let length = within * 2 * inside;
    let blocks = r.len().div_ceil(block);
    let mut partial = Output::<T>::new(if affine { blocks * length } else { 0 })?;
    let work = |first: usize, dx: &mut [T], [sums]: [&mut [T]; 1]| {
        let sums = sums.chunks_exact_mut(length).map(Some).chain(std::iter::repeat_with(|| None));
        for (number, (dx, mut sums)) in (first..).zip(dx.chunks_mut(block * width).zip(sums)) {
            if let Some(sums) = &mut sums {
                sums.fill(T::default());
            }
            for (row, dx) in (number * block..).zip(dx.chunks_exact_mut(width)) {
                let at = row * width..(row + 1) * width;
                let sums =
                    sums.as_deref_mut().map(|sums| &mut sums[row % within * 2 * inside..][..2 * inside]);
                let (mean, weight) = (means.get(row).copied(), &weight[row % groups * inside..][..inside]);
                let row = Row { x: &x[at.clone()], g: &g[at], weight, mean, r: r[row] };
                dispatch!(|L| if size == 1 {
                    row.back::<L>(dx, sums)
                } else {
                    row.of_channels::<L>(size, dx, sums)
                });
            }
        }
        Ok(())
    };
    parallel::rows(dx.slice(), block * width, [partial.slice()], parallel::GRAIN / 4, &work)?;
    if !affine {
        return Ok(finish([dx], out));
    }
    let [mut dw, mut db] = [output::<T>(&out[1])?, output::<T>(&out[2])?];
    let mut totals = vec![0.0; groups * 2 * inside];
    for (number, sums) in partial.read().chunks_exact(length).enumerate() {
        let totals = totals[number * block % groups * 2 * inside..].iter_mut();
        totals.zip(sums).for_each(|(total, sum)| *total += sum.to_f64());
    }
    let each = dw.slice().chunks_exact_mut(inside).zip(db.slice().chunks_exact_mut(inside));
    for ((dw, db), totals) in each.zip(totals.chunks_exact(2 * inside)) {
        let round = |(y, total): (&mut T, &f64)| *y = T::of(*total);
        let (of_weight, of_bias) = totals.split_at(inside);
        dw.iter_mut().zip(of_weight).for_each(round);
        db.iter_mut().zip(of_bias).for_each(round);
    }
    Ok(finish([dx, dw, db], out))
}

/// What is normalised together.
#[derive(Clone, Copy)]
struct Row<'a, T> {
    x: &'a [T],
    g: &'a [T],
    weight: &'a [T],
    mean: Option<T>,
    r: T,
}

impl<T: Real> Row<'_, T> {
    /// Writes `dx`, and adds to the sums of `dw` and `db`.
    #[inline(always)]
    fn back<L: Level>(self, dx: &mut [T], sums: Option<&mut [T]>) {
        let Row { x, g, weight, mean, r } = self;
        let n = T::of(x.len() as f64);
        let from = mean.unwrap_or_default();
        let (along, through) = totals::<T, L>([x, g, weight], from, r);
        let along = T::of(along) / n;
        let through = if mean.is_some() { T::of(through) / n } else { T::default() };
        for (((dx, x), g), w) in dx.iter_mut().zip(x).zip(g).zip(weight) {
            let standard = (*x - from) * r;
            *dx = (*g * *w - through - standard * along) * r;
        }
        if let Some(sums) = sums {
            let (dw, db) = sums.split_at_mut(x.len());
            for (((dw, db), x), g) in dw.iter_mut().zip(db).zip(x).zip(g) {
                *dw += *g * ((*x - from) * r);
                *db += *g;
            }
        }
    }

    /// The same of channels of `size` elements, each of which has one weight and one bias.
    #[inline(always)]
    fn of_channels<L: Level>(self, size: usize, dx: &mut [T], mut sums: Option<&mut [T]>) {
        let Row { x, g, weight, mean, r } = self;
        let n = x.len() as f64;
        let from = mean.unwrap_or_default();
        let (mut along, mut through) = (0.0, 0.0);
        for (c, (x, g)) in x.chunks_exact(size).zip(g.chunks_exact(size)).enumerate() {
            let (dw, db) = totals::<T, L>([x, g, &[]], from, r);
            along += dw * weight[c].to_f64();
            through += db * weight[c].to_f64();
            if let Some(sums) = &mut sums {
                sums[c] = T::of(dw);
                sums[weight.len() + c] = T::of(db);
            }
        }
        let along = T::of(along / n) * r * r;
        let through = if mean.is_some() { T::of(through / n) * r } else { T::default() };
        let channels = x.chunks_exact(size).zip(g.chunks_exact(size)).zip(dx.chunks_exact_mut(size));
        for (((x, g), dx), w) in channels.zip(weight) {
            let factor = *w * r;
            for ((dx, x), g) in dx.iter_mut().zip(x).zip(g) {
                *dx = *g * factor - through - (*x - from) * along;
            }
        }
    }
}

/// `(Σ ĝ x̂, Σ ĝ)` of `x`, `g` and a weight, which is 1 where there is none.
#[inline(always)]
fn totals<T: Real, L: Level>([x, g, weight]: [&[T]; 3], from: T, r: T) -> (f64, f64) {
    let ones = [T::of(1.0); LANES];
    let mut totals = ([0.0; LANES], [0.0; LANES]);
    for (piece, (x, g)) in x.chunks(PIECE).zip(g.chunks(PIECE)).enumerate() {
        let weight = weight.get(piece * PIECE..).unwrap_or_default();
        let (mut along, mut through) = ([T::default(); LANES], [T::default(); LANES]);
        let ((xs, x), (gs, g), (ws, _)) =
            (x.as_chunks::<LANES>(), g.as_chunks::<LANES>(), weight.as_chunks::<LANES>());
        for (at, (x, g)) in xs.iter().zip(gs).enumerate() {
            let w = ws.get(at).unwrap_or(&ones);
            for i in 0..LANES {
                let weighted = g[i] * w[i];
                along[i] = along[i].plus_product::<L>(weighted, (x[i] - from) * r);
                through[i] += weighted;
            }
        }
        let weight = weight.get(xs.len() * LANES..).unwrap_or_default();
        for (i, (x, g)) in x.iter().zip(g).enumerate() {
            let weighted = *g * weight.get(i).copied().unwrap_or(ones[0]);
            along[i] = along[i].plus_product::<L>(weighted, (*x - from) * r);
            through[i] += weighted;
        }
        for i in 0..LANES {
            totals.0[i] += along[i].to_f64();
            totals.1[i] += through[i].to_f64();
        }
    }
    (halved(totals.0, |a, b| a + b), halved(totals.1, |a, b| a + b))
}
