//! What belongs to the gamma function.
use crate::{
    Arg, Backend, CustomOp, DType, Error, Expr, Meta, Metas, Op, Outputs, Result, SymbolicGradients, Symbols,
    Tensor, Trace,
};
use smallvec::smallvec;
use std::{f64::consts::PI, sync::Arc};

impl<B: Backend> Tensor<B> {
    /// The `n`th derivative of [`digamma`](Self::digamma): `(-1)ⁿ⁺¹ n! ζ(n + 1, x)`. Whole numbers are cast to F32 first.
    /// <https://docs.pytorch.org/docs/stable/special.html#torch.special.polygamma>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new(1.0, &Cpu::default())?;
    /// assert_eq!(format!("{:.4}", x.polygamma(1)?.item::<f32>()?), "1.6449");
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn polygamma(&self, n: u32) -> Result<Self> {
        if n == 0 {
            return self.digamma();
        }
        // from 171 on it is infinite
        let factorial: f64 = (1..=n.min(171)).map(f64::from).product();
        let sign = if n.is_multiple_of(2) { -1. } else { 1. };
        let order = Expr::from(f64::from(n) + 1.);
        (order.zeta(self) * (sign * factorial)).eval_as("polygamma")
    }

    /// The logarithm of the gamma function of `p` variables, `p (p - 1) / 4 ln π + Σ ln Γ(x - i/2)` over `i < p`. Whole
    /// numbers are cast to F32 first.
    /// <https://docs.pytorch.org/docs/stable/special.html#torch.special.multigammaln>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new(2.0, &Cpu::default())?;
    /// assert_eq!(format!("{:.4}", x.mvlgamma(2)?.item::<f32>()?), "0.4516");
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn mvlgamma(&self, p: u32) -> Result<Self> {
        if !(1..=1000).contains(&p) {
            return Err(Error::value("mvlgamma", format!("p has to lie in [1, 1000], not to be {p}")));
        }
        let (x, order) = (self.lazy(), f64::from(p));
        let sum = (0..p).map(|i| (&x - f64::from(i) * 0.5).lgamma()).reduce(|sum, term| sum + term);
        let sum = sum.unwrap_or(x) + order * (order - 1.) / 4. * PI.ln();
        sum.eval_as("mvlgamma")
    }

    /// The part `1/Γ(a) ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt` of the gamma function of this tensor `a` that lies below `x`. Of `a` it has no
    /// gradient.
    /// <https://docs.pytorch.org/docs/stable/special.html#torch.special.gammainc>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new(4.0, &Cpu::default())?;
    /// assert_eq!(format!("{:.4}", a.igamma(3.0)?.item::<f32>()?), "0.3528");
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn igamma(&self, x: impl Into<Arg<B>>) -> Result<Self> {
        self.incomplete(IncompleteGamma::Lower, x.into())
    }

    /// The part `1/Γ(a) ∫ₓ tᵃ⁻¹ e⁻ᵗ dt` of the gamma function of this tensor `a` that lies above `x`. Of `a` it has no
    /// gradient.
    /// <https://docs.pytorch.org/docs/stable/special.html#torch.special.gammaincc>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new(4.0, &Cpu::default())?;
    /// assert_eq!(format!("{:.4}", a.igammac(3.0)?.item::<f32>()?), "0.6472");
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn igammac(&self, x: impl Into<Arg<B>>) -> Result<Self> {
        self.incomplete(IncompleteGamma::Upper, x.into())
    }

    #[track_caller]
    fn incomplete(&self, side: IncompleteGamma, x: Arg<B>) -> Result<Self> {
        let (a, x) = self.meet(x, |dtype| dtype).map_err(|e| e.within(side.name()))?;
        if !a.dtype().is_float() {
            let why = format!("needs real numbers, not {}: cast with `.float()`", a.dtype());
            return Err(Error::dtype(side.name(), why));
        }
        a.in_full_precision(|a| {
            let x = &x.to(a.dtype())?;
            Self::one(Op::Custom(Arc::new(side), smallvec![a, x]))
        })
    }
}

/// One of the two parts that the gamma function is cut into.
#[derive(Clone, Copy, Debug, PartialEq)]
enum IncompleteGamma {
    Lower,
    Upper,
}

impl CustomOp for IncompleteGamma {
    fn name(&self) -> &'static str {
        match self {
            IncompleteGamma::Lower => "igamma",
            IncompleteGamma::Upper => "igammac",
        }
    }

    fn infer(&self, xs: &[&Meta]) -> Result<Metas> {
        Ok(smallvec![xs[0].clone()])
    }

    fn decompose(&self, xs: Symbols) -> Result<Outputs<Tensor<Trace>>> {
        let precise = xs[0].dtype() == DType::F64;
        let [lower, upper] = parts(&xs[0].lazy(), &xs[1].lazy(), precise);
        Ok(smallvec![if *self == IncompleteGamma::Lower { lower } else { upper }.eval()?])
    }

    /// `±xᵃ⁻¹ e⁻ˣ / Γ(a)` by `x`; by `a` there is no formula.
    fn gradient(&self, xs: Symbols, _: Symbols, gs: Symbols) -> Result<Option<SymbolicGradients>> {
        let (a, x) = (xs[0].lazy(), xs[1].lazy());
        let density = ((a.clone() - 1) * x.log() - &x - a.lgamma()).exp();
        let sign = if *self == IncompleteGamma::Lower { 1. } else { -1. };
        Ok(Some(vec![None, Some((gs[0].lazy() * density * sign).eval()?)]))
    }
}

/// Both parts: by the series of the lower one where `x < a + 1`, by the continued fraction of the upper one elsewhere
/// ([DLMF 8.11, 8.9](https://dlmf.nist.gov/8.9)), and of large `a`, where both need too many terms, by Temme's expansion
/// ([DLMF 8.12](https://dlmf.nist.gov/8.12)).
fn parts(a: &Expr<Trace>, x: &Expr<Trace>, precise: bool) -> [Expr<Trace>; 2] {
    let (terms, bound) = if precise { (300, 1200.) } else { (60, 100.) };
    let valid = &(a.gt(0) & x.ge(0) & a.lt(f64::INFINITY) & x.lt(f64::INFINITY));
    let (b, z) = (&valid.where_(a, 1), &valid.where_(x, 1));
    let large = &b.gt(bound);
    // the rest is computed with what converges
    let (b, z) = (&large.where_(bound, b), &large.where_(bound, z));
    let front = &power(b, z, precise);
    let below = &z.lt(b + 1);
    let near = &below.where_(z, b + 1);
    let series = (1..=terms).rev().map(f64::from).fold(Expr::from(1.), |sum, k| 1 + near / (b + k) * sum);
    let far = &below.where_(b + 1, z);
    let last = far - b + (2. * f64::from(terms) + 1.);
    let fraction =
        (1..=terms).rev().map(f64::from).fold(last, |rest, k| far - b + (2. * k - 1.) - k * (k - b) / rest);
    let (lower, upper) = (&(front * series), &(front * b / fraction));
    let plain = [below.where_(lower, 1 - upper), below.where_(1 - lower, upper)];
    let [lower, upper] = expansion(a, x);
    let both = [large.where_(lower, &plain[0]), large.where_(upper, &plain[1])];
    // where one of them is 0 or infinite, everything lies on one side
    let (everything, nothing) = (x.eq(f64::INFINITY) | (a.eq(0) & x.gt(0)), a.eq(f64::INFINITY) & x.ge(0));
    let neither = (a.eq(0) & x.eq(0)) | (a.eq(f64::INFINITY) & x.eq(f64::INFINITY)) | !(a.ge(0) & x.ge(0));
    let [lower, upper] = both;
    let ends = |part: Expr<Trace>, all: f64| {
        let part = everything.where_(all, nothing.where_(1. - all, part));
        neither.where_(f64::NAN, part)
    };
    [ends(lower, 1.), ends(upper, 0.)]
}

/// `xᵃ e⁻ˣ / Γ(a + 1)`.
fn power(a: &Expr<Trace>, x: &Expr<Trace>, precise: bool) -> Expr<Trace> {
    let plain = a * x.log() - x - (a + 1).lgamma();
    if precise {
        return plain.exp();
    }
    // in F32 large terms would cancel: from 4 on Stirling's formula, with the distance from a
    let large = &a.ge(4);
    let (a, x) = (&large.where_(a, 4), &large.where_(x, 4));
    let (gap, r) = (&((x - a) / a), &(1 / a));
    let stirling = r * (1. / 12. - r.square() * (1. / 360. - r.square() / 1260.));
    let exponent = -(a * (gap - gap.log1p())) - (a * (2. * PI)).log() * 0.5 - stirling;
    large.where_(exponent, plain).exp()
}

/// `½ erfc(∓η √(a/2)) ∓ e^(-aη²/2) / √2πa · (1/(λ - 1) - 1/η)`, with `λ = x/a` and `η²/2 = λ - 1 - ln λ`.
fn expansion(a: &Expr<Trace>, x: &Expr<Trace>) -> [Expr<Trace>; 2] {
    let gap = &((x - a) / a);
    let eta = &((gap - gap.log1p()).maximum(0) * 2).sqrt().copysign(gap);
    // the last factor by its series; where η is large nothing is left of what it is multiplied by
    let e = &eta.maximum(-1).minimum(1);
    let series = e * (1. / 12. - e * (2. / 135. - e * (1. / 864. + e * (1. / 2835.)))) - 1. / 3.;
    let rest = &((eta.square() * a * -0.5).exp() / (a * (2. * PI)).sqrt() * series);
    let middle = &(eta * (a * 0.5).sqrt());
    [(-middle).erfc() * 0.5 - rest, middle.erfc() * 0.5 + rest]
}
