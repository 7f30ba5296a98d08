//! Stochastic gradient descent.
use super::{Optimizer, each_parameter, state::States};
use crate::{
    Differentiable, Expr, Gradients, Result,
    nn::{Module, StateDict},
};

/// Stochastic gradient descent with momentum `μ`, dampening `τ` and weight decay `λ`:
///
/// ```text
/// g ← g + λ p
/// b ← μ b + (1 - τ) g        (b ← g in the first step)
/// p ← p - lr · b             (with Nesterov's momentum: p ← p - lr · (g + μ b))
/// ```
///
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html>
#[derive(Clone, Debug)]
pub struct SGD<D: Differentiable> {
    lr: f64,
    momentum: f64,
    dampening: f64,
    weight_decay: f64,
    nesterov: bool,
    maximize: bool,
    states: States<D>,
}

const BUFFER: &str = "momentum_buffer";

impl<D: Differentiable> SGD<D> {
    /// Plain descent with this learning rate.
    pub fn new(lr: f64) -> Self {
        let states = States::default();
        Self { lr, momentum: 0., dampening: 0., weight_decay: 0., nesterov: false, maximize: false, states }
    }

    /// The part of the last direction that is kept, in `[0, 1)`.
    pub fn momentum(self, momentum: f64) -> Self {
        Self { momentum, ..self }
    }

    /// The part of the gradient that momentum leaves out.
    pub fn dampening(self, dampening: f64) -> Self {
        Self { dampening, ..self }
    }

    /// Pulls the parameters to zero.
    pub fn weight_decay(self, weight_decay: f64) -> Self {
        Self { weight_decay, ..self }
    }

    /// Looks ahead by the momentum.
    pub fn nesterov(self, nesterov: bool) -> Self {
        Self { nesterov, ..self }
    }

    /// Ascends instead.
    pub fn maximize(self, maximize: bool) -> Self {
        Self { maximize, ..self }
    }
}

impl<D: Differentiable> Optimizer<D> for SGD<D> {
    fn step(&mut self, model: &mut impl Module<D>, gradients: &Gradients<D::Inner>) -> Result<()> {
        let Self { lr, momentum, dampening, weight_decay, nesterov, maximize, .. } = *self;
        each_parameter(model, gradients, &mut self.states, |param, gradient, state| {
            state.step += 1;
            let descent = |p: &Expr<D>| {
                let g = if maximize { -gradient.lazy() } else { gradient.lazy() };
                if weight_decay == 0. { g } else { g + p.clone() * weight_decay }
            };
            if momentum == 0. {
                return Expr::update([param], |[p]| [p.clone() - descent(&p) * lr]);
            }
            let (first, keep) = (state.step == 1, if state.step == 1 { 1. } else { 1. - dampening });
            let [mut buffer] = state.take([BUFFER], param)?;
            Expr::update([param, &mut buffer], |[p, b]| {
                let g = descent(&p);
                let b = if first { g.clone() } else { b * momentum + g.clone() * keep };
                let direction = if nesterov { g + b.clone() * momentum } else { b.clone() };
                [p - direction * lr, b]
            })?;
            state.put([BUFFER], [buffer]);
            Ok(())
        })
    }

    fn lr(&self) -> f64 {
        self.lr
    }
    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }
    fn state_dict(&self, model: &impl Module<D>) -> Result<StateDict> {
        self.states.save(model)
    }
    fn load_state_dict(&mut self, model: &impl Module<D>, state: &StateDict) -> Result<()> {
        self.states = States::load(model, state, &[BUFFER])?;
        Ok(())
    }
}
