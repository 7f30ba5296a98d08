//! Arithmetic of real numbers.
use super::number::{Line, Number, compare, map, map_past, plain, zip, zip_past};
use crate::{
    math::Math,
    simd::{Baseline, dispatch, dispatch_v3},
    stream::CacheLine,
};
use firesteel_core::{Binary, Compare, Unary};

/// The elementary and special functions.
pub(super) trait Functions: Sized {
    fn function_of_two(kind: Binary, a: &[Self], b: &[Self], y: &mut [Self]);
    /// `y[i] = f(x[i] · factor)`, rounded in between as if it were two lines, of functions that [take a factor](takes_factor);
    /// the others do without.
    fn function(kind: Unary, x: &[Self], factor: Self, y: &mut [Self]);
}

/// Whether a function's operand may be multiplied on the way: those that formulas ask it of most, since it costs the others a
/// multiplication by one.
pub(super) fn takes_factor(kind: Unary) -> bool {
    matches!(kind, Unary::Sqrt | Unary::Exp | Unary::Tanh | Unary::Erf)
}

/// `y[i] = f(a[i] · s, b[i] · t)`, rounded in between as if it were three lines; false where there is no loop for that.
pub(super) fn of_products(kind: Binary, a: &[f32], b: &[f32], [s, t]: [f32; 2], y: &mut [f32]) -> bool {
    dispatch!(|L| {
        match kind {
            Binary::Add => zip(a, b, y, |a, b| a * s + b * t),
            Binary::Sub => zip(a, b, y, |a, b| a * s - b * t),
            Binary::Mul => zip(a, b, y, |a, b| (a * s) * (b * t)),
            Binary::Div => zip(a, b, y, |a, b| (a * s) / (b * t)),
            _ => return false,
        }
        true
    })
}

macro_rules! floats {
    ($($t:ident by $plain:ident, $run:ident, $lanes:literal;)*) => {$(
        impl Number for $t {
            const IS_FLOAT: bool = true;

            fn unary(kind: Unary, x: &[$t], y: &mut [$t]) {
                $plain!(|L| match kind {
                    Unary::Neg => map(x, y, |x| -x),
                    Unary::Abs => map(x, y, $t::abs),
                    Unary::Sign => map(x, y, |x| if x > 0. { 1. } else if x < 0. { -1. } else { x }),
                    Unary::Relu => map(x, y, |x| if x < 0. { 0. } else { x }),
                    // infer refuses it
                    Unary::Not => (),
                    Unary::Floor => map(x, y, $t::floor),
                    Unary::Ceil => map(x, y, $t::ceil),
                    Unary::Round => map(x, y, <$t as Math>::round::<L>),
                    Unary::Trunc => map(x, y, $t::trunc),
                    Unary::Rsqrt => map(x, y, <$t as Math>::rsqrt::<L>),
                    Unary::Recip => map(x, y, |x| 1. / x),
                    _ => Self::function(kind, x, 1., y),
                })
            }

            fn binary(kind: Binary, a: &[$t], b: &[$t], y: &mut [$t]) -> bool {
                $plain!(|L| match kind {
                    Binary::Add => zip(a, b, y, |a, b| a + b),
                    Binary::Sub => zip(a, b, y, |a, b| a - b),
                    Binary::Mul => zip(a, b, y, |a, b| a * b),
                    Binary::Div => zip(a, b, y, |a, b| a / b),
                    Binary::Remainder => {
                        $t::fmod_slice::<L>(a, b, y);
                        for (rest, b) in y.iter_mut().zip(b) {
                            // that of a rounded down quotient has the sign of the divisor
                            let other = *rest != 0. && (*rest < 0.) != (*b < 0.);
                            *rest = if other { *rest + b } else { *rest };
                        }
                    }
                    Binary::Fmod => $t::fmod_slice::<L>(a, b, y),
                    Binary::Maximum => zip(a, b, y, |a, b| if a > b || a.is_nan() { a } else { b }),
                    Binary::Minimum => zip(a, b, y, |a, b| if a < b || a.is_nan() { a } else { b }),
                    Binary::Copysign => zip(a, b, y, $t::copysign),
                    // infer refuses these
                    Binary::BitAnd | Binary::BitOr | Binary::BitXor => (),
                    Binary::Gcd | Binary::Shl | Binary::Shr => (),
                    Binary::Pow | Binary::Atan2 | Binary::Zeta => Self::function_of_two(kind, a, b, y),
                });
                true
            }

            fn with_one(kind: Binary, a: Line<$t>, b: Line<$t>, y: &mut [$t]) -> bool {
                use {Binary::*, Line::*};
                $plain!(|L| {
                    match (kind, a, b) {
                        (Add, Many(x), One(c)) | (Add, One(c), Many(x)) => map(x, y, |x| x + c),
                        (Sub, Many(x), One(c)) => map(x, y, |x| x - c),
                        (Sub, One(c), Many(x)) => map(x, y, |x| c - x),
                        (Mul, Many(x), One(c)) | (Mul, One(c), Many(x)) => map(x, y, |x| x * c),
                        (Div, Many(x), One(c)) => map(x, y, |x| x / c),
                        (Div, One(c), Many(x)) => map(x, y, |x| c / x),
                        _ => return false,
                    }
                    true
                })
            }

            fn past(kind: Binary, a: Line<$t>, b: Line<$t>, y: &mut [CacheLine]) -> bool {
                use {Binary::*, Line::*};
                dispatch!(|L| {
                    match (kind, a, b) {
                        (Add, Many(a), Many(b)) => zip_past::<L, $t, $lanes>(a, b, y, |a, b| a + b),
                        (Sub, Many(a), Many(b)) => zip_past::<L, $t, $lanes>(a, b, y, |a, b| a - b),
                        (Mul, Many(a), Many(b)) => zip_past::<L, $t, $lanes>(a, b, y, |a, b| a * b),
                        (Div, Many(a), Many(b)) => zip_past::<L, $t, $lanes>(a, b, y, |a, b| a / b),
                        (Add, Many(x), One(c)) | (Add, One(c), Many(x)) => {
                            map_past::<L, $t, $lanes>(x, y, |x| x + c)
                        }
                        (Mul, Many(x), One(c)) | (Mul, One(c), Many(x)) => {
                            map_past::<L, $t, $lanes>(x, y, |x| x * c)
                        }
                        _ => return false,
                    }
                    true
                })
            }

            fn power(x: &[$t], exponent: $t, y: &mut [$t]) -> bool {
                $plain!(|L| {
                    match exponent {
                    2. => map(x, y, |x| x * x),
                    3. => map(x, y, |x| x * x * x),
                    -1. => map(x, y, |x| 1. / x),
                    -2. => map(x, y, |x| 1. / (x * x)),
                    0.5 => map(x, y, $t::sqrt),
                    -0.5 => map(x, y, <$t as Math>::rsqrt::<L>),
                    _ => return false,
                    }
                    true
                })
            }

            fn compare(kind: Compare, a: &[$t], b: &[$t], y: &mut [u8]) {
                compare!(dispatch_v3, kind, a, b, y)
            }
        }

        impl Functions for $t {
            fn function_of_two(kind: Binary, a: &[$t], b: &[$t], y: &mut [$t]) {
                match kind {
                    Binary::Zeta => zip(a, b, y, <$t as Math>::zeta::<Baseline>),
                    _ => $run!(|L| match kind {
                        Binary::Pow => zip(a, b, y, <$t as Math>::pow::<L>),
                        Binary::Atan2 => zip(a, b, y, <$t as Math>::atan2::<L>),
                        // `binary` has the rest
                        _ => (),
                    }),
                }
            }

            fn function(kind: Unary, x: &[$t], factor: $t, y: &mut [$t]) {
                match kind {
                    Unary::Lgamma => map(x, y, <$t as Math>::lgamma::<Baseline>),
                    Unary::Digamma => map(x, y, <$t as Math>::digamma::<Baseline>),
                    _ => $run!(|L| match kind {
                        Unary::Sqrt => map(x, y, |x| (x * factor).sqrt()),
                        Unary::Exp => map(x, y, |x| <$t as Math>::exp::<L>(x * factor)),
                        Unary::Exp2 => map(x, y, <$t as Math>::exp2::<L>),
                        Unary::Expm1 => map(x, y, <$t as Math>::expm1::<L>),
                        Unary::Log => map(x, y, <$t as Math>::ln::<L>),
                        Unary::Log2 => map(x, y, <$t as Math>::log2::<L>),
                        Unary::Log10 => map(x, y, <$t as Math>::log10::<L>),
                        Unary::Log1p => map(x, y, <$t as Math>::log1p::<L>),
                        Unary::Sin => $t::sin_slice::<L>(x, y),
                        Unary::Cos => $t::cos_slice::<L>(x, y),
                        Unary::Tan => $t::tan_slice::<L>(x, y),
                        Unary::Asin => map(x, y, <$t as Math>::asin::<L>),
                        Unary::Acos => map(x, y, <$t as Math>::acos::<L>),
                        Unary::Atan => map(x, y, <$t as Math>::atan::<L>),
                        Unary::Sinh => map(x, y, <$t as Math>::sinh::<L>),
                        Unary::Cosh => map(x, y, <$t as Math>::cosh::<L>),
                        Unary::Tanh => map(x, y, |x| <$t as Math>::tanh::<L>(x * factor)),
                        Unary::Asinh => map(x, y, <$t as Math>::asinh::<L>),
                        Unary::Acosh => map(x, y, <$t as Math>::acosh::<L>),
                        Unary::Atanh => map(x, y, <$t as Math>::atanh::<L>),
                        Unary::Sigmoid => map(x, y, <$t as Math>::sigmoid::<L>),
                        Unary::Erf => map(x, y, |x| <$t as Math>::erf::<L>(x * factor)),
                        Unary::Erfc => map(x, y, <$t as Math>::erfc::<L>),
                        Unary::Erfinv => map(x, y, <$t as Math>::erfinv::<L>),
                        // `unary` has the rest
                        _ => (),
                    }),
                }
            }
        }
    )*};
}

// within a formula numbers lie in the first cache, and there wider vectors are faster; those of F64 are rarer
floats! { f32 by dispatch, dispatch, 16; f64 by dispatch_v3, plain, 8; }
