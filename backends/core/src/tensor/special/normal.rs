//! The normal distribution, the error function scaled, and entropy.
use super::function::functions;
use crate::{Backend, Expr, Result, Tensor, Trace};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI, SQRT_2};

functions! {
    /// `e^(x²) erfc x`, which neither vanishes nor overflows for large `x`.
    erfcx 1.0 => "0.4276";
    value scaled_erfc;
    // 2xy - 2/√π
    slope |x, y| (2 * x.lazy() * y - FRAC_2_SQRT_PI).eval();

    /// `ln Φ(x)` of the normal distribution, `ln` [`ndtr`](Self::ndtr).
    log_ndtr -1.0 => "-1.8410";
    value |x, precise| {
        // far below zero ln Φ(x) = ln (erfcx(-x/√2) / 2) - x²/2
        let far = &x.lt(-1);
        let below = far.where_(x, -1);
        let tail = (scaled_erfc(&(&below * -FRAC_1_SQRT_2), precise) * 0.5).log() - below.square() * 0.5;
        far.where_(tail, ((x * FRAC_1_SQRT_2).erfc() * -0.5).log1p())
    };
    // e^(-x²/2) / (√2π Φ(x)), of which in the tail two large factors cancel
    slope |x, y| {
        let far = &x.lazy().lt(-1);
        let tail = (far.where_(x, -1) * -FRAC_1_SQRT_2).eval()?.erfcx()?;
        let density = (x.lazy().square() * -0.5 - y).exp() / (2. * PI).sqrt();
        far.where_((2. / PI).sqrt() / tail.lazy(), density).eval()
    };

    /// The `x` with `Φ(x) = p`: the quantiles of the normal distribution, NaN outside of `[0, 1]`.
    ndtri 0.975 => "1.9600";
    value quantile;
    // √2π e^(y²/2)
    slope |_, y| ((y.lazy().square() * 0.5).exp() * (2. * PI).sqrt()).eval();

    /// `-x ln x`, 0 at 0, and -∞ below.
    entr 0.5 => "0.3466";
    value |x, _| {
        let positive = &x.gt(0);
        let there = positive.where_(x, 1);
        let not_positive = x.eq(0).where_(0, x.isnan().where_(x, f64::NEG_INFINITY));
        positive.where_(-&there * there.log(), not_positive)
    };
    // -1 - ln x
    slope |x, _| (-1. - x.lazy().log()).eval();
}

impl<B: Backend> Tensor<B> {
    /// `Φ(x)`, what part of the normal distribution lies below `x`. Whole numbers are cast to F32 first.
    /// <https://docs.pytorch.org/docs/stable/special.html#torch.special.ndtr>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new(0.0, &Cpu::default())?;
    /// assert_eq!(x.ndtr()?.item::<f32>()?, 0.5);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn ndtr(&self) -> Result<Self> {
        ((self.lazy() * -FRAC_1_SQRT_2).erfc() * 0.5).eval_as("ndtr")
    }
}

/// `e^(x²) erfc x`: as it stands below 4, and Laplace's continued fraction above,
/// `1/√π · 1/(x + ½/(x + 1/(x + ³⁄₂/(x + ..))))`.
fn scaled_erfc(x: &Expr<Trace>, precise: bool) -> Expr<Trace> {
    let far = &x.gt(4);
    let above = &far.where_(x, 4);
    let terms = if precise { 50 } else { 12 };
    let fraction = (1..=terms).rev().fold(above.clone(), |rest, k| above + f64::from(k) * 0.5 / rest);
    // x² of a number of few bits is exact, and what is left of it is small
    let near = &far.where_(4, x);
    let short = &((near * 16).round() / 16);
    let power = (short * short).exp() * ((near - short) * (near + short)).exp();
    far.where_(FRAC_2_SQRT_PI / 2. / fraction, power * near.erfc())
}

/// Of the smaller side, by Hastings' approximation (Abramowitz and Stegun,
/// [26.2.23](https://personal.math.ubc.ca/~cbm/aands/page_933.htm)), which is good to 5e-4, and two of Halley's steps.
fn quantile(p: &Expr<Trace>, _: bool) -> Expr<Trace> {
    let upper = &p.gt(0.5);
    let q = &upper.where_(1 - p, p);
    let t = &(q.log() * -2).sqrt();
    let numerator = 2.515517 + t * (0.802853 + t * 0.010328);
    let denominator = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
    let mut x = numerator / denominator - t;
    for _ in 0..2 {
        // how far off it is, in units of the density, which falls as -x
        let density = (x.square() * -0.5).exp() / (2. * PI).sqrt();
        let off = &(((&x * -1. / SQRT_2).erfc() * 0.5 - q) / density);
        x = &x - off / (1 + off * &x * 0.5);
    }
    let sided = upper.where_(-&x, &x);
    let end = p.eq(0).where_(f64::NEG_INFINITY, p.eq(1).where_(f64::INFINITY, sided));
    (p.ge(0) & p.le(1)).where_(end, f64::NAN)
}
