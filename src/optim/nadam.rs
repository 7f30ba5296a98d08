//! Adam with Nesterov's momentum.
use super::{
    Batch, Rule,
    options::{check, descent, optimizer},
};
use crate::{Differentiable, Result, Shape};

optimizer! {
    /// Adam with Nesterov's momentum (Dozat, [Incorporating Nesterov momentum into
    /// Adam](https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ), 2016), with a momentum `μₜ` that grows at the
    /// rate `ψ`, and weight decay `λ`:
    ///
    /// ```text
    /// g ← g + λ p                          (decoupled: p ← p - lr λ p)
    /// m ← β₁ m + (1 - β₁) g
    /// v ← β₂ v + (1 - β₂) g²
    /// μₜ = β₁ (1 - 0.96^(t ψ) / 2)
    /// p ← p - lr · ((1 - μₜ) / (1 - Π μ₁..μₜ) · g + μₜ₊₁ / (1 - Π μ₁..μₜ₊₁) · m) / (√(v / (1 - β₂ᵗ)) + ε)
    /// ```
    NAdam NAdamOptions {
        lr: 2e-3,
        /// The decay rates of the averages of the gradient and of its square, in `[0, 1)`.
        betas: (f64, f64) = (0.9, 0.999),
        /// What keeps the division from blowing up, from 0 on.
        eps: f64 = 1e-8,
        /// Pulls the parameters to zero, from 0 on.
        weight_decay: f64 = 0.,
        /// How fast the momentum grows, from 0 on.
        momentum_decay: f64 = 4e-3,
        /// Pulls the parameters to zero directly, not by way of the gradient.
        decoupled_weight_decay: bool = false,
        /// Ascends instead.
        maximize: bool = false,
    }
}

const M: &str = "exp_avg";
const V: &str = "exp_avg_sq";
const PRODUCT: &str = "mu_product";

impl Rule for NAdamOptions {
    fn check(&self) -> Result<()> {
        let numbers = [
            ("lr", self.lr),
            ("eps", self.eps),
            ("weight_decay", self.weight_decay),
            ("momentum_decay", self.momentum_decay),
        ];
        check("NAdam", numbers, 0.0..)?;
        check("NAdam", [("betas.0", self.betas.0), ("betas.1", self.betas.1)], 0.0..1.0)
    }

    fn rates(&mut self) -> (&mut f64, Option<&mut f64>) {
        (&mut self.lr, Some(&mut self.betas.0))
    }

    fn tensors(&self, _: &Shape) -> Vec<&'static str> {
        vec![M, V]
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[PRODUCT]
    }

    fn update<D: Differentiable>(&self, batch: &mut Batch<'_, D>) -> Result<()> {
        let Self { lr, betas: (beta1, beta2), eps, maximize, .. } = *self;
        let (decay, shrink) = match self.decoupled_weight_decay {
            true => (0., 1. - lr * self.weight_decay),
            false => (self.weight_decay, 1.),
        };
        let t = batch.step() as f64;
        let fix2 = 1. - beta2.powf(t);
        let mu = |t: f64| beta1 * (1. - 0.5 * 0.96f64.powf(t * self.momentum_decay));
        let product = batch.number(PRODUCT, 1.) * mu(t);
        batch.set_number(PRODUCT, product);
        let of_g = lr * (1. - mu(t)) / (1. - product);
        let of_m = lr * mu(t + 1.) / (1. - product * mu(t + 1.));
        batch.update([M, V], |p, g, [m, v]| {
            let g = descent(&p, g, maximize, decay);
            let m = m * beta1 + g.clone() * (1. - beta1);
            let v = v * beta2 + g.square() * (1. - beta2);
            let size = (v.clone() * (1. / fix2)).sqrt() + eps;
            let p = if shrink == 1. { p } else { p * shrink };
            (p - (g * of_g + m.clone() * of_m) / size, [m, v])
        })
    }
}
