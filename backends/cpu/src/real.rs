//! Real numbers as kernels compute with them, and folds over rows of them.
use crate::{gemm::Product, math::Math};
use std::ops::{AddAssign, Div, Neg, Sub};

/// A type that normalisations, softmax and losses are computed in; halves are widened to F32.
pub(crate) trait Real:
    Product + Math + AddAssign + Sub<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    const NEG_INFINITY: Self;
    fn of(x: f64) -> Self;
    fn to_f64(self) -> f64;
}

macro_rules! real {
    ($($t:ty)*) => {$(
        impl Real for $t {
            const NEG_INFINITY: Self = <$t>::NEG_INFINITY;
            #[inline(always)]
            fn of(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self.into()
            }
        }
    )*};
}

real! { f32 f64 }

/// Lanes that a row is folded in.
pub(crate) const LANES: usize = 32;
/// How many elements are summed before their sum is added to a total in F64: the error of a sum does not grow
/// with its length.
pub(crate) const PIECE: usize = 2048;

/// `Σ f(x)`.
#[inline(always)]
pub(crate) fn sum<T: Real>(x: &[T], f: impl Fn(T) -> T) -> f64 {
    let [sum] = sums(x, |x| [f(x)]);
    sum
}

/// The sums of each of several `f(x)`.
#[inline(always)]
pub(crate) fn sums<T: Real, const N: usize>(x: &[T], f: impl Fn(T) -> [T; N]) -> [f64; N] {
    let mut totals = [[0.0; LANES]; N];
    for piece in x.chunks(PIECE) {
        let mut lanes = [[T::default(); LANES]; N];
        let (whole, rest) = piece.as_chunks::<LANES>();
        for xs in whole {
            for i in 0..LANES {
                let y = f(xs[i]);
                for n in 0..N {
                    lanes[n][i] += y[n];
                }
            }
        }
        for (i, x) in rest.iter().enumerate() {
            let y = f(*x);
            for n in 0..N {
                lanes[n][i] += y[n];
            }
        }
        // as many totals as lanes, so that these stay in the same vectors
        for n in 0..N {
            for i in 0..LANES {
                totals[n][i] += lanes[n][i].to_f64();
            }
        }
    }
    totals.map(|lanes| halved(lanes, |a, b| a + b))
}

/// Replaces each `x` by `f(x)`; gives their sum.
#[inline(always)]
pub(crate) fn replaced<T: Real>(x: &mut [T], f: impl Fn(T) -> T) -> f64 {
    let mut totals = [0.0; LANES];
    for piece in x.chunks_mut(PIECE) {
        let mut lanes = [T::default(); LANES];
        let (whole, rest) = piece.as_chunks_mut::<LANES>();
        for xs in whole {
            for i in 0..LANES {
                xs[i] = f(xs[i]);
                lanes[i] += xs[i];
            }
        }
        for (lane, x) in lanes.iter_mut().zip(rest) {
            *x = f(*x);
            *lane += *x;
        }
        for i in 0..LANES {
            totals[i] += lanes[i].to_f64();
        }
    }
    halved(totals, |a, b| a + b)
}

/// The largest element; -∞ of none. NaN is passed over.
#[inline(always)]
pub(crate) fn largest<T: Real>(x: &[T]) -> T {
    largest_of(x, |x| x)
}

/// The largest `f(x)`.
#[inline(always)]
pub(crate) fn largest_of<T: Real>(x: &[T], f: impl Fn(T) -> T) -> T {
    let mut lanes = [T::NEG_INFINITY; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for xs in whole {
        // all of them anew: of lanes that stay some as they are, each would be written by itself
        let mut next = lanes;
        for i in 0..LANES {
            next[i] = larger(lanes[i], f(xs[i]));
        }
        lanes = next;
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane = larger(*lane, f(*x));
    }
    halved(lanes, larger)
}

/// Lanes joined by halves; a power of two of them.
#[inline(always)]
pub(crate) fn halved<T: Copy, const N: usize>(mut lanes: [T; N], join: impl Fn(T, T) -> T) -> T {
    let mut width = N;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            lanes[i] = join(lanes[i], lanes[i + width]);
        }
    }
    lanes[0]
}

#[inline(always)]
pub(crate) fn larger<T: PartialOrd>(a: T, b: T) -> T {
    if b > a { b } else { a }
}
