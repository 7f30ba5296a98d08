//! What a loop over elements computes in, and the shapes such loops have.
use crate::{
    simd::{Level, dispatch, dispatch_v3},
    stream::{CacheLine, fetch},
    value::Native,
};
use bytemuck::{Pod, cast};
use firesteel_core::{Binary, Compare, Unary};
use smallvec::SmallVec;

/// An operand's elements beside a run of results: one for each, or one for all.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Line<'a, T> {
    Many(&'a [T]),
    One(T),
}

impl<'a, T> Line<'a, T> {
    /// Those beside `len` results from number `start` on, where there are many.
    fn many(self, start: usize, len: usize) -> Option<&'a [T]> {
        match self {
            Line::Many(x) => Some(&x[start..start + len]),
            Line::One(_) => None,
        }
    }

    /// All of many, or the one.
    pub(crate) fn as_slice(&self) -> &[T] {
        match self {
            Line::Many(x) => x,
            Line::One(x) => std::slice::from_ref(x),
        }
    }
}

/// A type that arithmetic is done in: half precision is not, and goes through f32.
pub(crate) trait Number: Native {
    const IS_FLOAT: bool;

    /// `y[i] = f(x[i])`. The kind is one that [`infer`](firesteel_core::infer) lets this type have.
    fn unary(kind: Unary, x: &[Self], y: &mut [Self]);

    /// `y[i] = f(a[i], b[i])`; false where a whole number was divided by zero.
    #[must_use]
    fn binary(kind: Binary, a: &[Self], b: &[Self], y: &mut [Self]) -> bool;

    /// [`binary`](Self::binary) where one operand is one number for all and there is a loop for that; else false.
    #[must_use]
    fn with_one(_kind: Binary, _a: Line<Self>, _b: Line<Self>, _y: &mut [Self]) -> bool {
        false
    }

    /// [`binary`](Self::binary) or [`with_one`](Self::with_one) into lines of memory, around the caches, where there is a loop
    /// for that; else false.
    #[must_use]
    fn past(_kind: Binary, _a: Line<Self>, _b: Line<Self>, _y: &mut [CacheLine]) -> bool {
        false
    }

    /// `y[i] = x[i]` to the power that all share, where there is a way that is faster and as exact as
    /// [`binary`](Self::binary)'s.
    #[must_use]
    fn power(x: &[Self], exponent: Self, y: &mut [Self]) -> bool;

    /// `y[i] = a[i] ? b[i]`, as 0 or 1.
    fn compare(kind: Compare, a: &[Self], b: &[Self], y: &mut [u8]);
}

/// How often one operand for all is written out, to be read as if there were many.
const REPEATED: usize = 256;

/// Calls `f` with as many of both operands as of results: with all where both are many, else with one part after
/// another. So each loop is compiled for many alone.
pub(crate) fn in_pairs<T: Copy, U>(
    a: Line<T>,
    b: Line<T>,
    y: &mut [U],
    mut f: impl FnMut(&[T], &[T], &mut [U]),
) {
    if let (Line::Many(a), Line::Many(b)) = (a, b) {
        return f(a, b, y);
    }
    let len = y.len().min(REPEATED);
    let repeated = |x: Line<T>| match x {
        Line::Many(_) => SmallVec::<[T; REPEATED]>::new(),
        Line::One(x) => SmallVec::from_elem(x, len),
    };
    let (same_a, same_b) = (repeated(a), repeated(b));
    for (part, y) in y.chunks_mut(REPEATED).enumerate() {
        let (start, n) = (part * REPEATED, y.len());
        f(
            a.many(start, n).unwrap_or_else(|| &same_a[..n]),
            b.many(start, n).unwrap_or_else(|| &same_b[..n]),
            y,
        );
    }
}

/// `y[i] = f(x[i])`.
#[inline(always)]
pub(crate) fn map<T: Copy, U>(x: &[T], y: &mut [U], f: impl Fn(T) -> U) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = f(*x);
    }
}

/// `y[i] = f(a[i], b[i])`.
#[inline(always)]
pub(crate) fn zip<T: Copy, U>(a: &[T], b: &[T], y: &mut [U], f: impl Fn(T, T) -> U) {
    for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
        *y = f(*a, *b);
    }
}

/// How far ahead lines are fetched, in elements: loops that go around the caches wait for nothing else.
const AHEAD: usize = 256;

/// [`map`], around the caches, with `N` elements in a line of memory.
#[inline(always)]
pub(crate) fn map_past<L: Level, T: Pod, const N: usize>(x: &[T], y: &mut [CacheLine], f: impl Fn(T) -> T)
where
    [T; N]: Pod,
{
    for (y, x) in y.iter_mut().zip(x.as_chunks::<N>().0) {
        fetch(x.as_ptr().wrapping_add(AHEAD));
        let mut line = *x;
        for i in 0..N {
            line[i] = f(x[i]);
        }
        L::stream(CacheLine(cast(line)), y);
    }
}

/// [`zip`], around the caches, with `N` elements in a line of memory.
#[inline(always)]
pub(crate) fn zip_past<L: Level, T: Pod, const N: usize>(
    a: &[T],
    b: &[T],
    y: &mut [CacheLine],
    f: impl Fn(T, T) -> T,
) where
    [T; N]: Pod,
{
    let pairs = a.as_chunks::<N>().0.iter().zip(b.as_chunks::<N>().0);
    for (y, (a, b)) in y.iter_mut().zip(pairs) {
        fetch(a.as_ptr().wrapping_add(AHEAD));
        fetch(b.as_ptr().wrapping_add(AHEAD));
        let mut line = *a;
        for i in 0..N {
            line[i] = f(a[i], b[i]);
        }
        L::stream(CacheLine(cast(line)), y);
    }
}

/// As many bits as a number has.
pub(crate) trait Bits: Native {
    /// `c ? a : b`, without a branch, which nobody could foresee.
    fn choose(c: u8, a: Self, b: Self) -> Self;
}

macro_rules! chosen {
    ($($t:ty)*) => {$(
        impl Bits for $t {
            #[inline(always)]
            fn choose(c: u8, a: $t, b: $t) -> $t {
                let mask = <$t>::from(c != 0).wrapping_neg();
                (a & mask) | (b & !mask)
            }
        }
    )*};
}

chosen! { u8 u32 i64 }

/// `y[i] = c[i] ? a[i] : b[i]`.
pub(crate) fn select<T: Bits>(c: Line<u8>, a: Line<T>, b: Line<T>, y: &mut [T]) {
    let mut chosen = match c {
        Line::Many(c) => c,
        Line::One(c) => return copy(if c != 0 { a } else { b }, y),
    };
    in_pairs(a, b, y, |a, b, y| {
        let (c, rest) = chosen.split_at(y.len().min(chosen.len()));
        chosen = rest;
        dispatch_v3!(|L| for (((y, c), a), b) in y.iter_mut().zip(c).zip(a).zip(b) {
            *y = T::choose(*c, *a, *b);
        });
    });
}

/// `y[i] = a[i]` where `x[i]` and `z[i]` compare so, else `b[i]`.
pub(crate) fn choose(kind: Compare, [x, z]: [&[f32]; 2], [a, b]: [&[u32]; 2], y: &mut [u32]) {
    let (x, z) = if matches!(kind, Compare::Gt | Compare::Ge) { (z, x) } else { (x, z) };
    dispatch!(|L| match kind {
        Compare::Eq => choose_where(x, z, a, b, y, |x, z| x == z),
        Compare::Ne => choose_where(x, z, a, b, y, |x, z| x != z),
        Compare::Lt | Compare::Gt => choose_where(x, z, a, b, y, |x, z| x < z),
        Compare::Le | Compare::Ge => choose_where(x, z, a, b, y, |x, z| x <= z),
    });
}

#[inline(always)]
fn choose_where<T: Copy, U: Bits>(
    x: &[T],
    z: &[T],
    a: &[U],
    b: &[U],
    y: &mut [U],
    holds: impl Fn(T, T) -> bool,
) {
    let compared = x.iter().zip(z);
    for ((y, (x, z)), (a, b)) in y.iter_mut().zip(compared).zip(a.iter().zip(b)) {
        *y = U::choose(u8::from(holds(*x, *z)), *a, *b);
    }
}

/// `y[i] = x[i]`.
pub(crate) fn copy<T: Copy>(x: Line<T>, y: &mut [T]) {
    match x {
        Line::Many(x) => y.copy_from_slice(x),
        Line::One(x) => y.fill(x),
    }
}

/// The body of [`Number::compare`], run by `dispatch_v3` or `plain`.
macro_rules! compare {
    ($run:ident, $kind:ident, $a:ident, $b:ident, $y:ident) => {{
        let (a, b) = if matches!($kind, Compare::Gt | Compare::Ge) { ($b, $a) } else { ($a, $b) };
        $run!(|L| match $kind {
            Compare::Eq => zip(a, b, $y, |a, b| u8::from(a == b)),
            Compare::Ne => zip(a, b, $y, |a, b| u8::from(a != b)),
            Compare::Lt | Compare::Gt => zip(a, b, $y, |a, b| u8::from(a < b)),
            Compare::Le | Compare::Ge => zip(a, b, $y, |a, b| u8::from(a <= b)),
        })
    }};
}
pub(crate) use compare;

/// As [`dispatch_v3`], for what wide vectors don't make faster: compiled for the baseline alone.
macro_rules! plain {
    (|$level:ident| $body:expr) => {{
        #[allow(dead_code)]
        type $level = crate::simd::Baseline;
        $body
    }};
}
pub(crate) use plain;
