//! Stochastic gradient descent.
use super::{
    Batch, Rule,
    options::{check, descent, optimizer},
};
use crate::{Differentiable, Error, Result, Shape};

optimizer! {
    /// Stochastic gradient descent with momentum `μ`, dampening `τ` and weight decay `λ`:
    ///
    /// ```text
    /// g ← g + λ p
    /// b ← μ b + (1 - τ) g        (b ← g in the first step)
    /// p ← p - lr · b             (with Nesterov's momentum: p ← p - lr · (g + μ b))
    /// ```
    SGD SGDOptions {
        lr: 1e-3,
        /// The part of the last direction that is kept, from 0 on.
        momentum: f64 = 0.,
        /// The part of the gradient that momentum leaves out.
        dampening: f64 = 0.,
        /// Pulls the parameters to zero, from 0 on.
        weight_decay: f64 = 0.,
        /// Looks ahead by the momentum.
        nesterov: bool = false,
        /// Ascends instead.
        maximize: bool = false,
    }
}

const BUFFER: &str = "momentum_buffer";

impl Rule for SGDOptions {
    fn check(&self) -> Result<()> {
        let numbers = [("lr", self.lr), ("momentum", self.momentum), ("weight_decay", self.weight_decay)];
        check("SGD", numbers, 0.0..)?;
        check("SGD", [("dampening", self.dampening)], f64::NEG_INFINITY..)?;
        if self.nesterov && (self.momentum == 0. || self.dampening != 0.) {
            return Err(Error::value("SGD", "nesterov needs a momentum, and no dampening"));
        }
        Ok(())
    }

    fn rates(&mut self) -> (&mut f64, Option<&mut f64>) {
        (&mut self.lr, Some(&mut self.momentum))
    }

    fn tensors(&self, _: &Shape) -> Vec<&'static str> {
        if self.momentum == 0. { vec![] } else { vec![BUFFER] }
    }

    fn update<D: Differentiable>(&self, batch: &mut Batch<'_, D>) -> Result<()> {
        let Self { lr, momentum, dampening, weight_decay, nesterov, maximize } = *self;
        if momentum == 0. {
            return batch.update([], |p, g, []| {
                let g = descent(&p, g, maximize, weight_decay);
                (p - g * lr, [])
            });
        }
        let first = !batch.remembers(BUFFER);
        batch.update([BUFFER], |p, g, [b]| {
            let g = descent(&p, g, maximize, weight_decay);
            let b = if first { g.clone() } else { b * momentum + g.clone() * (1. - dampening) };
            let direction = if nesterov { g + b.clone() * momentum } else { b.clone() };
            (p - direction * lr, [b])
        })
    }
}
