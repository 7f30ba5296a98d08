//! RMSprop.
use super::{
    Batch, Rule,
    options::{check, descent, optimizer},
};
use crate::{Differentiable, Expr, Result, Shape};

optimizer! {
    /// RMSprop (Hinton, [lecture 6](https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf), 2012)
    /// with momentum `μ` and weight decay `λ`:
    ///
    /// ```text
    /// g ← g + λ p
    /// v ← α v + (1 - α) g²
    /// a ← a + (1 - α) (g - a)       (centered; else a = 0)
    /// b ← μ b + g / (√(v - a²) + ε)
    /// p ← p - lr · b
    /// ```
    RMSprop RMSpropOptions {
        lr: 1e-2,
        /// The decay rate of the averages, from 0 on.
        alpha: f64 = 0.99,
        /// What keeps the division from blowing up, from 0 on.
        eps: f64 = 1e-8,
        /// Pulls the parameters to zero, from 0 on.
        weight_decay: f64 = 0.,
        /// The part of the last step that is kept, from 0 on.
        momentum: f64 = 0.,
        /// Divides by the deviation of the gradient, not by its size.
        centered: bool = false,
        /// Ascends instead.
        maximize: bool = false,
    }
}

const V: &str = "square_avg";
const A: &str = "grad_avg";
const BUFFER: &str = "momentum_buffer";

impl RMSpropOptions {
    /// What `p`, `v`, `a` and `b` become; instead of what is not remembered stands something that is not used.
    fn next<D: Differentiable>(
        &self,
        p: Expr<D>,
        g: Expr<D>,
        v: Expr<D>,
        a: Option<Expr<D>>,
        b: Option<Expr<D>>,
    ) -> [Expr<D>; 4] {
        let Self { lr, alpha, eps, weight_decay, momentum, maximize, .. } = *self;
        let g = descent(&p, g, maximize, weight_decay);
        let v = v * alpha + g.square() * (1. - alpha);
        let a = a.map(|a| a.clone() + (g.clone() - a) * (1. - alpha));
        let size = match &a {
            Some(a) => (v.clone() - a.square()).sqrt() + eps,
            None => v.sqrt() + eps,
        };
        let b = b.map(|b| b * momentum + g.clone() / size.clone());
        let step = match &b {
            Some(b) => b.clone() * lr,
            None => g * lr / size,
        };
        [p - step, v.clone(), a.unwrap_or_else(|| v.clone()), b.unwrap_or(v)]
    }
}

impl Rule for RMSpropOptions {
    fn check(&self) -> Result<()> {
        let numbers = [
            ("lr", self.lr),
            ("alpha", self.alpha),
            ("eps", self.eps),
            ("weight_decay", self.weight_decay),
            ("momentum", self.momentum),
        ];
        check("RMSprop", numbers, 0.0..)
    }

    fn rates(&mut self) -> (&mut f64, Option<&mut f64>) {
        (&mut self.lr, Some(&mut self.momentum))
    }

    fn tensors(&self, _: &Shape) -> Vec<&'static str> {
        let all = [(V, true), (A, self.centered), (BUFFER, self.momentum != 0.)];
        all.into_iter().filter(|(_, kept)| *kept).map(|(key, _)| key).collect()
    }

    fn update<D: Differentiable>(&self, batch: &mut Batch<'_, D>) -> Result<()> {
        match (self.centered, self.momentum != 0.) {
            (false, false) => batch.update([V], |p, g, [v]| {
                let [p, v, ..] = self.next(p, g, v, None, None);
                (p, [v])
            }),
            (true, false) => batch.update([V, A], |p, g, [v, a]| {
                let [p, v, a, _] = self.next(p, g, v, Some(a), None);
                (p, [v, a])
            }),
            (false, true) => batch.update([V, BUFFER], |p, g, [v, b]| {
                let [p, v, _, b] = self.next(p, g, v, None, Some(b));
                (p, [v, b])
            }),
            (true, true) => batch.update([V, A, BUFFER], |p, g, [v, a, b]| {
                let [p, v, a, b] = self.next(p, g, v, Some(a), Some(b));
                (p, [v, a, b])
            }),
        }
    }
}
