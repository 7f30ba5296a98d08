//! Exponentials and what is made of them, in f32.

use crate::simd::Level;
use std::f32::consts::LOG2_E;

/// 1.5 * 2^23. Added to a number below 2^22 it rounds it to an integer, left in the low bits.
const ROUND: f32 = 12_582_912.0;

/// ln 2 in two parts. The first has 9 bits, so that its product with an exponent is exact.
pub(super) const LN_2_HI: f32 = 0.693_359_4;
pub(super) const LN_2_LO: f32 = -2.121_944_4e-4;

/// 2^k, for k from -126 to 127.
#[inline(always)]
pub(super) fn power_of_two(k: i32) -> f32 {
    f32::from_bits((k.wrapping_add(127) as u32) << 23)
}

/// `x * 2^k`, for k from -252 to 254: in two steps, since 2^k itself may be out of range.
#[inline(always)]
fn ldexp(x: f32, k: i32) -> f32 {
    let half = k >> 1;
    x * power_of_two(half) * power_of_two(k.wrapping_sub(half))
}

/// `x` between two bounds. A NaN stays one, which `f32::max` would lose.
#[inline(always)]
fn clamp(x: f32, low: f32, high: f32) -> f32 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// `x` rounded to an integer, half to even, as a number and as an integer. For |x| < 2^22.
#[inline(always)]
fn nearest(shifted: f32) -> (f32, i32) {
    (shifted - ROUND, shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32)
}

/// `x = k ln 2 + r`, with |r| <= ln 2 / 2: (r, k).
#[inline(always)]
fn reduce<L: Level>(x: f32) -> (f32, i32) {
    let (k, exponent) = nearest(L::fma(x, LOG2_E, ROUND));
    let r = L::fma(k, -LN_2_HI, x);
    (L::fma(k, -LN_2_LO, r), exponent)
}

/// e^r, for |r| <= ln 2 / 2: 1 + r + r^2 q(r), with q minimax (3e-9).
#[inline(always)]
fn exp_reduced<L: Level>(r: f32) -> f32 {
    let q = L::poly(r, [1.381_393_4e-3, 8.369_064e-3, 4.166_842e-2, 1.666_651_8e-1, 4.999_999_4e-1]);
    L::fma(L::fma(r, q, 1.0), r, 1.0)
}

/// e^r - 1, for |r| <= ln 2 / 2: r + r^2 q(r), with q minimax (3e-10).
#[inline(always)]
fn expm1_reduced<L: Level>(r: f32) -> f32 {
    let q = [1.989_193_8e-4, 1.394_162_1e-3, 8.333_310_5e-3, 4.166_634_8e-2, 1.666_666_7e-1, 0.5];
    L::fma(r * r, L::poly(r, q), r)
}

/// e^x * 2^shift, which may be in range where e^x is not.
#[inline(always)]
fn exp_shifted<L: Level>(x: f32, shift: i32) -> f32 {
    let (r, k) = reduce::<L>(clamp(x, -105.0, 91.0));
    ldexp(exp_reduced::<L>(r), k.wrapping_add(shift))
}

/// e^x. Reduces by multiples of ln 2, then a polynomial of degree 6. Within 1.2 ulp, with
/// FMA 0.9; subnormals are kept.
#[inline(always)]
pub fn exp<L: Level>(x: f32) -> f32 {
    exp_shifted::<L>(x, 0)
}

/// e^x for x from -80 to 80: as [`exp`], without its care for the far ends.
#[inline(always)]
pub(super) fn exp_bounded<L: Level>(x: f32) -> f32 {
    let (r, k) = reduce::<L>(x);
    exp_reduced::<L>(r) * power_of_two(k)
}

/// 2^x. Takes the nearest integer off, then a polynomial of degree 6 (2e-9). Within 1.25 ulp, with
/// FMA 1; exact for integers.
#[inline(always)]
pub fn exp2<L: Level>(x: f32) -> f32 {
    let x = clamp(x, -151.0, 129.0);
    let (k, exponent) = nearest(x + ROUND);
    let r = x - k;
    let q = [1.545_445_3e-4, 1.340_052_1e-3, 9.618_08e-3, 5.550_327e-2, 2.402_265e-1, 6.931_472e-1];
    ldexp(L::fma(L::poly(r, q), r, 1.0), exponent)
}

/// e^x - 1: `(e^r - 1) 2^k + (2^k - 1)`, which for small x is its first term alone. Within 2 ulp.
#[inline(always)]
pub fn expm1<L: Level>(x: f32) -> f32 {
    let (r, k) = reduce::<L>(clamp(x, -18.0, 89.0));
    // Half of it, since 2^128 is no f32.
    let half = power_of_two(k.wrapping_sub(1));
    let y = 2.0 * L::fma(expm1_reduced::<L>(r), half, half - 0.5);
    if x.abs() < 1e-10 { x } else { y }
}

/// 1 / (1 + e^-x), from e^-|x|, which does not overflow. Within 2 ulp.
#[inline(always)]
pub fn sigmoid<L: Level>(x: f32) -> f32 {
    let e = exp::<L>(-x.abs());
    let sum = 1.0 + e;
    let lost = (1.0 - sum) + e;
    let y = (if x < 0.0 { e } else { 1.0 }) / sum;
    // What the sum lost, put right where it counts, which is where the sum is near 1.
    L::fma(-y, lost, y)
}

/// (e^2x - 1) / (e^2x + 1), as `-t / (t + 2)` with t = e^(-2|x|) - 1. Within 3 ulp.
#[inline(always)]
pub fn tanh<L: Level>(x: f32) -> f32 {
    let t = expm1::<L>(-2.0 * x.abs());
    (-t / (t + 2.0)).copysign(x)
}

/// (e^x - e^-x) / 2. Below 1 an odd polynomial, since the difference would cancel. Within 2 ulp.
#[inline(always)]
pub fn sinh<L: Level>(x: f32) -> f32 {
    let half = exp_shifted::<L>(x.abs(), -1);
    let large = (half - 0.25 / half).copysign(x);
    let z = x * x;
    let small = L::fma(L::poly(z, [2.816_951e-6, 1.983_616e-4, 8.333_35e-3, 1.666_666_7e-1]) * z, x, x);
    if x.abs() < 1.0 { small } else { large }
}

/// (e^x + e^-x) / 2. Within 2 ulp.
#[inline(always)]
pub fn cosh<L: Level>(x: f32) -> f32 {
    let half = exp_shifted::<L>(x.abs(), -1);
    half + 0.25 / half
}
