//! The arithmetic of elements that are joined: in what precision, and how.
use crate::value::Native;

/// An element that can be joined with others. Those of few bits cannot, and are
/// [widened](crate::wide::widened).
pub(crate) trait Number: Native + Arithmetic {
    /// What many of them are joined in: F64 for every float.
    type Total: Arithmetic;

    fn total(self) -> Self::Total;
    /// The nearest element.
    fn of(total: Self::Total) -> Self;
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
    /// `a` where `first` is set, else `b`: by bits and not by a branch, so that loops become vector code.
    fn choose(first: bool, a: Self, b: Self) -> Self;

    /// Only NaN differs from itself.
    #[inline(always)]
    #[allow(clippy::eq_op)]
    fn is_nan(self) -> bool {
        self != self
    }
}

macro_rules! floats {
    ($($t:ident: $bits:ident;)*) => {$(
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
            #[inline(always)]
            fn choose(first: bool, a: Self, b: Self) -> Self {
                let mask = $bits::from(first).wrapping_neg();
                $t::from_bits((a.to_bits() & mask) | (b.to_bits() & !mask))
            }
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
            #[inline(always)]
            fn choose(first: bool, a: Self, b: Self) -> Self {
                let mask = $t::from(first).wrapping_neg();
                (a & mask) | (b & !mask)
            }
        }
    )*};
}

floats! { f32: u32; f64: u64; }
integers! { i64 i32 u32 u8 }

macro_rules! numbers {
    ($($t:ident in $total:ident;)*) => {$(
        impl Number for $t {
            type Total = $total;
            #[inline(always)]
            fn total(self) -> $total { self as $total }
            #[inline(always)]
            fn of(total: $total) -> $t { total as $t }
        }
    )*};
}

numbers! {
    f64 in f64;
    f32 in f64;
    i64 in i64;
    i32 in i32;
    u8 in u8;
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
