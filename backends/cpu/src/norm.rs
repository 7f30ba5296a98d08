//! Normalisations: `y = (x - mean) / √(var + eps) · weight + bias`, the statistics in F64.
mod gradient;

pub(crate) use gradient::{has_kernel, norm_grad};

use crate::{
    CpuValue, parallel,
    real::{Real, halved, sum, sums},
    simd::{dispatch, dispatch_v3},
    value::Output,
    view,
};
use firesteel_core::{Meta, Metas, Outputs, Result};

/// `(y, mean, 1/σ)` over the last `dims` axes.
pub(crate) fn layer_norm<T: Real>(
    xs: &[&CpuValue],
    dims: usize,
    eps: f64,
    out: &Metas,
) -> Result<Outputs<CpuValue>> {
    by_rows::<T>(xs, [1, width(xs[0], dims), 1], eps, out)
}

/// `(y, mean, 1/σ)` of each group of channels of each example of `x [n, c, ..]`.
pub(crate) fn group_norm<T: Real>(
    xs: &[&CpuValue],
    groups: usize,
    eps: f64,
    out: &Metas,
) -> Result<Outputs<CpuValue>> {
    let [_, groups, inside, size] = xs[0].meta.grouped(groups);
    by_rows::<T>(xs, [groups, inside, size], eps, out)
}

/// `(y, mean, 1/σ)` of rows that have `inside` channels of `size` elements each; after so many groups come those with the
/// same channels.
fn by_rows<T: Real>(
    xs: &[&CpuValue],
    [groups, inside, size]: [usize; 3],
    eps: f64,
    out: &Metas,
) -> Result<Outputs<CpuValue>> {
    let xs = contiguous(xs)?;
    let x = elements::<T>(&xs, 0);
    let width = inside * size;
    let (weight, bias) = (elements::<T>(&xs, 1), elements::<T>(&xs, 2));
    let [mut y, mut means, mut rstds] = [output(&out[0])?, output(&out[1])?, output(&out[2])?];
    let work = |first: usize, y: &mut [T], [means, rstds]: [&mut [T]; 2]| {
        let rows = x[first * width..].chunks_exact(width).zip(y.chunks_exact_mut(width));
        for (row, ((x, y), (mean, rstd))) in (first..).zip(rows.zip(means.iter_mut().zip(rstds))) {
            let channels = row % groups * inside;
            let [weight, bias] = [weight, bias].map(|each| each.get(channels..).unwrap_or_default());
            (*mean, *rstd) = dispatch!(|L| {
                let y = y; // given away, so that this is no function of its own, which would be compiled for the baseline
                let (mean, rstd) = statistics(&[x], width, eps);
                if size == 1 {
                    affine(x, y, mean, rstd, weight, bias);
                } else {
                    for (c, (x, y)) in x.chunks_exact(size).zip(y.chunks_exact_mut(size)).enumerate() {
                        channel(x, y, mean, rstd, weight.get(c), bias.get(c));
                    }
                }
                (mean, rstd)
            });
        }
        Ok(())
    };
    parallel::rows(y.slice(), width, [means.slice(), rstds.slice()], parallel::GRAIN / 4, &work)?;
    Ok(finish([y, means, rstds], out))
}

/// `(y, 1/rms)` over the last `dims` axes.
pub(crate) fn rms_norm<T: Real>(
    xs: &[&CpuValue],
    dims: usize,
    eps: f64,
    out: &Metas,
) -> Result<Outputs<CpuValue>> {
    let xs = contiguous(xs)?;
    let (x, weight) = (elements::<T>(&xs, 0), elements::<T>(&xs, 1));
    let width = width(&xs[0], dims);
    let [mut y, mut rrms] = [output(&out[0])?, output(&out[1])?];
    parallel::rows(y.slice(), width, [rrms.slice()], parallel::GRAIN / 4, &|first, y, [rrms]| {
        let rows = x[first * width..].chunks_exact(width).zip(y.chunks_exact_mut(width));
        for ((x, y), rrms) in rows.zip(rrms) {
            dispatch_v3!(|L| {
                *rrms = T::of(1.0 / (sum(x, |x| x * x) / width as f64 + eps).sqrt());
                affine(x, y, T::default(), *rrms, weight, &[]);
            });
        }
        Ok(())
    })?;
    Ok(finish([y, rrms], out))
}

/// `(y, mean, 1/σ)` of each channel of `x [n, c, ..]`.
pub(crate) fn batch_norm<T: Real>(xs: &[&CpuValue], eps: f64, out: &Metas) -> Result<Outputs<CpuValue>> {
    let xs = contiguous(xs)?;
    let x = elements::<T>(&xs, 0);
    let (weight, bias) = (elements::<T>(&xs, 1), elements::<T>(&xs, 2));
    let shape = &xs[0].meta.shape;
    let (batch, channels, size) = (shape[0], shape[1], shape[2..].iter().product::<usize>());
    let [mut y, mut means, mut rstds] = [output(&out[0])?, output(&out[1])?, output(&out[2])?];

    let grain = (parallel::GRAIN / (batch * size)).max(1);
    parallel::rows(means.slice(), 1, [rstds.slice()], grain, &|first, means, [rstds]| {
        if size == 1 {
            columns(x, channels, first, means, rstds, eps);
            return Ok(());
        }
        for (i, (mean, rstd)) in means.iter_mut().zip(rstds).enumerate() {
            let planes: Vec<&[T]> =
                (0..batch).map(|n| &x[(n * channels + first + i) * size..][..size]).collect();
            (*mean, *rstd) = dispatch_v3!(|L| statistics(&planes, batch * size, eps));
        }
        Ok(())
    })?;

    let (mean, rstd) = (means.slice(), rstds.slice());
    if size == 1 {
        parallel::pieces(y.slice(), channels, parallel::GRAIN, |first, y| {
            let rows = x[first * channels..].chunks_exact(channels).zip(y.chunks_exact_mut(channels));
            dispatch_v3!(|L| for (x, y) in rows {
                for c in 0..channels {
                    y[c] = (x[c] - mean[c]) * rstd[c];
                }
                scale(y, weight, bias);
            });
        });
    } else {
        parallel::pieces(y.slice(), size, parallel::GRAIN, |first, y| {
            for (i, y) in y.chunks_exact_mut(size).enumerate() {
                let (at, c) = (first + i, (first + i) % channels);
                let x = &x[at * size..][..size];
                dispatch_v3!(|L| channel(x, y, mean[c], rstd[c], weight.get(c), bias.get(c)));
            }
        });
    }
    Ok(finish([y, means, rstds], out))
}

/// Mean and 1/σ of what lies in several pieces.
#[inline(always)]
fn statistics<T: Real>(pieces: &[&[T]], count: usize, eps: f64) -> (T, T) {
    // Around what is near the mean, one pass gives both: var = mean (x - p)² - (mean (x - p))².
    let pivot = pieces.first().map_or(T::default(), |x| near(x));
    let (shift, square) = around(pieces, count, pivot);
    let (mean, variance) = (pivot.to_f64() + shift, square - shift * shift);
    let (mean, variance) = if shift * shift <= variance {
        (T::of(mean), variance)
    } else {
        // it was not near, and most digits of the difference are lost
        let mean = T::of(mean);
        (mean, around(pieces, count, mean).1)
    };
    (mean, T::of(1.0 / (variance + eps).sqrt()))
}

/// The mean of the first few.
#[inline(always)]
fn near<T: Real>(x: &[T]) -> T {
    const FEW: usize = 16;
    match x.first_chunk::<FEW>() {
        Some(few) => halved(*few, |a, b| a.plus(b)) / T::of(FEW as f64),
        None => x.first().copied().unwrap_or_default(),
    }
}

/// The means of `x - p` and `(x - p)²`.
#[inline(always)]
fn around<T: Real>(pieces: &[&[T]], count: usize, pivot: T) -> (f64, f64) {
    let (mut total, mut squares) = (0.0, 0.0);
    // a loop, since an iterator's sum would be a function of its own, compiled for the baseline
    for x in pieces {
        let [sum, square] = sums(x, |x| {
            let centred = x - pivot;
            [centred, centred * centred]
        });
        total += sum;
        squares += square;
    }
    (total / count as f64, squares / count as f64)
}

/// Mean and 1/σ of columns `first..` of the matrix `x [.., channels]`.
fn columns<T: Real>(x: &[T], channels: usize, first: usize, means: &mut [T], rstds: &mut [T], eps: f64) {
    let width = means.len();
    let rows = || x.chunks_exact(channels).map(|x| &x[first..first + width]);
    let count = rows().len() as f64;
    let mut sums = vec![0.0; width];
    dispatch_v3!(|L| {
        for x in rows() {
            sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += x.to_f64());
        }
        for (mean, sum) in means.iter_mut().zip(&mut sums) {
            *mean = T::of(*sum / count);
            *sum = 0.0;
        }
        for x in rows() {
            for ((sum, x), mean) in sums.iter_mut().zip(x).zip(&*means) {
                let centred = (*x - *mean).to_f64();
                *sum += centred * centred;
            }
        }
        for (rstd, sum) in rstds.iter_mut().zip(&sums) {
            *rstd = T::of(1.0 / (sum / count + eps).sqrt());
        }
    });
}

/// `y = (x - mean) · rstd · weight + bias`, without those that are empty.
#[inline(always)]
fn affine<T: Real>(x: &[T], y: &mut [T], mean: T, rstd: T, weight: &[T], bias: &[T]) {
    let y = y.iter_mut().zip(x.iter().map(|x| (*x - mean) * rstd));
    match (weight, bias) {
        ([], _) => y.for_each(|(y, x)| *y = x),
        (weight, []) => y.zip(weight).for_each(|((y, x), w)| *y = x * *w),
        (weight, bias) => y.zip(weight.iter().zip(bias)).for_each(|((y, x), (w, b))| *y = x * *w + *b),
    }
}

/// The same of a channel, which has one weight and one bias.
#[inline(always)]
fn channel<T: Real>(x: &[T], y: &mut [T], mean: T, rstd: T, weight: Option<&T>, bias: Option<&T>) {
    let factor = weight.map_or(rstd, |weight| *weight * rstd);
    let bias = bias.copied().unwrap_or_default();
    y.iter_mut().zip(x).for_each(|(y, x)| *y = (*x - mean) * factor + bias);
}

/// `y = y · weight + bias`, without those that are empty.
#[inline(always)]
fn scale<T: Real>(y: &mut [T], weight: &[T], bias: &[T]) {
    match (weight, bias) {
        ([], _) => (),
        (weight, []) => y.iter_mut().zip(weight).for_each(|(y, w)| *y = *y * *w),
        (weight, bias) => y.iter_mut().zip(weight.iter().zip(bias)).for_each(|(y, (w, b))| *y = *y * *w + *b),
    }
}

fn contiguous(xs: &[&CpuValue]) -> Result<Vec<CpuValue>> {
    xs.iter().map(|x| view::contiguous(x)).collect()
}

/// The elements of a row-major operand, none where it is missing.
fn elements<T: Real>(xs: &[CpuValue], i: usize) -> &[T] {
    xs.get(i).and_then(CpuValue::rows).unwrap_or_default()
}

/// Elements that are normalised together.
fn width(x: &CpuValue, dims: usize) -> usize {
    x.meta.shape[x.meta.shape.rank() - dims..].iter().product()
}

fn output<T: Real>(meta: &Meta) -> Result<Output<T>> {
    Output::new(meta.numel())
}

fn finish<T: Real, const N: usize>(ys: [Output<T>; N], out: &Metas) -> Outputs<CpuValue> {
    ys.into_iter().zip(out).map(|(y, meta)| y.finish(&meta.shape, meta.dtype)).collect()
}
