//! Adam with decoupled weight decay.
use super::{AdamOptions, Batch, Rule, options::optimizer};
use crate::{Differentiable, Result, Shape};

optimizer! {
    /// [`Adam`](super::Adam) with weight decay `λ` apart from the gradient, `p ← p - lr λ p` (Loshchilov and
    /// Hutter, [Decoupled weight decay regularization](https://arxiv.org/abs/1711.05101), 2019).
    AdamW AdamWOptions {
        lr: 1e-3,
        /// The decay rates of the averages of the gradient and of its square, in `[0, 1)`.
        betas: (f64, f64) = (0.9, 0.999),
        /// What keeps the division from blowing up, from 0 on.
        eps: f64 = 1e-8,
        /// Pulls the parameters to zero, from 0 on.
        weight_decay: f64 = 1e-2,
        /// Divides by the largest average of squares so far.
        amsgrad: bool = false,
        /// Ascends instead.
        maximize: bool = false,
    }
}

impl AdamWOptions {
    fn adam(&self) -> AdamOptions {
        let Self { lr, betas, eps, weight_decay, amsgrad, maximize } = *self;
        AdamOptions { lr, betas, eps, weight_decay, decoupled_weight_decay: true, amsgrad, maximize }
    }
}

impl Rule for AdamWOptions {
    fn check(&self) -> Result<()> {
        self.adam().check().map_err(|e| e.within("AdamW"))
    }

    fn rates(&mut self) -> (&mut f64, Option<&mut f64>) {
        (&mut self.lr, Some(&mut self.betas.0))
    }

    fn tensors(&self, shape: &Shape) -> Vec<&'static str> {
        self.adam().tensors(shape)
    }

    fn update<D: Differentiable>(&self, batch: &mut Batch<'_, D>) -> Result<()> {
        self.adam().update(batch)
    }
}
