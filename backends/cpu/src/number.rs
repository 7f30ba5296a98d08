//! The arithmetic of elements that are joined: in what precision, and how.
use crate::value::Native;
use half::{bf16, f16};

/// An element that can be joined with others.
pub(crate) trait Number: Native {
    /// What a few of them are joined in: F32 for half precision.
    type Lane: Arithmetic;
    /// What all of them are joined in: F64 for every float.
    type Total: Arithmetic;

    fn lane(self) -> Self::Lane;
    fn total(lane: Self::Lane) -> Self::Total;
    /// The nearest element.
    fn of(total: Self::Total) -> Self;
    /// The nearest element.
    fn of_lane(lane: Self::Lane) -> Self;
}

/// What joining needs; integers wrap.
pub(crate) trait Arithmetic: Copy + Send + Sync + PartialOrd {
    const ZERO: Self;
    const ONE: Self;
    /// Not above any other.
    const LOWEST: Self;
    /// Not below any other.
    const HIGHEST: Self;

    fn plus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn over(self, count: usize) -> Self;

    /// Only NaN differs from itself.
    #[inline(always)]
    #[allow(clippy::eq_op)]
    fn is_nan(self) -> bool {
        self != self
    }
}

macro_rules! floats {
    ($($t:ident)*) => {$(
        impl Arithmetic for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const LOWEST: Self = $t::NEG_INFINITY;
            const HIGHEST: Self = $t::INFINITY;
            #[inline(always)]
            fn plus(self, other: Self) -> Self { self + other }
            #[inline(always)]
            fn times(self, other: Self) -> Self { self * other }
            #[inline(always)]
            fn over(self, count: usize) -> Self { self / count as $t }
        }
    )*};
}

macro_rules! integers {
    ($($t:ident)*) => {$(
        impl Arithmetic for $t {
            const ZERO: Self = 0;
            const ONE: Self = 1;
            const LOWEST: Self = $t::MIN;
            const HIGHEST: Self = $t::MAX;
            #[inline(always)]
            fn plus(self, other: Self) -> Self { self.wrapping_add(other) }
            #[inline(always)]
            fn times(self, other: Self) -> Self { self.wrapping_mul(other) }
            #[inline(always)]
            fn over(self, count: usize) -> Self { (self as i128 / count.max(1) as i128) as $t }
        }
    )*};
}

floats! { f32 f64 }
integers! { i64 i32 i8 u32 u8 }

macro_rules! numbers {
    ($($t:ident in $lane:ident, $total:ident: $widen:expr, $narrow:expr;)*) => {$(
        impl Number for $t {
            type Lane = $lane;
            type Total = $total;
            #[inline(always)]
            fn lane(self) -> $lane { ($widen)(self) }
            #[inline(always)]
            fn total(lane: $lane) -> $total { lane as $total }
            #[inline(always)]
            fn of(total: $total) -> $t { ($narrow)(total as $lane) }
            #[inline(always)]
            fn of_lane(lane: $lane) -> $t { ($narrow)(lane) }
        }
    )*};
}

numbers! {
    f64 in f64, f64: |x| x, |x| x;
    f32 in f32, f64: |x| x, |x| x;
    bf16 in f32, f64: |x: bf16| f32::from_bits(u32::from(x.to_bits()) << 16), bf16::from_f32;
    f16 in f32, f64: widened, f16::from_f32;
    i64 in i64, i64: |x| x, |x| x;
    i32 in i32, i32: |x| x, |x| x;
    i8 in i8, i8: |x| x, |x| x;
    u32 in u32, u32: |x| x, |x| x;
    u8 in u8, u8: |x| x, |x| x;
}

/// Half precision as F32, in arithmetic that a vector can do: the bits stand 13 places higher in F32, and the
/// exponents of both begin 112 apart.
#[inline(always)]
fn widened(x: f16) -> f32 {
    let (bits, exponent) = (u32::from(x.to_bits()), u32::from(f16::INFINITY.to_bits()));
    let (sign, size) = ((bits & 0x8000) << 16, bits & 0x7fff);
    let finite = (f32::from_bits(size << 13) * f32::from_bits((127 + 112) << 23)).to_bits();
    let special = (size << 13) | f32::INFINITY.to_bits();
    f32::from_bits(sign | if size < exponent { finite } else { special })
}

/// A way of joining, whose order does not matter.
pub(crate) trait Fold {
    /// What changes nothing.
    fn start<A: Arithmetic>() -> A;
    fn join<A: Arithmetic>(a: A, b: A) -> A;
}

pub(crate) struct Sum;
pub(crate) struct Prod;
/// The larger, NaN where one is.
pub(crate) struct Max;
/// The smaller, NaN where one is.
pub(crate) struct Min;

macro_rules! folds {
    ($($fold:ident: $start:ident, |$a:ident, $b:ident| $join:expr;)*) => {$(
        impl Fold for $fold {
            #[inline(always)]
            fn start<A: Arithmetic>() -> A { A::$start }
            #[inline(always)]
            fn join<A: Arithmetic>($a: A, $b: A) -> A { $join }
        }
    )*};
}

folds! {
    Sum: ZERO, |a, b| a.plus(b);
    Prod: ONE, |a, b| a.times(b);
    // where `b` is NaN no comparison holds, and it stays
    Max: LOWEST, |a, b| if a > b || a.is_nan() { a } else { b };
    Min: HIGHEST, |a, b| if a < b || a.is_nan() { a } else { b };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_widens_as_it_should() {
        for bits in 0..=u16::MAX {
            let (found, wanted) = (widened(f16::from_bits(bits)), f16::from_bits(bits).to_f32());
            assert!(found.to_bits() == wanted.to_bits() || found.is_nan() && wanted.is_nan(), "{bits:x}");
        }
    }
}
