//! Logarithms in f32, the inverse hyperbolic functions made of them, and powers.

use super::exp::{LN_2_HI, LN_2_LO, power_of_two};
use crate::simd::Level;
use std::f32::consts::{LOG2_E, LOG10_E};
use std::f64::consts::{LN_2, LOG2_E as LOG2_E_64};

/// The bits of sqrt(1/2), where mantissas begin.
const SQRT_HALF: u32 = 0x3f35_04f3;
const SQRT_HALF_64: u64 = 0x3fe6_a09e_667f_3bcd;

/// `x = (1 + f) 2^e`, with 1 + f from sqrt(1/2) to sqrt 2: (f, e). For normal, positive x.
#[inline(always)]
fn split(x: f32) -> (f32, i32) {
    let bits = x.to_bits().wrapping_sub(SQRT_HALF);
    let mantissa = f32::from_bits((bits & 0x007f_ffff).wrapping_add(SQRT_HALF));
    (mantissa - 1.0, (bits as i32) >> 23)
}

/// [`split`] for any positive x: a subnormal is made normal first.
#[inline(always)]
fn split_any(x: f32) -> (f32, f32) {
    let tiny = x < f32::MIN_POSITIVE;
    let (f, e) = split(if tiny { x * 8_388_608.0 } else { x });
    (f, e as f32 - if tiny { 23.0 } else { 0.0 })
}

/// ln(1 + f) - f, for f as [`split`] makes it: -f^2/2 + f^3 p(f), with p minimax (8e-10).
#[inline(always)]
fn ln_tail<L: Level>(f: f32) -> f32 {
    let (low, high) = ln_tail_parts::<L>(f);
    low + high
}

/// The terms of [`ln_tail`]: f^3 p(f), and -f^2/2.
#[inline(always)]
fn ln_tail_parts<L: Level>(f: f32) -> (f32, f32) {
    let p = [
        6.746_627e-2,
        -1.167_563_4e-1,
        1.188_815_9e-1,
        -1.240_559_1e-1,
        1.421_955_2e-1,
        -1.666_799_6e-1,
        2.000_212e-1,
        -2.500_001e-1,
        3.333_331_3e-1,
    ];
    let z = f * f;
    (L::poly(f, p) * z * f, -0.5 * z)
}

/// ln of (1 + f) 2^e.
#[inline(always)]
fn ln_of<L: Level>(f: f32, e: f32) -> f32 {
    let (cubic, square) = ln_tail_parts::<L>(f);
    let y = L::fma(e, LN_2_LO, cubic) + square + f;
    L::fma(e, LN_2_HI, y)
}

/// The logarithm of `x` by any formula, but at the edges of its domain what it has to be.
#[inline(always)]
fn at_edges(x: f32, log: f32) -> f32 {
    let log = if x < f32::INFINITY { log } else { x };
    let nonpositive = if x == 0.0 { f32::NEG_INFINITY } else { f32::NAN };
    if x > 0.0 { log } else { nonpositive }
}

/// The natural logarithm: that of the mantissa by a polynomial of degree 11, and a multiple of ln 2.
/// Within 1 ulp.
#[inline(always)]
pub fn ln<L: Level>(x: f32) -> f32 {
    let (f, e) = split_any(x);
    at_edges(x, ln_of::<L>(f, e))
}

/// The logarithm to a base b, given 1 / ln b and log_b 2, each in two parts.
#[inline(always)]
fn log_base<L: Level>(x: f32, scale: [f32; 2], step: [f32; 2]) -> f32 {
    let (f, e) = split_any(x);
    let tail = ln_tail::<L>(f);
    let sum = f + tail;
    let lost = (f - sum) + tail;
    let low = L::fma(lost, scale[0], L::fma(sum, scale[1], e * step[1]));
    L::fma(e, step[0], L::fma(sum, scale[0], low))
}

/// The logarithm to base 2, as [`ln`] is made. Within 2 ulp, exact for powers of two.
#[inline(always)]
pub fn log2<L: Level>(x: f32) -> f32 {
    at_edges(x, log_base::<L>(x, [LOG2_E, 1.925_963e-8], [1.0, 0.0]))
}

/// The logarithm to base 10, as [`ln`] is made. Within 2 ulp.
#[inline(always)]
pub fn log10<L: Level>(x: f32) -> f32 {
    at_edges(x, log_base::<L>(x, [LOG10_E, -1.010_305e-8], [0.300_781_25, 2.487_456_7e-4]))
}

/// ln(1 + x). The exponent is that of 1 + x, but the mantissa is x's own, scaled: `x 2^-e + (2^-e - 1)`, so that
/// what is lost in 1 + x does not matter. Within 2 ulp.
#[inline(always)]
pub fn log1p<L: Level>(x: f32) -> f32 {
    let (rounded, e) = split(1.0 + x);
    let scale = power_of_two(e.wrapping_neg());
    let exact = L::fma(x, scale, scale - 1.0);
    // Where x is huge, 1 + x is x, and 2^-e may be subnormal.
    let f = if e < 100 { exact } else { rounded };
    let y = ln_of::<L>(f, e as f32).copysign(x);
    at_edges_of_log1p(x, y)
}

/// `y`, but at the edges of the domain of ln(1 + x) what it has to be.
#[inline(always)]
fn at_edges_of_log1p(x: f32, y: f32) -> f32 {
    let y = if x < f32::INFINITY { y } else { x };
    let outside = if x == -1.0 { f32::NEG_INFINITY } else { f32::NAN };
    if x > -1.0 { y } else { outside }
}

/// The exponent of a normal, positive number whose mantissa runs from sqrt(1/2): as a number, and 2^-e. In
/// bits alone, since AVX2 neither shifts nor converts signed 64-bit integers.
#[inline(always)]
fn exponent_64(x: f64) -> (f64, f64) {
    const BIAS: u64 = 1023 << 52;
    const TWO_52: u64 = 0x4330_0000_0000_0000;
    let biased = x.to_bits().wrapping_add(BIAS.wrapping_sub(SQRT_HALF_64)) >> 52;
    let e = f64::from_bits(biased | TWO_52) - (4_503_599_627_370_496.0 + 1023.0);
    (e, f64::from_bits(2046_u64.wrapping_sub(biased) << 52))
}

/// ln(1 + f), for 1 + f from sqrt(1/2) to sqrt 2: 2 atanh(f / (2 + f)) by its series, minimax (4e-16).
#[inline(always)]
fn ln_mantissa_64<L: Level>(f: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let p = [
        0.168_282_116_830_305_2,
        0.181_229_729_591_517_62,
        0.222_233_914_024_014_02,
        0.285_714_168_687_881_65,
        0.400_000_000_537_63,
        0.666_666_666_665_845,
    ];
    s * L::fma(L::poly(z, p), z, 2.0)
}

/// log2 x in f64, to 1e-15. For normal, positive x.
#[inline(always)]
fn log2_64<L: Level>(x: f64) -> f64 {
    let (e, scale) = exponent_64(x);
    L::fma(ln_mantissa_64::<L>(L::fma(x, scale, -1.0)), LOG2_E_64, e)
}

/// ln x in f64, to 1e-15. For normal, positive x.
#[inline(always)]
pub(super) fn ln_64<L: Level>(x: f64) -> f64 {
    let (e, scale) = exponent_64(x);
    L::fma(e, LN_2, ln_mantissa_64::<L>(L::fma(x, scale, -1.0)))
}

/// ln(1 + x) in f64, to 1e-15, as [`log1p`] is made. For x above -1 and below 2^1000.
#[inline(always)]
fn log1p_64<L: Level>(x: f64) -> f64 {
    let (e, scale) = exponent_64(1.0 + x);
    L::fma(e, LN_2, ln_mantissa_64::<L>(L::fma(x, scale, scale - 1.0)))
}

/// 2^x in f64, to 1e-12, for a result that becomes an f32: x is held to ±200. A polynomial of degree 8.
#[inline(always)]
pub(super) fn exp2_64<L: Level>(x: f64) -> f64 {
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let x = if x < -200.0 { -200.0 } else { x };
    let x = if x > 200.0 { 200.0 } else { x };
    let shifted = x + ROUND;
    let p = [
        1.317_568_666_719_378e-6,
        1.530_996_419_711_534e-5,
        0.000_154_038_543_816_331_98,
        0.001_333_345_122_179_156_2,
        0.009_618_128_535_985_896,
        0.055_504_109_402_117_43,
        0.240_226_506_989_284_52,
        0.693_147_180_546_300_4,
        0.999_999_999_999_757_5,
    ];
    // The integer is in the low bits of `shifted`: the left shift makes an exponent of it.
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
    L::poly(x - (shifted - ROUND), p) * power
}

/// asinh x = ln(x + sqrt(x^2 + 1)), in f64 as log1p of |x| + x^2 / (1 + sqrt(x^2 + 1)). Within 1 ulp.
#[inline(always)]
pub fn asinh<L: Level>(x: f32) -> f32 {
    let a = f64::from(x.abs());
    let square = a * a;
    let y = log1p_64::<L>(a + square / (1.0 + (square + 1.0).sqrt()));
    let y = (y as f32).copysign(x);
    if x.abs() == f32::INFINITY { x } else { y }
}

/// acosh x = ln(x + sqrt(x^2 - 1)), in f64 as log1p of t + sqrt(t (t + 2)), with t = x - 1. Within 1 ulp.
#[inline(always)]
pub fn acosh<L: Level>(x: f32) -> f32 {
    let t = f64::from(x) - 1.0;
    let y = log1p_64::<L>(t + (t * (t + 2.0)).sqrt()) as f32;
    let y = if x < f32::INFINITY { y } else { x };
    if x >= 1.0 { y } else { f32::NAN }
}

/// atanh x = ln((1 + x) / (1 - x)) / 2, in f64 as log1p of 2|x| / (1 - |x|). Within 1 ulp.
#[inline(always)]
pub fn atanh<L: Level>(x: f32) -> f32 {
    let a = f64::from(x.abs());
    let y = (0.5 * log1p_64::<L>(2.0 * a / (1.0 - a))) as f32;
    let edge = if x.abs() == 1.0 { f32::INFINITY } else { f32::NAN };
    let y = if x.abs() < 1.0 { y } else { edge };
    y.copysign(x)
}

/// x^y with the special cases of C: `2^(y log2 |x|)` in f64, negated where x is negative and y odd; NaN where
/// x is negative and y no integer; 1 where y is 0 or x is 1, whatever the other is. Within 1 ulp.
#[inline(always)]
pub fn pow<L: Level>(x: f32, y: f32) -> f32 {
    let size = x.abs();
    let log = log2_64::<L>(f64::from(size));
    let log = if size == 0.0 { f64::NEG_INFINITY } else { log };
    let log = if size < f32::INFINITY { log } else { f64::from(size) };
    let power = exp2_64::<L>(f64::from(y) * log) as f32;
    let (whole, odd) = parity(y);
    let power = if odd { power.copysign(x) } else { power };
    let power = if x < 0.0 && size < f32::INFINITY && !whole { f32::NAN } else { power };
    let one = x == 1.0 || y == 0.0 || (x == -1.0 && y.abs() == f32::INFINITY);
    if one { 1.0 } else { power }
}

/// Whether a number is an integer, and whether an odd one. Infinities are even.
#[inline(always)]
fn parity(y: f32) -> (bool, bool) {
    const TWO_23: f32 = 8_388_608.0;
    let size = y.abs();
    // From 2^23 on the lowest bit of the mantissa is worth 1, from 2^24 on more.
    let aligned = if size < TWO_23 { size + TWO_23 } else { size };
    let whole = size >= TWO_23 || aligned - TWO_23 == size;
    (whole, whole && size < 2.0 * TWO_23 && aligned.to_bits() & 1 == 1)
}
