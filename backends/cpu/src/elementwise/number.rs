//! What a loop over elements computes in, and the shapes such loops have.
use crate::value::Native;
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

/// `y[i] = f(a[i], b[i])`.
#[inline(always)]
pub(crate) fn zip<T: Copy, U: Copy>(a: Line<T>, b: Line<T>, y: &mut [U], f: impl Fn(T, T) -> U) {
    match (a, b) {
        (Line::Many(a), Line::Many(b)) => {
            for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
                *y = f(*a, *b);
            }
        }
        (Line::Many(a), Line::One(b)) => map(a, y, |a| f(a, b)),
        (Line::One(a), Line::Many(b)) => map(b, y, |b| f(a, b)),
        (Line::One(a), Line::One(b)) => y.fill(f(a, b)),
    }
}

/// `y[i] = c[i] ? a[i] : b[i]`.
pub(crate) fn select<T: Native>(c: Line<u8>, a: Line<T>, b: Line<T>, y: &mut [T]) {
    let c = match c {
        Line::Many(c) => c,
        Line::One(c) => return copy(if c != 0 { a } else { b }, y),
    };
    crate::dispatch!(|L| match (a, b) {
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

/// The body of [`Number::compare`] for a type with an order.
macro_rules! compare {
    ($kind:ident, $a:ident, $b:ident, $y:ident) => {
        crate::dispatch!(|L| match $kind {
            Compare::Eq => zip($a, $b, $y, |a, b| u8::from(a == b)),
            Compare::Ne => zip($a, $b, $y, |a, b| u8::from(a != b)),
            Compare::Lt => zip($a, $b, $y, |a, b| u8::from(a < b)),
            Compare::Le => zip($a, $b, $y, |a, b| u8::from(a <= b)),
            Compare::Gt => zip($a, $b, $y, |a, b| u8::from(a > b)),
            Compare::Ge => zip($a, $b, $y, |a, b| u8::from(a >= b)),
        })
    };
}
pub(crate) use compare;
