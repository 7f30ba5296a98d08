//! Elementary and special functions, as scalar code that LLVM vectorises.
//!
//! The f32 functions are branch-free: no table, no call, a select where others would branch. In a loop inside
//! [`dispatch!`](crate::simd::dispatch) each becomes vector code of the processor's best instruction set, which `L`
//! names. Errors are in units in the last place of the true result and hold for every `L`.
//!
//! Polynomials are minimax (Remez), fitted for this file; "minimax (3e-9)" is the relative error before
//! rounding. [`Math`] is what generic kernels use; its f64 side calls the system's library.
//!
//! sin, cos and tan of huge numbers need pi to hundreds of bits. So their branch-free forms are bounded, and
//! the slice functions [`Math::sin_slice`] and its like choose block by block.

mod exp;
mod log;
mod rest;
mod special;
mod trig;

pub use exp::{cosh, exp, exp2, expm1, sigmoid, sinh, tanh};
pub use log::{acosh, asinh, atanh, ln, log1p, log2, log10, pow};
pub use rest::{fmod_each, fmod_slice};
pub use special::{erf, erfc, erfinv};
pub use trig::{TRIG_MAX, acos, asin, atan, atan2, cos_bounded, sin_bounded, tan_bounded};

use crate::simd::{Float, Level};

/// 1 / sqrt x: a root and a division. Within 1.5 ulp.
#[inline(always)]
pub fn rsqrt<L: Level>(x: f32) -> f32 {
    1.0 / x.sqrt()
}

/// The nearest integer, the even one of two. Exact. Where the hardware rounds, by that; elsewhere by adding and
/// taking away 2^23, since `round_ties_even` would be a call.
#[inline(always)]
pub fn round<L: Level>(x: f32) -> f32 {
    const TWO_23: f32 = 8_388_608.0;
    if L::FMA {
        return x.round_ties_even();
    }
    let a = x.abs();
    let rounded = (a + TWO_23 - TWO_23).copysign(x);
    if a < TWO_23 { rounded } else { x }
}

/// Whether the bounded forms take care of `x`. They do of infinities and NaNs.
#[inline(always)]
fn is_bounded(x: f32) -> bool {
    let size = x.abs();
    !(size > TRIG_MAX && size < f32::INFINITY)
}

/// `ys[i] = f(xs[i])` as far as both go, by `bounded` for every block that it can take and else by `any`.
#[inline(always)]
fn map_blocks(xs: &[f32], ys: &mut [f32], bounded: impl Fn(f32) -> f32, any: impl Fn(f32) -> f32) {
    const BLOCK: usize = 256;
    for (xs, ys) in xs.chunks(BLOCK).zip(ys.chunks_mut(BLOCK)) {
        if xs.iter().fold(true, |all, x| all & is_bounded(*x)) {
            map(xs, ys, &bounded);
        } else {
            map(xs, ys, &any);
        }
    }
}

/// `ys[i] = f(xs[i])` as far as both go.
#[inline(always)]
fn map<T: Copy>(xs: &[T], ys: &mut [T], f: impl Fn(T) -> T) {
    for (x, y) in xs.iter().zip(ys) {
        *y = f(*x);
    }
}

/// Declares [`Math`] and its two implementations: for each function its name, its operands, and for f64 an
/// expression in them.
macro_rules! math {
    ($($(#[$doc:meta])* $name:ident($x:ident $(, $y:ident)?) $f64:expr;)*) => {
        /// The functions of this module for kernels that are generic over the type. On f32 each is the free
        /// function of its name, to vectorise; on f64 it is the system's library's, or that of `libm`.
        pub trait Math: Float {
            $($(#[$doc])* fn $name<L: Level>($x: Self $(, $y: Self)?) -> Self;)*

            /// `ys[i] = sin xs[i]` as far as both go, vectorised, and right for huge numbers too.
            fn sin_slice<L: Level>(xs: &[Self], ys: &mut [Self]);

            /// `ys[i] = cos xs[i]` as far as both go, vectorised, and right for huge numbers too.
            fn cos_slice<L: Level>(xs: &[Self], ys: &mut [Self]);

            /// `ys[i] = tan xs[i]` as far as both go, vectorised, and right for huge numbers too.
            fn tan_slice<L: Level>(xs: &[Self], ys: &mut [Self]);

            /// What the division of `a` by `b` leaves, with the sign of `a`: exact, as far as all go; of f32 vectorised.
            fn fmod_slice<L: Level>(a: &[Self], b: &[Self], y: &mut [Self]);
        }

        impl Math for f32 {
            $(
                #[inline(always)]
                fn $name<L: Level>($x: Self $(, $y: Self)?) -> Self {
                    $name::<L>($x $(, $y)?)
                }
            )*

            #[inline(always)]
            fn sin_slice<L: Level>(xs: &[f32], ys: &mut [f32]) {
                map_blocks(xs, ys, sin_bounded::<L>, f32::sin);
            }

            #[inline(always)]
            fn cos_slice<L: Level>(xs: &[f32], ys: &mut [f32]) {
                map_blocks(xs, ys, cos_bounded::<L>, f32::cos);
            }

            #[inline(always)]
            fn tan_slice<L: Level>(xs: &[f32], ys: &mut [f32]) {
                map_blocks(xs, ys, tan_bounded::<L>, f32::tan);
            }

            #[inline(always)]
            fn fmod_slice<L: Level>(a: &[f32], b: &[f32], y: &mut [f32]) {
                fmod_slice::<L>(a, b, y);
            }
        }

        impl Math for f64 {
            $(
                #[inline(always)]
                fn $name<L: Level>($x: Self $(, $y: Self)?) -> Self {
                    $f64
                }
            )*

            #[inline(always)]
            fn sin_slice<L: Level>(xs: &[f64], ys: &mut [f64]) {
                map(xs, ys, f64::sin);
            }

            #[inline(always)]
            fn cos_slice<L: Level>(xs: &[f64], ys: &mut [f64]) {
                map(xs, ys, f64::cos);
            }

            #[inline(always)]
            fn tan_slice<L: Level>(xs: &[f64], ys: &mut [f64]) {
                map(xs, ys, f64::tan);
            }

            #[inline(always)]
            fn fmod_slice<L: Level>(a: &[f64], b: &[f64], y: &mut [f64]) {
                fmod_each(a, b, y);
            }
        }
    };
}

math! {
    /// e^x.
    exp(x) x.exp();
    /// 2^x.
    exp2(x) x.exp2();
    /// e^x - 1, exact for small x.
    expm1(x) x.exp_m1();
    /// The natural logarithm.
    ln(x) x.ln();
    /// The logarithm to base 2.
    log2(x) x.log2();
    /// The logarithm to base 10.
    log10(x) x.log10();
    /// ln(1 + x), exact for small x.
    log1p(x) x.ln_1p();
    /// The inverse of the sine, from -pi/2 to pi/2.
    asin(x) x.asin();
    /// The inverse of the cosine, from 0 to pi.
    acos(x) x.acos();
    /// The inverse of the tangent, from -pi/2 to pi/2.
    atan(x) x.atan();
    /// The angle of the point (x, y), from -pi to pi.
    atan2(y, x) y.atan2(x);
    /// The hyperbolic sine.
    sinh(x) x.sinh();
    /// The hyperbolic cosine.
    cosh(x) x.cosh();
    /// The hyperbolic tangent.
    tanh(x) x.tanh();
    /// The inverse of the hyperbolic sine.
    asinh(x) libm::asinh(x);
    /// The inverse of the hyperbolic cosine.
    acosh(x) if x < 1.0 { f64::NAN } else { libm::acosh(x) }; // libm's has values below 1
    /// The inverse of the hyperbolic tangent.
    atanh(x) libm::atanh(x);
    /// 1 / (1 + e^-x).
    sigmoid(x) {
        let e = (-x.abs()).exp();
        (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
    };
    /// The error function.
    erf(x) libm::erf(x);
    /// 1 - erf x, exact where it is small.
    erfc(x) libm::erfc(x);
    /// The inverse of the error function.
    erfinv(x) special::erfinv_f64(x);
    /// x^y, with the special cases of C.
    pow(x, y) x.powf(y);
    /// 1 / sqrt x.
    rsqrt(x) 1.0 / x.sqrt();
    /// The nearest integer, the even one of two.
    round(x) x.round_ties_even();
    /// ln |gamma(x)|. Not vectorised; f32 by way of f64.
    lgamma(x) libm::lgamma(x);
    /// The derivative of [`Math::lgamma`]. Not vectorised; f32 by way of f64.
    digamma(x) special::digamma(x);
    /// Hurwitz's zeta function. Not vectorised; f32 by way of f64.
    zeta(s, q) special::zeta(s, q);
}

/// ln |gamma(x)|, by way of f64. Not vectorised. Within 1 ulp but beside its zeros on the negative axis.
#[inline(always)]
pub fn lgamma<L: Level>(x: f32) -> f32 {
    libm::lgamma(f64::from(x)) as f32
}

/// The derivative of [`lgamma`], by way of f64. Not vectorised. Within 1 ulp but beside its zeros.
#[inline(always)]
pub fn digamma<L: Level>(x: f32) -> f32 {
    special::digamma(f64::from(x)) as f32
}

/// Hurwitz's zeta function, by way of f64. Not vectorised. Within 1 ulp.
#[inline(always)]
pub fn zeta<L: Level>(s: f32, q: f32) -> f32 {
    special::zeta(f64::from(s), f64::from(q)) as f32
}

#[cfg(test)]
mod tests;
