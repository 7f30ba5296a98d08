//! Rectified Adam.
use super::{
    Batch, Rule,
    options::{check, descent, optimizer},
};
use crate::{Differentiable, Result, Shape};

optimizer! {
    /// Rectified Adam (Liu and others, [On the variance of the adaptive learning rate and
    /// beyond](https://arxiv.org/abs/1908.03265), 2020), which adapts the step once its variance is known, with
    /// weight decay `λ`:
    ///
    /// ```text
    /// g ← g + λ p                          (decoupled: p ← p - lr λ p)
    /// m ← β₁ m + (1 - β₁) g
    /// v ← β₂ v + (1 - β₂) g²
    /// ρ∞ = 2 / (1 - β₂) - 1
    /// ρ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ)
    /// r = √((ρ - 4) (ρ - 2) ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρ))
    /// p ← p - lr · m / (1 - β₁ᵗ) · r √(1 - β₂ᵗ) / (√v + ε)     (where ρ ≤ 5: p ← p - lr · m / (1 - β₁ᵗ))
    /// ```
    RAdam RAdamOptions {
        lr: 1e-3,
        /// The decay rates of the averages of the gradient and of its square, in `[0, 1)`.
        betas: (f64, f64) = (0.9, 0.999),
        /// What keeps the division from blowing up, from 0 on.
        eps: f64 = 1e-8,
        /// Pulls the parameters to zero, from 0 on.
        weight_decay: f64 = 0.,
        /// Pulls the parameters to zero directly, not by way of the gradient.
        decoupled_weight_decay: bool = false,
        /// Ascends instead.
        maximize: bool = false,
    }
}

const M: &str = "exp_avg";
const V: &str = "exp_avg_sq";

impl RAdamOptions {
    /// `r √(1 - β₂ᵗ)`, where the variance is known.
    fn rectified(&self, t: f64) -> Option<f64> {
        let decayed = self.betas.1.powf(t);
        let most = 2. / (1. - self.betas.1) - 1.;
        let rho = most - 2. * t * decayed / (1. - decayed);
        let square = (rho - 4.) * (rho - 2.) * most / ((most - 4.) * (most - 2.) * rho);
        (rho > 5.).then(|| square.sqrt() * (1. - decayed).sqrt())
    }
}

impl Rule for RAdamOptions {
    fn check(&self) -> Result<()> {
        check("RAdam", [("lr", self.lr), ("eps", self.eps), ("weight_decay", self.weight_decay)], 0.0..)?;
        check("RAdam", [("betas.0", self.betas.0), ("betas.1", self.betas.1)], 0.0..1.0)
    }

    fn rates(&mut self) -> (&mut f64, Option<&mut f64>) {
        (&mut self.lr, Some(&mut self.betas.0))
    }

    fn tensors(&self, _: &Shape) -> Vec<&'static str> {
        vec![M, V]
    }

    fn update<D: Differentiable>(&self, batch: &mut Batch<'_, D>) -> Result<()> {
        let Self { lr, betas: (beta1, beta2), eps, maximize, .. } = *self;
        let (decay, shrink) = match self.decoupled_weight_decay {
            true => (0., 1. - lr * self.weight_decay),
            false => (self.weight_decay, 1.),
        };
        let t = batch.step() as f64;
        let (rate, rectified) = (lr / (1. - beta1.powf(t)), self.rectified(t));
        batch.update([M, V], |p, g, [m, v]| {
            let g = descent(&p, g, maximize, decay);
            let m = m * beta1 + g.clone() * (1. - beta1);
            let v = v * beta2 + g.square() * (1. - beta2);
            let step = match rectified {
                Some(r) => m.clone() * (rate * r) / (v.sqrt() + eps),
                None => m.clone() * rate,
            };
            let p = if shrink == 1. { p } else { p * shrink };
            (p - step, [m, v])
        })
    }
}
