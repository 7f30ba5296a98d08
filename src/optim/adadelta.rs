//! Adadelta.
use super::{
    Batch, Rule,
    options::{check, descent, optimizer},
};
use crate::{Differentiable, Result, Shape};

optimizer! {
    /// Adadelta (Zeiler, [An adaptive learning rate method](https://arxiv.org/abs/1212.5701), 2012), whose steps
    /// `δ` are as long as the steps before, with weight decay `λ`:
    ///
    /// ```text
    /// g ← g + λ p
    /// v ← ρ v + (1 - ρ) g²
    /// δ = √(u + ε) / √(v + ε) · g
    /// u ← ρ u + (1 - ρ) δ²
    /// p ← p - lr · δ
    /// ```
    Adadelta AdadeltaOptions {
        lr: 1.,
        /// The decay rate of the averages of squares, in `[0, 1]`.
        rho: f64 = 0.9,
        /// What keeps the division from blowing up, from 0 on.
        eps: f64 = 1e-6,
        /// Pulls the parameters to zero, from 0 on.
        weight_decay: f64 = 0.,
        /// Ascends instead.
        maximize: bool = false,
    }
}

const V: &str = "square_avg";
const U: &str = "acc_delta";

impl Rule for AdadeltaOptions {
    fn check(&self) -> Result<()> {
        check("Adadelta", [("lr", self.lr), ("eps", self.eps), ("weight_decay", self.weight_decay)], 0.0..)?;
        check("Adadelta", [("rho", self.rho)], 0.0..=1.0)
    }

    fn tensors(&self, _: &Shape) -> Vec<&'static str> {
        vec![V, U]
    }

    fn update<D: Differentiable>(&self, batch: &mut Batch<'_, D>) -> Result<()> {
        let Self { lr, rho, eps, weight_decay, maximize } = *self;
        batch.update([V, U], |p, g, [v, u]| {
            let g = descent(&p, g, maximize, weight_decay);
            let v = v * rho + g.square() * (1. - rho);
            let delta = (u.clone() + eps).sqrt() / (v.clone() + eps).sqrt() * g;
            let u = u * rho + delta.square() * (1. - rho);
            (p - delta * lr, [v, u])
        })
    }
}
