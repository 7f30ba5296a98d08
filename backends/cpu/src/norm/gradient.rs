//! The way back through a normalisation of the last axes.
use super::{contiguous, elements, finish, output};
use crate::{
    CpuValue, parallel,
    real::{LANES, PIECE, Real, halved},
    simd::{Level, dispatch},
    value::Output,
};
use firesteel_core::{Meta, Metas, NormAxes, Outputs, Result};

/// Rows whose gradients of weight and bias are summed before they are added to the others'. So a sum depends neither on the
/// number of threads, nor grows its error with the number of rows.
const ROWS: usize = 32;

/// Whether there is a kernel: for axes that are the last ones, along which weight and bias vary.
pub(crate) fn has_kernel(norm: &NormAxes, xs: &[&Meta]) -> bool {
    let NormAxes { axes, centred, affine } = norm;
    let (shape, weight) = (&xs[0].shape, xs.get(if *centred { 4 } else { 3 }));
    let others = shape.rank() - axes.len();
    let vary =
        |w: &Meta| w.shape[..others].iter().all(|&size| size == 1) && w.shape[others..] == shape[others..];
    axes.iter().copied().eq(others..shape.rank())
        && affine.as_ref().is_none_or(|a| a == axes)
        && weight.is_none_or(|w| vary(w))
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
    let xs = contiguous(xs)?;
    let (means, rest) = if norm.centred { (elements::<T>(&xs, 1), 2) } else { (&[][..], 1) };
    let (x, r, g) = (elements::<T>(&xs, 0), elements::<T>(&xs, rest), elements::<T>(&xs, rest + 1));
    let width: usize = norm.axes.iter().map(|&axis| out[0].shape[axis]).product();
    let ones: Vec<T>;
    let weight = match xs.get(rest + 2).and_then(CpuValue::rows) {
        Some(weight) => weight,
        None => {
            ones = vec![T::of(1.0); width];
            &ones
        }
    };
    let affine = out.len() > 1;
    let mut dx = output::<T>(&out[0])?;
    // of each block of rows, the sums of both gradients
    let blocks = r.len().div_ceil(ROWS);
    let mut partial = Output::<T>::new(if affine { blocks * 2 * width } else { 0 })?;
    let sums = partial.slice().chunks_mut(2 * width).map(Some).chain(std::iter::repeat_with(|| None));
    let jobs = dx.slice().chunks_mut(ROWS * width).zip(sums).enumerate();
    parallel::jobs(jobs.collect(), |(block, (dx, mut sums)): (usize, (&mut [T], Option<&mut [T]>))| {
        if let Some(sums) = &mut sums {
            sums.fill(T::default());
        }
        for (i, dx) in dx.chunks_exact_mut(width).enumerate() {
            let row = block * ROWS + i;
            let at = row * width..(row + 1) * width;
            let row = Row { x: &x[at.clone()], g: &g[at], weight, mean: means.get(row).copied(), r: r[row] };
            dispatch!(|L| row.back::<L>(dx, sums.as_deref_mut()));
        }
    });
    if !affine {
        return Ok(finish([dx], out));
    }
    let [mut dw, mut db] = [output::<T>(&out[1])?, output::<T>(&out[2])?];
    let mut totals = vec![0.0; 2 * width];
    for sums in partial.read().chunks_exact(2 * width) {
        totals.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum.to_f64());
    }
    let (of_weight, of_bias) = totals.split_at(width);
    dw.slice().iter_mut().zip(of_weight).for_each(|(y, total)| *y = T::of(*total));
    db.slice().iter_mut().zip(of_bias).for_each(|(y, total)| *y = T::of(*total));
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
        let (along, through) = self.totals::<L>(from);
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

    /// `(Σ ĝ x̂, Σ ĝ)`.
    #[inline(always)]
    fn totals<L: Level>(self, from: T) -> (f64, f64) {
        let Row { x, g, weight, r, .. } = self;
        let mut totals = ([0.0; LANES], [0.0; LANES]);
        for ((x, g), w) in x.chunks(PIECE).zip(g.chunks(PIECE)).zip(weight.chunks(PIECE)) {
            let (mut along, mut through) = ([T::default(); LANES], [T::default(); LANES]);
            let ((xs, x), (gs, g), (ws, w)) =
                (x.as_chunks::<LANES>(), g.as_chunks::<LANES>(), w.as_chunks::<LANES>());
            for ((x, g), w) in xs.iter().zip(gs).zip(ws) {
                for i in 0..LANES {
                    let weighted = g[i] * w[i];
                    along[i] = along[i].plus_product::<L>(weighted, (x[i] - from) * r);
                    through[i] += weighted;
                }
            }
            for (i, ((x, g), w)) in x.iter().zip(g).zip(w).enumerate() {
                let weighted = *g * *w;
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
}
