//! Adagrad.
use super::{
    Batch, Rule,
    options::{check, descent, optimizer},
};
use crate::{Differentiable, Result, Shape};

optimizer! {
    /// Adagrad (Duchi, Hazan and Singer, [Adaptive subgradient
    /// methods](https://jmlr.org/papers/v12/duchi11a.html), 2011) with learning rate decay `η` and weight decay `λ`:
    ///
    /// ```text
    /// g ← g + λ p
    /// s ← s + g²
    /// p ← p - lr / (1 + (t - 1) η) · g / (√s + ε)
    /// ```
    Adagrad AdagradOptions {
        lr: 1e-2,
        /// How fast the learning rate falls, from 0 on.
        lr_decay: f64 = 0.,
        /// Pulls the parameters to zero, from 0 on.
        weight_decay: f64 = 0.,
        /// What the sum of squares begins with, from 0 on.
        initial_accumulator_value: f64 = 0.,
        /// What keeps the division from blowing up, from 0 on.
        eps: f64 = 1e-10,
        /// Ascends instead.
        maximize: bool = false,
    }
}

const SUM: &str = "sum";

impl Rule for AdagradOptions {
    fn check(&self) -> Result<()> {
        let numbers = [
            ("lr", self.lr),
            ("lr_decay", self.lr_decay),
            ("weight_decay", self.weight_decay),
            ("initial_accumulator_value", self.initial_accumulator_value),
            ("eps", self.eps),
        ];
        check("Adagrad", numbers, 0.0..)
    }

    fn tensors(&self, _: &Shape) -> Vec<&'static str> {
        vec![SUM]
    }

    fn update<D: Differentiable>(&self, batch: &mut Batch<'_, D>) -> Result<()> {
        let Self { lr, lr_decay, weight_decay, initial_accumulator_value, eps, maximize } = *self;
        let rate = lr / (1. + (batch.step() - 1) as f64 * lr_decay);
        batch.update_from([(SUM, initial_accumulator_value)], |p, g, [sum]| {
            let g = descent(&p, g, maximize, weight_decay);
            let sum = sum + g.square();
            (p - g * rate / (sum.sqrt() + eps), [sum])
        })
    }
}
