//! Arithmetic of real numbers.
use super::number::{Line, Number, compare, map, plain, zip, zip_symmetric};
use crate::{dispatch, math::Math, simd::Baseline};
use firesteel_core::{Binary, Compare, Unary};

/// The elementary and special functions.
trait Functions: Sized {
    fn function(kind: Unary, x: &[Self], y: &mut [Self]);
}

macro_rules! floats {
    ($($t:ident by $run:ident;)*) => {$(
        impl Number for $t {
            const IS_FLOAT: bool = true;

            fn unary(kind: Unary, x: &[$t], y: &mut [$t]) {
                dispatch!(|L| match kind {
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
                    Unary::Sqrt => map(x, y, $t::sqrt),
                    Unary::Rsqrt => map(x, y, <$t as Math>::rsqrt::<L>),
                    Unary::Recip => map(x, y, |x| 1. / x),
                    _ => Self::function(kind, x, y),
                })
            }

            fn binary(kind: Binary, a: Line<$t>, b: Line<$t>, y: &mut [$t]) -> bool {
                dispatch!(|L| match kind {
                    Binary::Add => zip_symmetric(a, b, y, |a, b| a + b),
                    Binary::Sub => zip(a, b, y, |a, b| a - b),
                    Binary::Mul => zip_symmetric(a, b, y, |a, b| a * b),
                    Binary::Div => zip(a, b, y, |a, b| a / b),
                    Binary::Pow => match (a, b) {
                        // what is common, and exact as a product
                        (Line::Many(x), Line::One(2.)) => map(x, y, |x| x * x),
                        (Line::Many(x), Line::One(3.)) => map(x, y, |x| x * x * x),
                        (Line::Many(x), Line::One(-1.)) => map(x, y, |x| 1. / x),
                        (Line::Many(x), Line::One(-2.)) => map(x, y, |x| 1. / (x * x)),
                        (Line::Many(x), Line::One(0.5)) => map(x, y, $t::sqrt),
                        (Line::Many(x), Line::One(-0.5)) => map(x, y, <$t as Math>::rsqrt::<L>),
                        _ => zip(a, b, y, <$t as Math>::pow::<L>),
                    },
                    Binary::Remainder => zip(a, b, y, |a, b| {
                        let rest = a % b;
                        if rest != 0. && (rest < 0.) != (b < 0.) { rest + b } else { rest }
                    }),
                    Binary::Fmod => zip(a, b, y, |a, b| a % b),
                    Binary::Maximum => zip_symmetric(a, b, y, |a, b| if a > b || a.is_nan() { a } else { b }),
                    Binary::Minimum => zip_symmetric(a, b, y, |a, b| if a < b || a.is_nan() { a } else { b }),
                    Binary::Atan2 => zip(a, b, y, <$t as Math>::atan2::<L>),
                    Binary::Copysign => zip(a, b, y, $t::copysign),
                    Binary::Zeta => zip(a, b, y, <$t as Math>::zeta::<L>),
                    // infer refuses these
                    Binary::BitAnd | Binary::BitOr | Binary::BitXor | Binary::Shl | Binary::Shr => (),
                });
                true
            }

            fn compare(kind: Compare, a: Line<$t>, b: Line<$t>, y: &mut [u8]) {
                compare!(dispatch, kind, a, b, y)
            }
        }

        impl Functions for $t {
            fn function(kind: Unary, x: &[$t], y: &mut [$t]) {
                match kind {
                    Unary::Lgamma => map(x, y, <$t as Math>::lgamma::<Baseline>),
                    Unary::Digamma => map(x, y, <$t as Math>::digamma::<Baseline>),
                    _ => $run!(|L| match kind {
                        Unary::Exp => map(x, y, <$t as Math>::exp::<L>),
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
                        Unary::Tanh => map(x, y, <$t as Math>::tanh::<L>),
                        Unary::Asinh => map(x, y, <$t as Math>::asinh::<L>),
                        Unary::Acosh => map(x, y, <$t as Math>::acosh::<L>),
                        Unary::Atanh => map(x, y, <$t as Math>::atanh::<L>),
                        Unary::Sigmoid => map(x, y, <$t as Math>::sigmoid::<L>),
                        Unary::Erf => map(x, y, <$t as Math>::erf::<L>),
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

floats! { f32 by dispatch; f64 by plain; }
