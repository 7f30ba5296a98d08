//! A model's parameters, each once, and their gradients.
use crate::{
    Differentiable, Error, Gradients, Result, Tensor,
    nn::{Module, Param},
};
use std::collections::{HashMap, HashSet};

/// A parameter that has a gradient.
pub struct Found<D: Differentiable> {
    /// The parameter's identity.
    pub id: u64,
    /// Its path in the model.
    pub path: String,
    /// Its gradient.
    pub gradient: Tensor<D::Inner>,
}

/// The gradient of each parameter that has one, in the order of the model. Tied parameters are leaves of their
/// own once they were loaded or moved, and then their gradients are added.
pub fn gradients<D: Differentiable>(
    op: &'static str,
    model: &impl Module<D>,
    gradients: &Gradients<D::Inner>,
) -> Result<Vec<Found<D>>> {
    let (mut all, mut known, mut seen) = (Vec::<Found<D>>::new(), HashMap::new(), HashSet::new());
    for (path, param) in model.named_parameters() {
        let (Some(gradient), Some(place)) = (gradients.find(param), D::place(param.value())) else {
            continue;
        };
        if gradient.shape() != param.shape() {
            let why = format!("the gradient of {path} has shape {}, not {}", gradient.shape(), param.shape());
            return Err(Error::shape(op, why));
        }
        if !seen.insert(place) {
            continue;
        }
        match known.get(&param.id()).and_then(|&i: &usize| all.get_mut(i)) {
            Some(tied) => tied.gradient = (&tied.gradient + gradient)?,
            None => {
                known.insert(param.id(), all.len());
                all.push(Found { id: param.id(), path, gradient: gradient.clone() });
            }
        }
    }
    Ok(all)
}

/// Each trainable parameter with its identity, in the order of the model; what is tied stands there once.
pub fn distinct<D: Differentiable>(model: &impl Module<D>) -> Vec<(u64, &Tensor<D>)> {
    let mut seen = HashSet::new();
    let trainable = model.parameters().into_iter().filter(|param| param.is_trainable());
    let once = trainable.map(|param: &Param<D>| (param.id(), &**param)).filter(|(id, _)| seen.insert(*id));
    once.collect()
}

/// Calls `change` with each trainable parameter and its identity, in the order of the model; what is tied stands there once,
/// and follows.
pub fn change<D: Differentiable>(
    model: &mut impl Module<D>,
    change: impl FnOnce(Vec<(u64, &mut Tensor<D>)>) -> Result<()>,
) -> Result<()> {
    let (mut first, mut tied) = (vec![], vec![]);
    let mut places = HashMap::new();
    for param in model.parameters_mut() {
        match places.get(&param.id()) {
            Some(&place) => tied.push((place, param)),
            None if param.is_trainable() => {
                places.insert(param.id(), first.len());
                first.push(param);
            }
            None => (),
        }
    }
    let done = change(first.iter_mut().map(|param| (param.id(), param.tensor_mut())).collect());
    for (place, param) in tied {
        let first: &Param<D> = first[place];
        *param.tensor_mut() = Tensor::clone(first);
    }
    done
}
