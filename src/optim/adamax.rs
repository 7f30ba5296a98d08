//! Adamax.
use super::{
    Batch, Rule,
    options::{check, descent, optimizer},
};
use crate::{Differentiable, Result, Shape};

optimizer! {
    /// Adamax, the form of [`Adam`](super::Adam) by the infinity norm (Kingma and Ba,
    /// [Adam](https://arxiv.org/abs/1412.6980), 2015), with weight decay `λ`:
    ///
    /// ```text
    /// g ← g + λ p
    /// m ← β₁ m + (1 - β₁) g
    /// u ← max(β₂ u, |g| + ε)
    /// p ← p - lr / (1 - β₁ᵗ) · m / u
    /// ```
    Adamax AdamaxOptions {
        lr: 2e-3,
        /// The decay rates of the average and of the largest gradient, in `[0, 1)`.
        betas: (f64, f64) = (0.9, 0.999),
        /// What keeps the division from blowing up, from 0 on.
        eps: f64 = 1e-8,
        /// Pulls the parameters to zero, from 0 on.
        weight_decay: f64 = 0.,
        /// Ascends instead.
        maximize: bool = false,
    }
}

const M: &str = "exp_avg";
const U: &str = "exp_inf";

impl Rule for AdamaxOptions {
    fn check(&self) -> Result<()> {
        check("Adamax", [("lr", self.lr), ("eps", self.eps), ("weight_decay", self.weight_decay)], 0.0..)?;
        check("Adamax", [("betas.0", self.betas.0), ("betas.1", self.betas.1)], 0.0..1.0)
    }

    fn rates(&mut self) -> (&mut f64, Option<&mut f64>) {
        (&mut self.lr, Some(&mut self.betas.0))
    }

    fn tensors(&self, _: &Shape) -> Vec<&'static str> {
        vec![M, U]
    }

    fn update<D: Differentiable>(&self, batch: &mut Batch<'_, D>) -> Result<()> {
        let Self { lr, betas: (beta1, beta2), eps, weight_decay, maximize } = *self;
        let rate = lr / (1. - beta1.powf(batch.step() as f64));
        batch.update([M, U], |p, g, [m, u]| {
            let g = descent(&p, g, maximize, weight_decay);
            let u = (u * beta2).maximum(g.abs() + eps);
            let m = m * beta1 + g * (1. - beta1);
            (p - m.clone() * rate / u.clone(), [m, u])
        })
    }
}
