//! Optimizers: formulas that run in one pass over a parameter, its gradient and what is remembered of it.
mod adam;
mod sgd;
mod state;

pub use adam::Adam;
pub use sgd::SGD;

use crate::{
    Differentiable, Error, Gradients, Result, Tensor,
    nn::{LeafMut, Module, StateDict},
    no_grad,
};
use state::States;
use std::collections::{HashMap, HashSet};

/// What optimizers have in common. One optimizer serves one model.
///
/// ```
/// use firesteel::{nn::{Layer, Linear}, optim::{Optimizer, SGD}, prelude::*};
/// let device = Autodiff::new(Cpu);
/// let mut model = Linear::new(1, 1, &device)?;
/// let mut optimizer = SGD::new(0.1);
/// let (x, y) = (Tensor::new([[1.0], [2.0]], &device)?, Tensor::new([[3.0], [5.0]], &device)?);
/// for _ in 0..200 {
///     let loss = (model.forward(&x)? - &y)?.square()?.mean(..)?;
///     optimizer.step(&mut model, &loss.backward()?)?;
/// }
/// assert!((model.weight.item::<f32>()? - 2.0).abs() < 0.05);
/// # Ok::<(), firesteel::Error>(())
/// ```
pub trait Optimizer<D: Differentiable> {
    /// Changes every parameter of the model that has a gradient.
    fn step(&mut self, model: &mut impl Module<D>, gradients: &Gradients<D::Inner>) -> Result<()>;

    /// The learning rate.
    fn lr(&self) -> f64;

    /// Sets the learning rate, as a scheduler does.
    fn set_lr(&mut self, lr: f64);

    /// What is remembered between steps, by the names of the model's parameters: with it a resumed run
    /// continues exactly.
    fn state_dict(&self, model: &impl Module<D>) -> Result<StateDict>;

    /// Restores what [`state_dict`](Self::state_dict) gave.
    fn load_state_dict(&mut self, model: &impl Module<D>, state: &StateDict) -> Result<()>;
}

/// Calls `update` with each trainable parameter that has a gradient, the gradient as a constant, and what is
/// remembered of the parameter. A parameter that stands in the model twice is changed once.
fn each_parameter<D: Differentiable>(
    model: &mut impl Module<D>,
    gradients: &Gradients<D::Inner>,
    states: &mut States<D>,
    mut update: impl FnMut(&mut Tensor<D>, &Tensor<D>, &mut state::State<D>) -> Result<()>,
) -> Result<()> {
    let totals = no_grad(|| total(model, gradients))?;
    let mut done: HashMap<u64, Tensor<D>> = HashMap::new();
    no_grad(|| {
        model.visit_mut("", &mut |_, leaf| {
            let LeafMut::Param(param) = leaf else {
                return Ok(());
            };
            let Some(gradient) = totals.get(&param.id()).filter(|_| param.is_trainable()) else {
                return Ok(());
            };
            if let Some(tied) = done.get(&param.id()) {
                *param.tensor_mut() = tied.clone();
                return Ok(());
            }
            let gradient = Tensor::lift(param.backend(), gradient.clone());
            let id = param.id();
            update(param.tensor_mut(), &gradient, states.of(id))?;
            done.insert(id, (**param).clone());
            Ok(())
        })
    })
}

/// The gradient of each parameter, by its identity. Tied parameters are leaves of their own once they were
/// loaded or moved, and then their gradients are added.
fn total<D: Differentiable>(
    model: &impl Module<D>,
    gradients: &Gradients<D::Inner>,
) -> Result<HashMap<u64, Tensor<D::Inner>>> {
    let (mut totals, mut seen) = (HashMap::new(), HashSet::new());
    for (path, param) in model.named_parameters() {
        let (Some(gradient), Some(place)) = (gradients.find(param), D::place(param.value())) else {
            continue;
        };
        if gradient.shape() != param.shape() {
            let why = format!("the gradient of {path} has shape {}, not {}", gradient.shape(), param.shape());
            return Err(Error::shape("step", why));
        }
        if seen.insert(place) {
            let total = match totals.get(&param.id()) {
                Some(others) => (gradient + others)?,
                None => gradient.clone(),
            };
            totals.insert(param.id(), total);
        }
    }
    Ok(totals)
}
