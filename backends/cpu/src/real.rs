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
const LANES: usize = 32;
/// How many elements are summed before their sum is added to a total in F64: the error of a sum does not grow
/// with its length.
const PIECE: usize = 2048;

/// `Σ f(x)`.
#[inline(always)]
pub(crate) fn sum<T: Real>(x: &[T], f: impl Fn(T) -> T) -> f64 {
    let mut totals = [0.0; LANES];
    for piece in x.chunks(PIECE) {
        let mut lanes = [T::default(); LANES];
        let (whole, rest) = piece.as_chunks::<LANES>();
        for xs in whole {
            for i in 0..LANES {
                lanes[i] += f(xs[i]);
            }
        }
        for (lane, x) in lanes.iter_mut().zip(rest) {
            *lane += f(*x);
        }
        // as many totals as lanes, so that these stay in the same vectors
        for i in 0..LANES {
            totals[i] += lanes[i].to_f64();
        }
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            totals[i] += totals[i + width];
        }
    }
    totals[0]
}

/// The largest element; -∞ of none. NaN is passed over.
#[inline(always)]
pub(crate) fn largest<T: Real>(x: &[T]) -> T {
    let mut lanes = [T::NEG_INFINITY; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for xs in whole {
        for (lane, x) in lanes.iter_mut().zip(xs) {
            *lane = larger(*lane, *x);
        }
    }
    lanes.iter().chain(rest).fold(T::NEG_INFINITY, |max, x| larger(max, *x))
}

#[inline(always)]
pub(crate) fn larger<T: PartialOrd>(a: T, b: T) -> T {
    if b > a { b } else { a }
}
