//! Averaged stochastic gradient descent.
use super::{
    Batch, Rule,
    options::{check, descent, optimizer},
};
use crate::{Differentiable, Result, Shape};

optimizer! {
    /// Averaged stochastic gradient descent (Polyak and Juditsky, [Acceleration of stochastic approximation by
    /// averaging](https://dl.acm.org/doi/10.1137/0330046), 1992) with weight decay `λ`; `η` begins as `lr` and `μ`
    /// as 1:
    ///
    /// ```text
    /// g ← g + λ p
    /// p ← (1 - lambd · η) p - η g
    /// a ← a + μ (p - a)
    /// η ← lr / (1 + lambd · lr · t)^alpha
    /// μ ← 1 / max(1, t - t0)
    /// ```
    ///
    /// The average `a` is remembered as `ax`.
    ASGD ASGDOptions {
        lr: 1e-2,
        /// How fast the parameters and the step decay.
        lambd: f64 = 1e-4,
        /// The power by which the step decays.
        alpha: f64 = 0.75,
        /// After how many steps averaging starts.
        t0: f64 = 1e6,
        /// Pulls the parameters to zero, from 0 on.
        weight_decay: f64 = 0.,
        /// Ascends instead.
        maximize: bool = false,
    }
}

const AVERAGE: &str = "ax";
const ETA: &str = "eta";
const MU: &str = "mu";

impl Rule for ASGDOptions {
    fn check(&self) -> Result<()> {
        check("ASGD", [("lr", self.lr), ("weight_decay", self.weight_decay)], 0.0..)?;
        check("ASGD", [("lambd", self.lambd), ("alpha", self.alpha), ("t0", self.t0)], f64::NEG_INFINITY..)
    }

    fn tensors(&self, _: &Shape) -> Vec<&'static str> {
        vec![AVERAGE]
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[ETA, MU]
    }

    fn update<D: Differentiable>(&self, batch: &mut Batch<'_, D>) -> Result<()> {
        let Self { lr, lambd, alpha, t0, weight_decay, maximize } = *self;
        let (t, eta, mu) = (batch.step() as f64, batch.number(ETA, lr), batch.number(MU, 1.));
        batch.update([AVERAGE], |p, g, [a]| {
            let g = descent(&p, g, maximize, weight_decay);
            let p = p * (1. - lambd * eta) - g * eta;
            let a = if mu == 1. { p.clone() } else { a.clone() + (p.clone() - a) * mu };
            (p, [a])
        })?;
        batch.set_number(ETA, lr / (1. + lambd * lr * t).powf(alpha));
        batch.set_number(MU, 1. / (t - t0).max(1.));
        Ok(())
    }
}
