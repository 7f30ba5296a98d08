//! Arithmetic of whole numbers, which wraps. Bool is a `u8` of 0 or 1 here.
use super::number::{Number, compare, map, plain, zip};
use crate::simd::dispatch_v3;
use firesteel_core::{Binary, Compare, Unary};

macro_rules! integers {
    ($($t:ident by $run:ident;)*) => {$(
        impl Number for $t {
            const IS_FLOAT: bool = false;

            fn unary(kind: Unary, x: &[$t], y: &mut [$t]) {
                let negative = |x: $t| i64::from(x) < 0;
                $run!(|L| match kind {
                    Unary::Neg => map(x, y, $t::wrapping_neg),
                    Unary::Abs => map(x, y, |x| if negative(x) { x.wrapping_neg() } else { x }),
                    Unary::Sign => map(x, y, |x| i64::from(x).signum() as $t),
                    Unary::Relu => map(x, y, |x| x.max(0)),
                    Unary::Not => map(x, y, |x| !x),
                    // functions of real numbers: infer refuses them
                    Unary::Floor | Unary::Ceil | Unary::Round | Unary::Trunc | Unary::Sqrt | Unary::Rsqrt
                    | Unary::Recip | Unary::Exp | Unary::Exp2 | Unary::Expm1 | Unary::Log | Unary::Log2
                    | Unary::Log10 | Unary::Log1p | Unary::Sin | Unary::Cos | Unary::Tan | Unary::Asin
                    | Unary::Acos | Unary::Atan | Unary::Sinh | Unary::Cosh | Unary::Tanh | Unary::Asinh
                    | Unary::Acosh | Unary::Atanh | Unary::Sigmoid | Unary::Erf | Unary::Erfc
                    | Unary::Erfinv | Unary::Lgamma | Unary::Digamma => (),
                })
            }

            fn binary(kind: Binary, a: &[$t], b: &[$t], y: &mut [$t]) -> bool {
                let negative = |x: $t| i64::from(x) < 0;
                let is_shift = |b: $t| (0..i64::from($t::BITS)).contains(&i64::from(b));
                let divides = matches!(kind, Binary::Div | Binary::Remainder | Binary::Fmod);
                if divides && b.contains(&0) {
                    return false;
                }
                match kind {
                    Binary::Div => zip(a, b, y, $t::wrapping_div),
                    Binary::Fmod => zip(a, b, y, $t::wrapping_rem),
                    Binary::Remainder => zip(a, b, y, |a, b| {
                        let rest = a.wrapping_rem(b);
                        if rest != 0 && negative(rest) != negative(b) { rest.wrapping_add(b) } else { rest }
                    }),
                    // the powers of i64 modulo 2^bits are those of the narrower type
                    Binary::Pow => zip(a, b, y, |a, b| pow(i64::from(a), i64::from(b)) as $t),
                    Binary::Gcd => zip(a, b, y, |a, b| gcd(i64::from(a), i64::from(b)) as $t),
                    _ => $run!(|L| match kind {
                    Binary::Add => zip(a, b, y, $t::wrapping_add),
                    Binary::Sub => zip(a, b, y, $t::wrapping_sub),
                    Binary::Mul => zip(a, b, y, $t::wrapping_mul),
                    Binary::Maximum => zip(a, b, y, |a, b| a.max(b)),
                    Binary::Minimum => zip(a, b, y, |a, b| a.min(b)),
                    Binary::BitAnd => zip(a, b, y, |a, b| a & b),
                    Binary::BitOr => zip(a, b, y, |a, b| a | b),
                    Binary::BitXor => zip(a, b, y, |a, b| a ^ b),
                    Binary::Shl => zip(a, b, y, |a, b| if is_shift(b) { a.wrapping_shl(b as u32) } else { 0 }),
                    Binary::Shr => zip(a, b, y, |a, b| match () {
                        () if is_shift(b) => a.wrapping_shr(b as u32),
                        () if negative(a) => !0,
                        () => 0,
                    }),
                    // those above, and those of real numbers, which infer refuses
                    _ => (),
                    }),
                }
                true
            }

            fn power(_: &[$t], _: $t, _: &mut [$t]) -> bool {
                false
            }

            fn compare(kind: Compare, a: &[$t], b: &[$t], y: &mut [u8]) {
                compare!($run, kind, a, b, y)
            }
        }
    )*};
}

integers! { i64 by dispatch_v3; i32 by dispatch_v3; i8 by plain; u32 by plain; u8 by plain; }

/// The greatest common divisor, by Euclid; of the smallest number alone it wraps.
fn gcd(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a as i64
}

/// `aᵇ`, wrapping. Of the whole numbers only 1 and -1 have whole inverses; PyTorch gives 0 for the others.
fn pow(mut a: i64, b: i64) -> i64 {
    if b < 0 {
        return match a {
            1 => 1,
            -1 if b & 1 == 0 => 1,
            -1 => -1,
            _ => 0,
        };
    }
    let (mut power, mut b) = (1i64, b);
    while b > 0 {
        if b & 1 == 1 {
            power = power.wrapping_mul(a);
        }
        a = a.wrapping_mul(a);
        b >>= 1;
    }
    power
}
