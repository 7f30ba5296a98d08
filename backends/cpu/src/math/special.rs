//! The error function and its kin in f32, and the gamma function's logarithm and derivative.

use super::exp::exp_bounded;
use super::log::{exp2_64, ln_64};
use crate::simd::Level;
use std::f64::consts::{LOG2_E, PI};

/// erf x: x p(x^2) up to 0.92, then `1 - e^q(|x|)`; both minimax (5e-10, 4e-11). Within 2 ulp.
#[inline(always)]
pub fn erf<L: Level>(x: f32) -> f32 {
    let p = [
        8.298_795e-5,
        -8.125_683e-4,
        5.199_518e-3,
        -2.685_878_2e-2,
        1.128_368_45e-1,
        -3.761_263_2e-1,
        1.283_791_7e-1,
    ];
    let q = [
        -2.096_544_6e-5,
        4.329_671_5e-4,
        -4.163_833_3e-3,
        2.510_043_8e-2,
        -1.082_508e-1,
        -6.333_734_4e-1,
        -1.129_501_8,
        1.719_744_2e-4,
    ];
    let small = L::fma(L::poly(x * x, p), x, x);
    // From 3.92 on the result is 1, and q is good up to 4.
    let a = if x.abs() > 4.0 { 4.0 } else { x.abs() };
    let large = (1.0 - exp_bounded::<L>(L::poly(a, q))).copysign(x);
    if a < 0.92 { small } else { large }
}

/// 1 - erf x, in f64: `e^(-x^2) p((x - 2) / (x + 2)) / (1 + 2x)` for positive x, with p minimax (1e-9), and 2
/// less that for negative ones. Within 1 ulp.
#[inline(always)]
pub fn erfc<L: Level>(x: f32) -> f32 {
    let p = [
        7.953_466_740_506_309e-5,
        0.000_169_685_557_835_771_24,
        -0.000_400_587_036_671_723_05,
        -0.001_420_986_773_360_328_6,
        0.001_252_491_766_384_111_6,
        0.008_709_114_650_311_675,
        -0.008_030_797_302_688_939,
        -0.054_217_821_416_663_51,
        0.164_051_031_409_986_97,
        -0.166_030_522_542_782_86,
        -0.092_763_820_384_008_7,
        1.276_978_382_692_599_3,
    ];
    let a = f64::from(if x.abs() > 10.25 { 10.25 } else { x.abs() });
    let (sum, slope) = (a + 2.0, L::fma(a, 2.0, 1.0));
    // One division for both quotients.
    let inverse = 1.0 / (sum * slope);
    let t = (a - 2.0) * slope * inverse;
    let y = exp2_64::<L>(-a * a * LOG2_E) * L::poly(t, p) * sum * inverse;
    (if x < 0.0 { 2.0 - y } else { y }) as f32
}

/// The inverse of erf, in f64: x times a polynomial in w = -ln(1 - x^2), or in its root where w is beyond 6
/// (Giles' way), both minimax (3e-9). Within 1 ulp; ±inf at ±1 and NaN beyond.
#[inline(always)]
pub fn erfinv<L: Level>(x: f32) -> f32 {
    let near = [
        3.533_438_697_953_009e-11,
        6.795_439_866_774_983e-10,
        -6.304_551_066_637_577_5e-9,
        -1.952_461_686_762_272e-8,
        4.554_257_614_069_447e-7,
        -1.766_727_335_772_470_2e-6,
        -1.273_409_478_614_404_2e-5,
        0.000_195_099_439_246_704_04,
        -0.000_836_156_784_233_172,
        -0.005_738_163_463_231_085,
        0.241_630_393_915_013_34,
        1.623_542_009_815_985_2,
    ];
    let tail = [
        9.634_293_609_477_181e-5,
        -8.365_685_608_293_497e-5,
        -0.000_355_274_500_819_440_5,
        0.001_114_774_530_373_663_2,
        -0.001_994_308_696_075_864_7,
        0.002_943_074_733_306_73,
        -0.004_294_008_812_146_75,
        0.005_973_754_214_472_931,
        1.004_692_439_000_990_1,
        3.033_636_567_322_414,
    ];
    let a = f64::from(x);
    let w = -ln_64::<L>((1.0 - a) * (1.0 + a));
    let factor = if w < 6.0 { L::poly(w - 3.0, near) } else { L::poly(w.sqrt() - 3.2, tail) };
    let y = (a * factor) as f32;
    let edge = if x.abs() == 1.0 { f32::INFINITY.copysign(x) } else { f32::NAN };
    if x.abs() < 1.0 { y } else { edge }
}

/// The inverse of erf in f64: Winitzki's closed form, good to 2e-3, then three steps of Halley's method on erf,
/// or near ±1 on erfc, which does not cancel there. Within 1e-15 or so.
pub(super) fn erfinv_f64(x: f64) -> f64 {
    if x.abs() >= 1.0 || x.is_nan() {
        return if x.abs() == 1.0 { f64::INFINITY.copysign(x) } else { f64::NAN };
    }
    let a = x.abs();
    let w = -((1.0 - a) * (1.0 + a)).ln();
    let u = 2.0 / (PI * 0.147) - 0.5 * w;
    let mut y = ((u * u + w / 0.147).sqrt() - u).sqrt();
    for _ in 0..3 {
        let error = if a < 0.5 { libm::erf(y) - a } else { (1.0 - a) - libm::erfc(y) };
        let step = error / (std::f64::consts::FRAC_2_SQRT_PI * (-y * y).exp());
        y -= step / (1.0 + y * step);
    }
    (if a < 1e-8 { a / std::f64::consts::FRAC_2_SQRT_PI } else { y }).copysign(x)
}

/// The derivative of ln gamma: raised above 10 by `digamma(x) = digamma(x + 1) - 1/x`, then the asymptotic
/// series; below 0 by reflection. As in PyTorch, ∓inf at ±0 and NaN at the negative integers.
pub(super) fn digamma(x: f64) -> f64 {
    if x == 0.0 {
        return f64::INFINITY.copysign(-x);
    }
    if x < 0.0 {
        let fraction = x - x.trunc();
        let cotangent = if fraction == 0.0 { f64::NAN } else { PI / (PI * fraction).tan() };
        return digamma(1.0 - x) - cotangent;
    }
    digamma_positive(x)
}

fn digamma_positive(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 10.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    // Bernoulli numbers: B_2k / 2k, for k from 7 down to 1.
    let terms =
        [1.0 / 12.0, -691.0 / 32_760.0, 1.0 / 132.0, -1.0 / 240.0, 1.0 / 252.0, -1.0 / 120.0, 1.0 / 12.0];
    let z = 1.0 / (x * x);
    let series = terms.iter().fold(0.0, |series, term| (series + term) * z);
    let series = if x.is_finite() { series } else { 0.0 };
    sum + x.ln() - 0.5 / x - series
}

/// Hurwitz's zeta function `Σ (q + k)^-s` over k from 0, for s above 1: raised above 12 term by term, then by
/// Euler and Maclaurin's formula. As in PyTorch, inf at s = 1 and at q = 0, -1, .., and NaN for s below 1 and
/// for powers of negative numbers that are not whole.
pub(super) fn zeta(s: f64, mut q: f64) -> f64 {
    if s.is_nan() || q.is_nan() || s < 1.0 {
        return f64::NAN;
    }
    if s == 1.0 || q <= 0.0 && q == q.floor() {
        return f64::INFINITY;
    }
    if q < 0.0 {
        return if s == s.floor() { zeta_of_negative(s, q) } else { f64::NAN };
    }
    let mut sum = 0.0;
    while q < 12.0 {
        sum += q.powf(-s);
        q += 1.0;
    }
    let power = q.powf(-s);
    if power == 0.0 {
        return sum + q.powf(1.0 - s) / (s - 1.0);
    }
    // B_2k / (2k)! s (s + 1) .. (s + 2k - 2) q^(1 - s - 2k)
    let mut factor = s / q;
    let mut series = 0.0;
    for (k, coefficient) in ZETA.into_iter().enumerate() {
        series += coefficient * factor;
        let n = 2.0 * k as f64 + 1.0;
        factor *= (s + n) * (s + n + 1.0) / (q * q);
    }
    sum + power * (q / (s - 1.0) + 0.5 + series)
}

/// Between q and the first positive term f lie n negative ones, `Σ (f - j)^-s` over j from 1 to n, which are those
/// of a positive argument but for the sign.
fn zeta_of_negative(s: f64, q: f64) -> f64 {
    let n = -q.floor();
    let f = q + n;
    let sign = if s % 2.0 == 0.0 { 1.0 } else { -1.0 };
    zeta(s, f) + sign * (zeta(s, 1.0 - f) - zeta(s, 1.0 - f + n))
}

/// `B_2k / (2k)!` for k from 1, with Bernoulli's numbers.
const ZETA: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 720.0,
    1.0 / 30_240.0,
    -1.0 / 1_209_600.0,
    1.0 / 47_900_160.0,
    -691.0 / 1_307_674_368_000.0,
    1.0 / 74_724_249_600.0,
    -3_617.0 / 10_670_622_842_880_000.0,
];
