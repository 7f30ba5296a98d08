//! What a loop over elements computes in, and the shapes such loops have.
use crate::{dispatch, value::Native};
use firesteel_core::{Binary, Compare, Unary};

/// An operand's elements beside a run of results: one for each, or one for all.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Line<'a, T> {
    Many(&'a [T]),
    One(T),
}

impl<T> Line<'_, T> {
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
    fn binary(kind: Binary, a: Line<Self>, b: Line<Self>, y: &mut [Self]) -> bool;

    /// `y[i] = a[i] ? b[i]`, as 0 or 1.
    fn compare(kind: Compare, a: Line<Self>, b: Line<Self>, y: &mut [u8]);
}

/// `y[i] = f(x[i])`.
#[inline(always)]
pub(crate) fn map<T: Copy, U>(x: &[T], y: &mut [U], f: impl Fn(T) -> U) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = f(*x);
    }
}

/// `y[i] = f(a[i], b[i])`. Of one and one there is one result.
#[inline(always)]
pub(crate) fn zip<T: Copy, U: Copy>(a: Line<T>, b: Line<T>, y: &mut [U], f: impl Fn(T, T) -> U) {
    match (a, b) {
        (Line::Many(a), Line::Many(b)) => zip_many(a, b, y, f),
        (Line::One(a), Line::Many(b)) => map(b, y, |b| f(a, b)),
        (a, Line::One(b)) => map(a.as_slice(), y, |a| f(a, b)),
    }
}

/// [`zip`] for an `f(a, b)` that is `f(b, a)`: with a loop less to compile.
#[inline(always)]
pub(crate) fn zip_symmetric<T: Copy, U: Copy>(a: Line<T>, b: Line<T>, y: &mut [U], f: impl Fn(T, T) -> U) {
    match (a, b) {
        (Line::Many(a), Line::Many(b)) => zip_many(a, b, y, f),
        (Line::One(one), other) | (other, Line::One(one)) => map(other.as_slice(), y, |x| f(x, one)),
    }
}

#[inline(always)]
fn zip_many<T: Copy, U>(a: &[T], b: &[T], y: &mut [U], f: impl Fn(T, T) -> U) {
    for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
        *y = f(*a, *b);
    }
}

/// `y[i] = c[i] ? a[i] : b[i]`.
pub(crate) fn select<T: Native>(c: Line<u8>, a: Line<T>, b: Line<T>, y: &mut [T]) {
    let c = match c {
        Line::Many(c) => c,
        Line::One(c) => return copy(if c != 0 { a } else { b }, y),
    };
    dispatch!(|L| match (a, b) {
        (Line::Many(a), Line::Many(b)) => {
            for (((y, c), a), b) in y.iter_mut().zip(c).zip(a).zip(b) {
                *y = if *c != 0 { *a } else { *b };
            }
        }
        (Line::Many(a), Line::One(b)) => {
            for ((y, c), a) in y.iter_mut().zip(c).zip(a) {
                *y = if *c != 0 { *a } else { b };
            }
        }
        (Line::One(a), Line::Many(b)) => {
            for ((y, c), b) in y.iter_mut().zip(c).zip(b) {
                *y = if *c != 0 { a } else { *b };
            }
        }
        (Line::One(a), Line::One(b)) => map(c, y, |c| if c != 0 { a } else { b }),
    })
}

/// `y[i] = x[i]`.
pub(crate) fn copy<T: Copy>(x: Line<T>, y: &mut [T]) {
    match x {
        Line::Many(x) => y.copy_from_slice(x),
        Line::One(x) => y.fill(x),
    }
}

/// The body of [`Number::compare`], run by `dispatch` or `plain`.
macro_rules! compare {
    ($run:ident, $kind:ident, $a:ident, $b:ident, $y:ident) => {{
        let (a, b) = if matches!($kind, Compare::Gt | Compare::Ge) { ($b, $a) } else { ($a, $b) };
        $run!(|L| match $kind {
            Compare::Eq => zip_symmetric(a, b, $y, |a, b| u8::from(a == b)),
            Compare::Ne => zip_symmetric(a, b, $y, |a, b| u8::from(a != b)),
            Compare::Lt | Compare::Gt => zip(a, b, $y, |a, b| u8::from(a < b)),
            Compare::Le | Compare::Ge => zip(a, b, $y, |a, b| u8::from(a <= b)),
        })
    }};
}
pub(crate) use compare;

/// As [`dispatch`](crate::dispatch), for what wide vectors don't make faster: compiled for the baseline alone.
macro_rules! plain {
    (|$level:ident| $body:expr) => {{
        #[allow(dead_code)]
        type $level = crate::simd::Baseline;
        $body
    }};
}
pub(crate) use plain;
