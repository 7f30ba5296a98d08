//! What each element-wise operation is in the text of a GPU's kernel: one table for all languages.
//!
//! The formulas are in what WGSL and C++ have in common: operators, calls, and `select(no, yes, condition)`. `x`, or
//! `a` and `b`, are the operands. `$T` is the type that is computed in, for one number or a vector of them,
//! and `$W` the bits of the dtype; `$exp` is the function of that name for this type, from the machine's own
//! library: `f32_exp`. A Bool is computed with as the whole number 0 or 1. What a narrow integer does not hold
//! is cut off by the machine after each formula.
use crate::{Binary, Category, Compare, Unary};

/// The formula of a function of one number `x`, of this category; nothing where it has no meaning.
///
/// ```
/// use firesteel_core::{Category, Unary, formula};
/// assert_eq!(formula::unary(Unary::Recip, Category::Float), Some("$T(1) / x"));
/// assert_eq!(formula::unary(Unary::Recip, Category::Integer), None);
/// ```
pub fn unary(kind: Unary, category: Category) -> Option<&'static str> {
    let [float, integer, bool] = match kind {
        Unary::Neg => ["-x", "$T(0) - x", ""],
        Unary::Abs => ["abs(x)", "$abs(x)", ""],
        Unary::Sign => ["select(select(x, $T(-1), x < $T(0)), $T(1), x > $T(0))", "$sign(x)", ""],
        Unary::Relu => ["select(x, $T(0), x < $T(0))", "max(x, $T(0))", ""],
        Unary::Not => ["", "~x", "$T(1) - x"],
        Unary::Floor => ["floor(x)", "", ""],
        Unary::Ceil => ["ceil(x)", "", ""],
        Unary::Round => ["$round(x)", "", ""],
        Unary::Trunc => ["trunc(x)", "", ""],
        Unary::Sqrt => ["$sqrt(x)", "", ""],
        Unary::Rsqrt => ["$T(1) / $sqrt(x)", "", ""],
        Unary::Recip => ["$T(1) / x", "", ""],
        Unary::Exp => ["$exp(x)", "", ""],
        Unary::Exp2 => ["$exp2(x)", "", ""],
        Unary::Expm1 => ["$expm1(x)", "", ""],
        Unary::Log => ["$log(x)", "", ""],
        Unary::Log2 => ["$log2(x)", "", ""],
        Unary::Log10 => ["$log10(x)", "", ""],
        Unary::Log1p => ["$log1p(x)", "", ""],
        Unary::Sin => ["$sin(x)", "", ""],
        Unary::Cos => ["$cos(x)", "", ""],
        Unary::Tan => ["$tan(x)", "", ""],
        Unary::Asin => ["$asin(x)", "", ""],
        Unary::Acos => ["$acos(x)", "", ""],
        Unary::Atan => ["$atan(x)", "", ""],
        Unary::Sinh => ["$sinh(x)", "", ""],
        Unary::Cosh => ["$cosh(x)", "", ""],
        Unary::Tanh => ["$tanh(x)", "", ""],
        Unary::Asinh => ["$asinh(x)", "", ""],
        Unary::Acosh => ["$acosh(x)", "", ""],
        Unary::Atanh => ["$atanh(x)", "", ""],
        Unary::Sigmoid => ["$sigmoid(x)", "", ""],
        Unary::Erf => ["$erf(x)", "", ""],
        Unary::Erfc => ["$erfc(x)", "", ""],
        Unary::Erfinv => ["$erfinv(x)", "", ""],
        Unary::Lgamma => ["$lgamma(x)", "", ""],
        Unary::Digamma => ["$digamma(x)", "", ""],
    };
    of(category, float, integer, bool)
}

/// The formula of a function of two numbers `a` and `b`, of this category; nothing where it has no meaning.
pub fn binary(kind: Binary, category: Category) -> Option<&'static str> {
    let [float, integer, bool] = match kind {
        Binary::Add => ["a + b", "a + b", "a | b"],
        Binary::Sub => ["a - b", "a - b", ""],
        Binary::Mul => ["a * b", "a * b", "a & b"],
        Binary::Div => ["a / b", "$div(a, b)", ""],
        Binary::Pow => ["$pow(a, b)", "$pow(a, b)", ""],
        Binary::Remainder => ["$remainder(a, b)", "$remainder(a, b)", ""],
        Binary::Fmod => ["$fmod(a, b)", "$fmod(a, b)", ""],
        Binary::Maximum => ["$maximum(a, b)", "max(a, b)", "a | b"],
        Binary::Minimum => ["$minimum(a, b)", "min(a, b)", "a & b"],
        Binary::Atan2 => ["$atan2(a, b)", "", ""],
        Binary::Copysign => ["$copysign(a, b)", "", ""],
        Binary::Zeta => ["$zeta(a, b)", "", ""],
        Binary::BitAnd => ["", "a & b", "a & b"],
        Binary::BitOr => ["", "a | b", "a | b"],
        Binary::BitXor => ["", "a ^ b", "a ^ b"],
        Binary::Gcd => ["", "$gcd(a, b)", ""],
        Binary::Shl => ["", "$shl(a, b, $W)", ""],
        Binary::Shr => ["", "$shr(a, b, $W)", ""],
    };
    of(category, float, integer, bool)
}

/// The formula of a comparison, which gives a truth value.
pub fn compare(kind: Compare) -> &'static str {
    match kind {
        Compare::Eq => "a == b",
        // NaN differs from all, which `!=` need not say in a shader
        Compare::Ne => "!(a == b)",
        Compare::Lt => "a < b",
        Compare::Le => "a <= b",
        Compare::Gt => "a > b",
        Compare::Ge => "a >= b",
    }
}

fn of(
    category: Category,
    float: &'static str,
    integer: &'static str,
    bool: &'static str,
) -> Option<&'static str> {
    let formula = match category {
        Category::Float => float,
        Category::Integer => integer,
        Category::Bool => bool,
    };
    (!formula.is_empty()).then_some(formula)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, Meta, Op, Shape, infer};

    /// The table has a formula for exactly what `infer` lets through.
    #[test]
    fn every_operation_that_has_a_meaning_has_a_formula() {
        for &dtype in DType::ALL {
            let x = Meta::new(Shape::from([2]), dtype);
            for &kind in Unary::ALL {
                let has_meaning = infer(Op::Unary(kind, &x)).is_ok();
                assert_eq!(unary(kind, dtype.category()).is_some(), has_meaning, "{} {dtype}", kind.name());
            }
            for &kind in Binary::ALL {
                let has_meaning = infer(Op::Binary(kind, &x, &x)).is_ok();
                assert_eq!(binary(kind, dtype.category()).is_some(), has_meaning, "{} {dtype}", kind.name());
            }
        }
    }
}
