//! Circular functions and their inverses, in f32.

use crate::simd::Level;
use std::f32::consts::{FRAC_PI_2, PI};

/// How far [`sin_bounded`], [`cos_bounded`] and [`tan_bounded`] reach. Beyond it, the multiple of pi/2 in x no
/// longer has an exact product with the parts of pi/2.
pub const TRIG_MAX: f32 = 1e8;

/// What pi/2 and pi lack as f32.
const FRAC_PI_2_LOW: f32 = -4.371_139e-8;
const PI_LOW: f32 = -8.742_278e-8;

/// `x = k pi/2 + r`, with |r| <= pi/4: r, and k in the low bits. In f64, with pi/2 in parts of 27, 27 and
/// 53 bits, the first two of which have exact products with k: so it needs no FMA.
#[inline(always)]
fn reduce<L: Level>(x: f32) -> (f64, u32) {
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const PARTS: [f64; 3] = [1.570_796_325_802_803, 9.920_935_739_593_517e-10, 5.721_188_726_109_832e-18];
    let x = f64::from(x);
    let shifted = L::fma(x, std::f64::consts::FRAC_2_PI, ROUND);
    let k = shifted - ROUND;
    let r = L::fma(k, -PARTS[0], x);
    let r = L::fma(k, -PARTS[1], r);
    (L::fma(k, -PARTS[2], r), shifted.to_bits() as u32)
}

/// sin r for |r| <= pi/4: r + r^3 p(r^2), with p minimax (5e-12).
#[inline(always)]
fn sin_reduced<L: Level>(r: f32) -> f32 {
    let z = r * r;
    let p = L::poly(z, [2.718_084e-6, -1.983_930_9e-4, 8.333_329e-3, -1.666_666_7e-1]);
    // The sum loses the sign of a zero.
    L::fma(p * z, r, r).copysign(r)
}

/// cos r for |r| <= pi/4: 1 - r^2/2 + r^4 p(r^2), with p minimax (1e-10).
#[inline(always)]
fn cos_reduced<L: Level>(r: f32) -> f32 {
    let z = r * r;
    let p = L::poly(z, [2.443_278_6e-5, -1.388_731_3e-3, 4.166_664_6e-2]);
    L::fma(p * z, z, L::fma(-0.5, z, 1.0))
}

/// The sine of `r + quadrant pi/2`.
#[inline(always)]
fn sin_of<L: Level>(r: f32, quadrant: u32) -> f32 {
    let (sin, cos) = (sin_reduced::<L>(r), cos_reduced::<L>(r));
    let y = if quadrant & 1 == 0 { sin } else { cos };
    f32::from_bits(y.to_bits() ^ ((quadrant & 2) << 30))
}

/// sin x for |x| up to [`TRIG_MAX`], NaN for ±inf, and beyond that nothing of worth. Within 2 ulp.
#[inline(always)]
pub fn sin_bounded<L: Level>(x: f32) -> f32 {
    let (r, quadrant) = reduce::<L>(x);
    sin_of::<L>(r as f32, quadrant)
}

/// cos x for |x| up to [`TRIG_MAX`], NaN for ±inf, and beyond that nothing of worth. Within 2 ulp.
#[inline(always)]
pub fn cos_bounded<L: Level>(x: f32) -> f32 {
    let (r, quadrant) = reduce::<L>(x);
    sin_of::<L>(r as f32, quadrant.wrapping_add(1))
}

/// tan x for |x| up to [`TRIG_MAX`], NaN for ±inf, and beyond that nothing of worth: r + r^3 p(r^2), with p
/// minimax (1e-9), and in odd quadrants -1 over that. Within 2 ulp.
#[inline(always)]
pub fn tan_bounded<L: Level>(x: f32) -> f32 {
    let (exact, quadrant) = reduce::<L>(x);
    let r = exact as f32;
    let z = r * r;
    // What r lacks, times the slope 1 + tan^2: else its rounding and the quotient's would add up.
    let lost = (exact - f64::from(r)) as f32 * (1.0 + z);
    let p = [
        4.381_681_3e-3,
        7.884_97e-5,
        1.084_402_2e-2,
        2.127_910_8e-2,
        5.406_05e-2,
        1.333_265_9e-1,
        3.333_335e-1,
    ];
    let tan = r + L::fma(L::poly(z, p) * z, r, lost);
    let tan = if quadrant & 1 == 0 { tan } else { -1.0 / tan };
    if x == 0.0 { x } else { tan }
}

/// asin s - s for |s| <= 1/2, over s: s^2 p(s^2), with p minimax (3e-10). Takes s^2.
#[inline(always)]
fn asin_tail<L: Level>(z: f32) -> f32 {
    let p = [3.751_671e-2, 1.443_839_5e-2, 3.180_778e-2, 4.451_694_7e-2, 7.500_504e-2, 1.666_666e-1];
    L::poly(z, p) * z
}

/// asin x: a polynomial up to 1/2, then `pi/2 - 2 asin sqrt((1 - |x|) / 2)`. Within 2 ulp.
#[inline(always)]
pub fn asin<L: Level>(x: f32) -> f32 {
    let a = x.abs();
    let far = a > 0.5;
    let z = if far { 0.5 - 0.5 * a } else { a * a };
    let s = if far { -2.0 * z.sqrt() } else { a };
    // The great terms first, whose sum is exact where the result is small.
    let (turn, low) = if far { (FRAC_PI_2, FRAC_PI_2_LOW) } else { (0.0, 0.0) };
    ((turn + s) + L::fma(s, asin_tail::<L>(z), low)).copysign(x)
}

/// acos x: `pi/2 - asin x` up to 1/2, then `2 asin sqrt((1 - |x|) / 2)`, from pi where x is negative.
/// Within 2 ulp.
#[inline(always)]
pub fn acos<L: Level>(x: f32) -> f32 {
    let a = x.abs();
    let far = a > 0.5;
    let z = if far { 0.5 - 0.5 * a } else { a * a };
    let s = if far { z.sqrt() } else { a };
    let y = L::fma(s, asin_tail::<L>(z), s);
    let mirrored = PI - (2.0 * y - PI_LOW);
    let beyond = if x < 0.0 { mirrored } else { 2.0 * y };
    let near = FRAC_PI_2 - (y.copysign(x) - FRAC_PI_2_LOW);
    if far { beyond } else { near }
}

/// atan(b / a) for a, b >= 0, not both 0 or infinite: t + t^3 p(t^2) for |t| <= sqrt 2 - 1, with p minimax
/// (7e-10). Greater quotients are turned by pi/4 or pi/2 first, in the same one division.
#[inline(always)]
fn atan_quotient<L: Level>(b: f32, a: f32) -> f32 {
    use std::f32::consts::SQRT_2;
    // To where neither a sum overflows nor a part of what is subnormal vanishes.
    let great = if b > a { b } else { a };
    let unit = if great > 1e30 { 0.25 } else { 1.0 };
    let unit = if great < 1e-30 { 1_099_511_627_776.0 } else { unit };
    let (a, b) = (a * unit, b * unit);
    let turned = b > (SQRT_2 - 1.0) * a;
    let steep = a < (SQRT_2 - 1.0) * b;
    let (over, under, turn) = if turned { (b - a, b + a, 0.5) } else { (b, a, 0.0) };
    let (over, under, turn) = if steep { (-a, b, 1.0) } else { (over, under, turn) };
    let t = over / under;
    let z = t * t;
    let p = [-6.055_207e-2, 1.058_511_6e-1, -1.424_241_4e-1, 1.999_841_6e-1, -3.333_331_3e-1];
    turn * FRAC_PI_2 + (t + L::fma(L::poly(z, p) * z, t, turn * FRAC_PI_2_LOW))
}

/// atan x, from the quotient of |x| and 1. Within 2 ulp.
#[inline(always)]
pub fn atan<L: Level>(x: f32) -> f32 {
    atan_quotient::<L>(x.abs(), 1.0).copysign(x)
}

/// The angle of the point (x, y), from -pi to pi, with the special cases of C: a zero or an infinity has the
/// sign and the quadrant that it says. From the quotient of |y| and |x|, mirrored. Within 2 ulp.
#[inline(always)]
pub fn atan2<L: Level>(y: f32, x: f32) -> f32 {
    let (a, b) = (x.abs(), y.abs());
    // Two zeros lie on the x axis, two infinities on the diagonal.
    let a = if a + b == 0.0 { 1.0 } else { a };
    let infinite = (a == f32::INFINITY) & (b == f32::INFINITY);
    let (a, b) = if infinite { (1.0, 1.0) } else { (a, b) };
    let angle = atan_quotient::<L>(b, a);
    let angle = if x.is_sign_negative() { PI - (angle - PI_LOW) } else { angle };
    angle.copysign(y)
}
