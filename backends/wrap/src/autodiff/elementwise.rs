//! Element by element. `y` is the result, and `g` its gradient.
use super::{
    graph::{Each, Rule},
    rules::{none, one, same, two},
};
use firesteel_core::{Backend, Binary, Op, Tensor, Unary};
use smallvec::smallvec;
use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LN_10};

pub(super) fn unary<B: Backend>(kind: Unary, x: Tensor<B>, y: Tensor<B>) -> Rule<B> {
    match kind {
        // d(-x) = -g
        Unary::Neg => one(|g| g.neg()),
        // d|x| = g sign x, which is 0 at 0
        Unary::Abs => one(move |g| g * Tensor::one(Op::Unary(Unary::Sign, &x))),
        // d max(x, 0) = g where x > 0, and where it is NaN
        Unary::Relu => one(move |g| y.lazy().le(0).where_(0, g).eval()),
        // constant between their steps
        Unary::Sign | Unary::Floor | Unary::Ceil | Unary::Round | Unary::Trunc => one(none),
        Unary::Not => Rule::Nothing,

        // d√x = g / 2y
        Unary::Sqrt => one(move |g| (g.lazy() / (2 * y.lazy())).eval()),
        // d(1/√x) = -g y³ / 2
        Unary::Rsqrt => one(move |g| (g.lazy() * (-0.5 * y.lazy() * &y * &y)).eval()),
        // d(1/x) = -g y²
        Unary::Recip => one(move |g| (-g.lazy() * &y * &y).eval()),

        // d eˣ = g y
        Unary::Exp => one(move |g| g * &y),
        // d 2ˣ = g y ln 2
        Unary::Exp2 => one(move |g| (g.lazy() * &y * LN_2).eval()),
        // d(eˣ - 1) = g (y + 1)
        Unary::Expm1 => one(move |g| (g.lazy() * (y.lazy() + 1)).eval()),
        // d ln x = g / x
        Unary::Log => one(move |g| g / &x),
        // d log₂ x = g / (x ln 2)
        Unary::Log2 => one(move |g| (g.lazy() / (x.lazy() * LN_2)).eval()),
        // d log₁₀ x = g / (x ln 10)
        Unary::Log10 => one(move |g| (g.lazy() / (x.lazy() * LN_10)).eval()),
        // d ln (1 + x) = g / (1 + x)
        Unary::Log1p => one(move |g| (g.lazy() / (x.lazy() + 1)).eval()),

        // d sin x = g cos x
        Unary::Sin => one(move |g| (g.lazy() * x.lazy().cos()).eval()),
        // d cos x = -g sin x
        Unary::Cos => one(move |g| (-g.lazy() * x.lazy().sin()).eval()),
        // d tan x = g (1 + y²)
        Unary::Tan => one(move |g| (g.lazy() * (1 + y.lazy().square())).eval()),
        // d arcsin x = g / √(1 - x²)
        Unary::Asin => one(move |g| (g.lazy() * (1 - x.lazy().square()).rsqrt()).eval()),
        // d arccos x = -g / √(1 - x²)
        Unary::Acos => one(move |g| (-g.lazy() * (1 - x.lazy().square()).rsqrt()).eval()),
        // d arctan x = g / (1 + x²)
        Unary::Atan => one(move |g| (g.lazy() / (1 + x.lazy().square())).eval()),
        // d sinh x = g cosh x
        Unary::Sinh => one(move |g| (g.lazy() * x.lazy().cosh()).eval()),
        // d cosh x = g sinh x
        Unary::Cosh => one(move |g| (g.lazy() * x.lazy().sinh()).eval()),
        // d tanh x = g (1 - y²)
        Unary::Tanh => one(move |g| (g.lazy() * (1 - y.lazy().square())).eval()),
        // d arsinh x = g / √(x² + 1)
        Unary::Asinh => one(move |g| (g.lazy() * (x.lazy().square() + 1).rsqrt()).eval()),
        // d arcosh x = g / √(x² - 1)
        Unary::Acosh => one(move |g| (g.lazy() * (x.lazy().square() - 1).rsqrt()).eval()),
        // d artanh x = g / (1 - x²)
        Unary::Atanh => one(move |g| (g.lazy() / (1 - x.lazy().square())).eval()),

        // d σ(x) = g y (1 - y)
        Unary::Sigmoid => one(move |g| (g.lazy() * &y * (1 - y.lazy())).eval()),
        // d erf x = 2/√π g e^(-x²)
        Unary::Erf => one(move |g| (FRAC_2_SQRT_PI * g.lazy() * (-x.lazy().square()).exp()).eval()),
        // d erfc x = -2/√π g e^(-x²)
        Unary::Erfc => one(move |g| (-FRAC_2_SQRT_PI * g.lazy() * (-x.lazy().square()).exp()).eval()),
        // d erf⁻¹ x = √π/2 g e^(y²)
        Unary::Erfinv => one(move |g| (g.lazy() / FRAC_2_SQRT_PI * y.lazy().square().exp()).eval()),
        // d ln |Γ(x)| = g ψ(x)
        Unary::Lgamma => one(move |g| g * x.digamma()),
        // dψ(x) = g ζ(2, x)
        Unary::Digamma => one(move |g| g * x.full_like(2)?.zeta(&x)?),
    }
}

pub(super) fn binary<B: Backend>(kind: Binary, a: Tensor<B>, b: Tensor<B>, y: Tensor<B>) -> Rule<B> {
    match kind {
        Binary::Add => two(same, same),
        Binary::Sub => two(same, |g| g.neg()),
        // d(a b) = g b, g a
        Binary::Mul => two(move |g| g * &b, move |g| g * &a),
        // d(a/b) = g/b, -g y/b
        Binary::Div => {
            let divisor = b.clone();
            two(move |g| g / &divisor, move |g| (-g.lazy() * &y / &b).eval())
        }
        // d aᵇ = g b aᵇ⁻¹, which is 0 for b = 0; g y ln a, which is 0 for a = 0 and b ≥ 0
        Binary::Pow => {
            let (base, exponent) = (a.clone(), b.clone());
            two(
                move |g| {
                    let (a, b) = (base.lazy(), exponent.lazy());
                    let slope = b.clone() * a.pow(b.clone() - 1);
                    b.eq(0).where_(0, g.lazy() * slope).eval()
                },
                move |g| {
                    let flat = a.lazy().eq(0).where_(b.lazy().ge(0), 0);
                    flat.ne(0).where_(0, g.lazy() * (y.lazy() * a.lazy().log())).eval()
                },
            )
        }
        // y = a - b n, with a whole number n that is constant between its steps: d = g, -g n
        Binary::Remainder | Binary::Fmod => {
            two(same, move |g| (-g.lazy() * ((a.lazy() - &y) / &b).round()).eval())
        }
        // to the larger, and in halves to equals
        Binary::Maximum => {
            let (c, d) = (a.clone(), b.clone());
            two(move |g| share(g, &a, &b), move |g| share(g, &d, &c))
        }
        // the smaller of two is the larger of their negatives, so the roles are exchanged
        Binary::Minimum => {
            let (c, d) = (a.clone(), b.clone());
            two(move |g| share_less(g, &a, &b), move |g| share_less(g, &d, &c))
        }
        // d atan2(a, b) = g b / (a² + b²), -g a / (a² + b²)
        Binary::Atan2 => {
            let (p, q) = (a.clone(), b.clone());
            two(
                move |g| (g.lazy() * &q / (p.lazy().square() + q.lazy().square())).eval(),
                move |g| (-g.lazy() * &a / (a.lazy().square() + b.lazy().square())).eval(),
            )
        }
        // d |a| sign b = g where the sign stays, -g where it changes, 0 at a = 0; 0
        Binary::Copysign => two(move |g| a.lazy().eq(0).where_(0, g.lazy() * (y.lazy() / &a)).eval(), none),
        // dζ(s, q)/dq = -g s ζ(s + 1, q); of s there is no formula
        Binary::Zeta => {
            let rule = move |g: &Tensor<B>| (-g.lazy() * &a * (a.lazy() + 1).zeta(&b)).eval();
            Rule::Each(smallvec![None, Some(Box::new(rule) as Each<B>)])
        }
        Binary::BitAnd | Binary::BitOr | Binary::BitXor => Rule::Nothing,
        Binary::Gcd | Binary::Shl | Binary::Shr => Rule::Nothing,
    }
}

/// What `a` gets of the gradient of `max(a, b)`: half where they are equal.
fn share<B: Backend>(g: &Tensor<B>, a: &Tensor<B>, b: &Tensor<B>) -> firesteel_core::Result<Tensor<B>> {
    let (x, y) = (a.lazy(), b.lazy());
    x.lt(y.clone()).where_(0, x.eq(y).where_(g.lazy() / 2, g)).eval()
}

/// What `a` gets of the gradient of `min(a, b)`.
fn share_less<B: Backend>(g: &Tensor<B>, a: &Tensor<B>, b: &Tensor<B>) -> firesteel_core::Result<Tensor<B>> {
    let (x, y) = (a.lazy(), b.lazy());
    x.gt(y.clone()).where_(0, x.eq(y).where_(g.lazy() / 2, g)).eval()
}

/// To the operand that was chosen; the condition has no gradient.
pub(super) fn select<B: Backend>(c: Tensor<B>) -> Rule<B> {
    let chosen = c.clone();
    Rule::Each(smallvec![
        None,
        Some(Box::new(move |g: &Tensor<B>| chosen.where_(g, 0)) as Each<B>),
        Some(Box::new(move |g: &Tensor<B>| c.where_(0, g)) as Each<B>),
    ])
}

pub(super) fn cast<B: Backend>(x: &Tensor<B>) -> Rule<B> {
    let dtype = x.dtype();
    one(move |g| g.to(dtype))
}
