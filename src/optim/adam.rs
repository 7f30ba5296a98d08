//! Adam.
use super::{Optimizer, each_parameter, state::States};
use crate::{
    Differentiable, Expr, Gradients, Result,
    nn::{Module, StateDict},
};

/// Adam (Kingma and Ba, [Adam: a method for stochastic optimization](https://arxiv.org/abs/1412.6980), 2015)
/// with decay rates `β`, and weight decay `λ` added to the gradient:
///
/// ```text
/// g ← g + λ p
/// m ← β₁ m + (1 - β₁) g
/// v ← β₂ v + (1 - β₂) g²
/// p ← p - lr · m / (1 - β₁ᵗ) / (√(v / (1 - β₂ᵗ)) + ε)
/// ```
///
/// With `amsgrad` the largest `v` so far takes the place of `v` in the last line.
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html>
#[derive(Clone, Debug)]
pub struct Adam<D: Differentiable> {
    lr: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    amsgrad: bool,
    maximize: bool,
    states: States<D>,
}

const M: &str = "exp_avg";
const V: &str = "exp_avg_sq";
const V_MAX: &str = "max_exp_avg_sq";

impl<D: Differentiable> Adam<D> {
    /// Adam with this learning rate, `β = (0.9, 0.999)` and `ε = 1e-8`.
    pub fn new(lr: f64) -> Self {
        let (betas, states) = ((0.9, 0.999), States::default());
        Self { lr, betas, eps: 1e-8, weight_decay: 0., amsgrad: false, maximize: false, states }
    }

    /// The decay rates of the averages of the gradient and of its square, in `[0, 1)`.
    pub fn betas(self, beta1: f64, beta2: f64) -> Self {
        Self { betas: (beta1, beta2), ..self }
    }

    /// What keeps the division from blowing up.
    pub fn eps(self, eps: f64) -> Self {
        Self { eps, ..self }
    }

    /// Pulls the parameters to zero, by way of the gradient.
    pub fn weight_decay(self, weight_decay: f64) -> Self {
        Self { weight_decay, ..self }
    }

    /// Divides by the largest average of squares so far.
    pub fn amsgrad(self, amsgrad: bool) -> Self {
        Self { amsgrad, ..self }
    }

    /// Ascends instead.
    pub fn maximize(self, maximize: bool) -> Self {
        Self { maximize, ..self }
    }
}

impl<D: Differentiable> Optimizer<D> for Adam<D> {
    fn step(&mut self, model: &mut impl Module<D>, gradients: &Gradients<D::Inner>) -> Result<()> {
        let Self { lr, betas: (beta1, beta2), eps, weight_decay, amsgrad, maximize, .. } = *self;
        each_parameter(model, gradients, &mut self.states, |param, gradient, state| {
            state.step += 1;
            let (fix1, fix2) = (1. - beta1.powf(state.step as f64), 1. - beta2.powf(state.step as f64));
            let averages = |[p, m, v]: [&Expr<D>; 3]| {
                let g = if maximize { -gradient.lazy() } else { gradient.lazy() };
                let g = if weight_decay == 0. { g } else { g + p.clone() * weight_decay };
                let v = v.clone() * beta2 + g.square() * (1. - beta2);
                [m.clone() * beta1 + g * (1. - beta1), v]
            };
            let moved = |p: Expr<D>, m: &Expr<D>, v: &Expr<D>| {
                let size = (v.clone() / fix2).sqrt() + eps;
                p - m.clone() * (lr / fix1) / size
            };
            if amsgrad {
                let [mut m, mut v, mut most] = state.take([M, V, V_MAX], param)?;
                Expr::update([param, &mut m, &mut v, &mut most], |[p, m, v, most]| {
                    let [m, v] = averages([&p, &m, &v]);
                    let most = most.maximum(v.clone());
                    [moved(p, &m, &most), m, v, most]
                })?;
                state.put([M, V, V_MAX], [m, v, most]);
            } else {
                let [mut m, mut v] = state.take([M, V], param)?;
                Expr::update([param, &mut m, &mut v], |[p, m, v]| {
                    let [m, v] = averages([&p, &m, &v]);
                    [moved(p, &m, &v), m, v]
                })?;
                state.put([M, V], [m, v]);
            }
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
        self.states = States::load(model, state, &[M, V, V_MAX])?;
        Ok(())
    }
}
