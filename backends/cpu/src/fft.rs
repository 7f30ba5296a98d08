//! Fourier transforms of rows, by the crate `rustfft`. A real row of an even size is read as a complex one of half of it,
//! whose transform is turned into that of the row.
use crate::{
    CpuValue, parallel,
    real::Real,
    simd::{Level, dispatch},
    value::Output,
    view,
};
use firesteel_core::{Error, FftWay, Meta, Result};
use num_complex::Complex;
use rustfft::{Fft, FftDirection, FftNum, FftPlanner};
use std::{
    collections::HashMap,
    f64::consts::TAU,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

/// How many elements the plans have together that are kept: a program that transforms rows of ever other sizes does not fill
/// the memory with them.
const KEPT: usize = 1 << 21;
/// The numbers that a plan may have for each element: a prime size goes by two transforms of up to four times its elements.
const PLANNED: usize = 16;

/// What is known of a size before any row of it is there.
#[derive(Clone)]
struct Plan<T: FftNum> {
    fft: Arc<dyn Fft<T>>,
    /// `e^(-2πi k/n)` for the first quarter of `k`, where a real row of `n` goes by `n/2` complex numbers.
    turns: Arc<[Complex<T>]>,
}

pub(crate) struct Plans<T: FftNum> {
    planner: FftPlanner<T>,
    /// By their sizes, ways, and whether they are of real rows.
    made: HashMap<(usize, FftWay, bool), Plan<T>>,
    /// The sizes of those together.
    held: usize,
}

impl<T: FftNum> Plans<T> {
    fn new() -> Self {
        Self { planner: FftPlanner::new(), made: HashMap::new(), held: 0 }
    }
}

/// A type that rows are transformed in.
pub(crate) trait Planned: Real + FftNum {
    fn plans() -> MutexGuard<'static, Plans<Self>>;
}

macro_rules! planned {
    ($($t:ty)*) => {$(
        impl Planned for $t {
            fn plans() -> MutexGuard<'static, Plans<Self>> {
                static PLANS: LazyLock<Mutex<Plans<$t>>> = LazyLock::new(|| Mutex::new(Plans::new()));
                PLANS.lock().unwrap_or_else(PoisonError::into_inner)
            }
        }
    )*};
}

planned! { f32 f64 }

/// How to transform rows of `n`, which may be real ones of an even size.
fn plan<T: Planned>(n: usize, way: FftWay, real: bool) -> Result<Plan<T>> {
    let key = (n, way, real);
    let mut plans = T::plans();
    if let Some(plan) = plans.made.get(&key) {
        return Ok(plan.clone());
    }
    // the planner itself has no error for what there is no memory for
    Vec::<Complex<T>>::new().try_reserve_exact(n.saturating_mul(PLANNED)).map_err(|e| {
        Error::memory("fft", format!("there is no memory to plan transforms of {n} numbers: {e}"))
    })?;
    let quarter = if real { n / 4 + 1 } else { 0 };
    let turn = |k: usize| (-TAU * k as f64 / n as f64).sin_cos();
    let turns = (0..quarter).map(turn).map(|(s, c)| Complex::new(T::of(c), T::of(s))).collect();
    let len = if real { n / 2 } else { n };
    let way = match way {
        FftWay::Forward => FftDirection::Forward,
        FftWay::Inverse => FftDirection::Inverse,
    };
    if n > KEPT {
        return Ok(Plan { fft: FftPlanner::new().plan_fft(len, way), turns });
    }
    if plans.held + n > KEPT {
        *plans = Plans::new();
    }
    let plan = Plan { fft: plans.planner.plan_fft(len, way), turns };
    plans.held += n;
    plans.made.insert(key, plan.clone());
    Ok(plan)
}

/// The transform of each row of `(rows, n, 2)`.
pub(crate) fn fft<T: Planned>(x: &CpuValue, way: FftWay, scale: f64, out: &Meta) -> Result<CpuValue> {
    let n = out.shape[1];
    let Plan { fft, .. } = plan::<T>(n, way, false)?;
    let factor = T::of(scale);
    each_row::<T>(x, out, [2 * n, 2 * n], fft.get_immutable_scratch_len(), |x, y, scratch| {
        fft.process_immutable_with_scratch(bytemuck::cast_slice(x), bytemuck::cast_slice_mut(y), scratch);
        if scale != 1. {
            y.iter_mut().for_each(|y| *y = *y * factor);
        }
    })
}

/// The first `n/2 + 1` of the transform of each row of the real `(rows, n)`.
pub(crate) fn rfft<T: Planned>(x: &CpuValue, way: FftWay, scale: f64, out: &Meta) -> Result<CpuValue> {
    let (n, width) = (x.meta.shape[1], 2 * out.shape[1]);
    let factor = T::of(scale);
    if !n.is_multiple_of(2) {
        let Plan { fft, .. } = plan::<T>(n, way, false)?;
        return each_row::<T>(x, out, [n, width], n + fft.get_inplace_scratch_len(), |x, y, scratch| {
            let (row, scratch) = scratch.split_at_mut(n);
            row.iter_mut().zip(x).for_each(|(row, x)| *row = Complex::new(*x * factor, T::default()));
            fft.process_with_scratch(row, scratch);
            bytemuck::cast_slice_mut(y).copy_from_slice(&row[..n / 2 + 1]);
        });
    }
    let half = n / 2;
    // the other way gives the conjugates
    let Plan { fft, turns } = plan::<T>(n, FftWay::Forward, true)?;
    let factors = Complex::new(scale, if way == FftWay::Forward { scale } else { -scale });
    each_row::<T>(x, out, [n, width], half + fft.get_immutable_scratch_len(), |x, y, scratch| {
        let (row, scratch) = scratch.split_at_mut(half);
        fft.process_immutable_with_scratch(bytemuck::cast_slice(x), row, scratch);
        dispatch!(|L| unfold::<L, T>(row, bytemuck::cast_slice_mut(y), &turns, factors));
    })
}

/// The real transform of each row of `(rows, n/2 + 1, 2)`.
pub(crate) fn irfft<T: Planned>(x: &CpuValue, way: FftWay, scale: f64, out: &Meta) -> Result<CpuValue> {
    let n = out.shape[1];
    let (half, width, factor) = (n / 2, 2 * (n / 2 + 1), T::of(scale));
    if !n.is_multiple_of(2) {
        let Plan { fft, .. } = plan::<T>(n, way, false)?;
        return each_row::<T>(x, out, [width, n], n + fft.get_inplace_scratch_len(), |x, y, scratch| {
            let (row, scratch) = scratch.split_at_mut(n);
            let (given, mirrored) = row.split_at_mut(half + 1);
            given.copy_from_slice(bytemuck::cast_slice(x));
            given[0].im = T::default();
            mirrored.iter_mut().zip(given[1..].iter().rev()).for_each(|(y, x)| *y = x.conj());
            fft.process_with_scratch(row, scratch);
            y.iter_mut().zip(row).for_each(|(y, row)| *y = row.re * factor);
        });
    }
    // the other way is that of the conjugates
    let Plan { fft, turns } = plan::<T>(n, FftWay::Inverse, true)?;
    let factors = Complex::new(scale, if way == FftWay::Inverse { scale } else { -scale });
    each_row::<T>(x, out, [width, n], half + fft.get_outofplace_scratch_len(), |x, y, scratch| {
        let (row, scratch) = scratch.split_at_mut(half);
        dispatch!(|L| fold::<L, T>(bytemuck::cast_slice(x), row, &turns, factors));
        fft.process_outofplace_with_scratch(row, bytemuck::cast_slice_mut(y), scratch);
    })
}

/// The transform `y` of a real row of `2 m` from that of the `m` complex numbers it was read as, its real and imaginary parts
/// times `factors`: with `e = (zₖ + z̄ₘ₋ₖ) / 2` and `o = (zₖ - z̄ₘ₋ₖ) / 2i`, those of the even and of the odd elements,
/// `yₖ = e + turnₖ o` and `yₘ₋ₖ` is the conjugate of `e - turnₖ o`.
#[inline(always)]
fn unfold<L: Level, T: Planned>(
    z: &[Complex<T>],
    y: &mut [Complex<T>],
    turns: &[Complex<T>],
    factors: Complex<f64>,
) {
    let m = z.len();
    let (re, im) = (T::of(factors.re), T::of(factors.im));
    y[0] = Complex::new((z[0].re + z[0].im) * re, T::default());
    y[m] = Complex::new((z[0].re - z[0].im) * re, T::default());
    let (re, im) = (re * T::of(0.5), im * T::of(0.5));
    let (z, y) = (&z[1..], &mut y[1..m]);
    for k in 0..m / 2 {
        let (a, b) = (z[k], z[m - 2 - k].conj());
        let (sum, difference) = (a + b, a - b);
        let turned = turns[k + 1] * Complex::new(difference.im, -difference.re);
        let (low, high) = (sum + turned, sum - turned);
        y[k] = Complex::new(low.re * re, low.im * im);
        y[m - 2 - k] = Complex::new(high.re * re, -high.im * im);
    }
}

/// The `m` complex numbers whose unscaled inverse transform is the real row of `2 m` that has the transform `x`, the real and
/// imaginary parts of which are multiplied by `factors`: undoes [`unfold`], twice as large.
#[inline(always)]
fn fold<L: Level, T: Planned>(
    x: &[Complex<T>],
    z: &mut [Complex<T>],
    turns: &[Complex<T>],
    factors: Complex<f64>,
) {
    let m = z.len();
    let (re, im) = (T::of(factors.re), T::of(factors.im));
    z[0] = Complex::new((x[0].re + x[m].re) * re, (x[0].re - x[m].re) * re);
    let (x, z) = (&x[1..m], &mut z[1..]);
    for k in 0..m / 2 {
        let (a, b) = (x[k], x[m - 2 - k]);
        let (a, b) = (Complex::new(a.re * re, a.im * im), Complex::new(b.re * re, -b.im * im));
        let (sum, difference) = (a + b, a - b);
        let turned = turns[k + 1].conj() * difference;
        let turned = Complex::new(-turned.im, turned.re);
        z[k] = sum + turned;
        z[m - 2 - k] = (sum - turned).conj();
    }
}

/// Runs `work` with each row of the operand, that of the result, and complex numbers to work in; rows have so many numbers.
fn each_row<T: Planned>(
    x: &CpuValue,
    out: &Meta,
    [from, to]: [usize; 2],
    scratch: usize,
    work: impl Fn(&[T], &mut [T], &mut [Complex<T>]) + Sync,
) -> Result<CpuValue> {
    let x = view::contiguous(x)?;
    let x = x.rows::<T>().unwrap_or_default();
    let mut y = Output::<T>::new(out.numel())?;
    let none: [&mut [T]; 0] = [];
    parallel::rows(y.slice(), to, none, parallel::GRAIN / 8, &|first, y, _| {
        let mut room = Output::<T>::new(scratch.saturating_mul(2))?;
        let scratch = bytemuck::cast_slice_mut(room.slice());
        let rows = x[first * from..].chunks_exact(from).zip(y.chunks_exact_mut(to));
        rows.for_each(|(x, y)| work(x, y, scratch));
        Ok(())
    })?;
    Ok(y.finish(&out.shape, out.dtype))
}
