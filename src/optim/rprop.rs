//! Resilient backpropagation.
use super::{
    Batch, Rule,
    options::{check, optimizer, uphill},
};
use crate::{Differentiable, Result, Shape};

optimizer! {
    /// Resilient backpropagation (Riedmiller and Braun, [A direct adaptive method for faster backpropagation
    /// learning](https://ieeexplore.ieee.org/document/298623), 1993), by the signs of gradients alone; steps
    /// `s` begin as `lr`:
    ///
    /// ```text
    /// where g · g₋₁ > 0: s ← min(η⁺ s, largest)
    /// where g · g₋₁ < 0: s ← max(η⁻ s, smallest), g ← 0
    /// p ← p - sign(g) s
    /// g₋₁ ← g
    /// ```
    Rprop RpropOptions {
        lr: 1e-2,
        /// By what steps shrink and grow: `η⁻` in `(0, 1)`, `η⁺` above 1.
        etas: (f64, f64) = (0.5, 1.2),
        /// The smallest and the largest step.
        step_sizes: (f64, f64) = (1e-6, 50.),
        /// Ascends instead.
        maximize: bool = false,
    }
}

const LAST: &str = "prev";
const SIZE: &str = "step_size";

impl Rule for RpropOptions {
    fn check(&self) -> Result<()> {
        check("Rprop", [("lr", self.lr), ("step_sizes.0", self.step_sizes.0)], 0.0..)?;
        check("Rprop", [("step_sizes.1", self.step_sizes.1)], self.step_sizes.0..)?;
        check("Rprop", [("etas.0", self.etas.0)], f64::MIN_POSITIVE..1.0)?;
        check("Rprop", [("etas.1", self.etas.1)], 1.0 + f64::EPSILON..)
    }

    fn tensors(&self, _: &Shape) -> Vec<&'static str> {
        vec![LAST, SIZE]
    }

    fn update<D: Differentiable>(&self, batch: &mut Batch<'_, D>) -> Result<()> {
        let Self { lr, etas: (shrink, grow), step_sizes: (smallest, largest), maximize } = *self;
        batch.update_from([(LAST, 0.), (SIZE, lr)], |p, g, [last, size]| {
            let g = uphill(g, maximize);
            let product = g.clone() * last;
            let turned = product.lt(0.);
            let factor = product.gt(0.).where_(grow, turned.where_(shrink, 1.));
            let size = (size * factor).maximum(smallest).minimum(largest);
            let g = turned.where_(0., g);
            (p - g.sign() * size.clone(), [g, size])
        })
    }
}
