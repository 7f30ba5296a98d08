//! Adam.
use super::{
    Batch, Rule,
    options::{check, descent, optimizer},
};
use crate::{Differentiable, Expr, Result, Shape};

optimizer! {
    /// Adam (Kingma and Ba, [Adam: a method for stochastic optimization](https://arxiv.org/abs/1412.6980), 2015)
    /// with decay rates `β`, and weight decay `λ` added to the gradient:
    ///
    /// ```text
    /// g ← g + λ p                (decoupled: p ← p - lr λ p)
    /// m ← β₁ m + (1 - β₁) g
    /// v ← β₂ v + (1 - β₂) g²
    /// p ← p - lr · m / (1 - β₁ᵗ) / (√(v / (1 - β₂ᵗ)) + ε)
    /// ```
    ///
    /// With `amsgrad` the largest `v` so far takes the place of `v` in the last line.
    Adam AdamOptions {
        lr: 1e-3,
        /// The decay rates of the averages of the gradient and of its square, in `[0, 1)`.
        betas: (f64, f64) = (0.9, 0.999),
        /// What keeps the division from blowing up, from 0 on.
        eps: f64 = 1e-8,
        /// Pulls the parameters to zero, from 0 on.
        weight_decay: f64 = 0.,
        /// Pulls the parameters to zero directly, not by way of the gradient.
        decoupled_weight_decay: bool = false,
        /// Divides by the largest average of squares so far.
        amsgrad: bool = false,
        /// Ascends instead.
        maximize: bool = false,
    }
}

const M: &str = "exp_avg";
const V: &str = "exp_avg_sq";
const V_MAX: &str = "max_exp_avg_sq";

impl Rule for AdamOptions {
    fn check(&self) -> Result<()> {
        check("Adam", [("lr", self.lr), ("eps", self.eps), ("weight_decay", self.weight_decay)], 0.0..)?;
        check("Adam", [("betas.0", self.betas.0), ("betas.1", self.betas.1)], 0.0..1.0)
    }

    fn rates(&mut self) -> (&mut f64, Option<&mut f64>) {
        (&mut self.lr, Some(&mut self.betas.0))
    }

    fn tensors(&self, _: &Shape) -> Vec<&'static str> {
        if self.amsgrad { vec![M, V, V_MAX] } else { vec![M, V] }
    }

    fn update<D: Differentiable>(&self, batch: &mut Batch<'_, D>) -> Result<()> {
        let Self { lr, betas: (beta1, beta2), eps, .. } = *self;
        let t = batch.step() as f64;
        let (fix1, fix2) = (1. - beta1.powf(t), 1. - beta2.powf(t));
        let averages = |p: &Expr<D>, g, m: Expr<D>, v: Expr<D>| {
            let decay = if self.decoupled_weight_decay { 0. } else { self.weight_decay };
            let g = descent(p, g, self.maximize, decay);
            let v = v * beta2 + g.square() * (1. - beta2);
            (m * beta1 + g * (1. - beta1), v)
        };
        let moved = |p: Expr<D>, m: &Expr<D>, v: &Expr<D>| {
            let decays = self.decoupled_weight_decay && self.weight_decay != 0.;
            let p = if decays { p * (1. - lr * self.weight_decay) } else { p };
            p - m.clone() * (lr / fix1) / ((v.clone() * (1. / fix2)).sqrt() + eps)
        };
        if self.amsgrad {
            batch.update([M, V, V_MAX], |p, g, [m, v, most]| {
                let (m, v) = averages(&p, g, m, v);
                let most = most.maximum(v.clone());
                (moved(p, &m, &most), [m, v, most])
            })
        } else {
            batch.update([M, V], |p, g, [m, v]| {
                let (m, v) = averages(&p, g, m, v);
                (moved(p, &m, &v), [m, v])
            })
        }
    }
}
