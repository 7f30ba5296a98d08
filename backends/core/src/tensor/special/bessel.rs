//! Modified Bessel functions of the first kind, of order 0 and 1.
use super::function::functions;
use crate::{Expr, Trace};
use std::f64::consts::PI;

functions! {
    /// `I₀(x)`, the modified Bessel function of the first kind of order 0.
    i0 1.0 => "1.2661";
    value |x, precise| Order::Zero.value(x, precise, false);
    // I₁(x)
    slope |x, _| x.i1();

    /// `e^-|x| I₀(x)`, which does not overflow.
    i0e 1.0 => "0.4658";
    value |x, precise| Order::Zero.value(x, precise, true);
    // e^-|x| I₁(x) - y sign x
    slope |x, y| (x.i1e()?.lazy() - y.lazy() * x.lazy().sign()).eval();

    /// `I₁(x)`, the modified Bessel function of the first kind of order 1.
    i1 1.0 => "0.5652";
    value |x, precise| Order::One.value(x, precise, false);
    // I₀(x) - y/x, which is ½ at 0
    slope |x, y| {
        let zero = &x.lazy().eq(0);
        zero.where_(0.5, x.i0()?.lazy() - y.lazy() / zero.where_(1, x)).eval()
    };

    /// `e^-|x| I₁(x)`, which does not overflow.
    i1e 1.0 => "0.2079";
    value |x, precise| Order::One.value(x, precise, true);
    // e^-|x| I₀(x) - y (sign x + 1/x), which is ½ at 0
    slope |x, y| {
        let zero = &x.lazy().eq(0);
        let inverse = 1 / zero.where_(1, x);
        zero.where_(0.5, x.i0e()?.lazy() - y.lazy() * (x.lazy().sign() + inverse)).eval()
    };
}

#[derive(Clone, Copy)]
enum Order {
    Zero,
    One,
}

impl Order {
    /// By the power series up to a bound, `Σ (x²/4)ᵏ / (k! (k + n)!) · (x/2)ⁿ`, all of whose terms are positive, and by the
    /// asymptotic one from there on, `eˣ/√2πx Π (1 - (4n² - (2k - 1)²) / 8kx (1 - ..))`.
    /// [DLMF 10.25, 10.40](https://dlmf.nist.gov/10.40)
    fn value(self, x: &Expr<Trace>, precise: bool, scaled: bool) -> Expr<Trace> {
        // the bound, and how many terms of both series reach the precision there
        let (bound, powers, inverses) = if precise { (20., 40, 30) } else { (9., 18, 12) };
        let n = match self {
            Order::Zero => 0.,
            Order::One => 1.,
        };
        let size = &x.abs();
        let near = &size.le(bound);
        let small = &near.where_(size, bound);
        let quarter = &(small.square() * 0.25);
        let series = (1..=powers)
            .rev()
            .map(f64::from)
            .fold(Expr::from(1.), |sum, k| 1 + quarter / (k * (k + n)) * sum);
        let series = match self {
            Order::Zero => series,
            Order::One => small * 0.5 * series,
        };
        let large = &near.where_(bound, size);
        let decay = (1..=inverses).rev().map(f64::from).fold(Expr::from(1.), |sum, k| {
            let odd = 2. * k - 1.;
            1 - (4. * n * n - odd * odd) / (8. * k) / large * sum
        });
        let decay = decay / (large * (2. * PI)).sqrt();
        let y = match scaled {
            true => near.where_(series * (-small).exp(), decay),
            false => near.where_(series, size.isinf().where_(size, decay * large.exp())),
        };
        match self {
            Order::Zero => y,
            Order::One => y.copysign(x),
        }
    }
}
