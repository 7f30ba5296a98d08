//! All parameters as one vector.
use super::{LeafMut, Module};
use crate::{Backend, Error, Result, Tensor};
use std::collections::HashSet;

/// All parameters one after another, flat; gradients of the vector are theirs. What is shared comes once.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parameters_to_vector.html>
///
/// ```
/// use firesteel::{nn::{Linear, parameters_to_vector, vector_to_parameters}, prelude::*};
/// let mut layer = Linear::new(3, 2, &Cpu)?;
/// let vector = parameters_to_vector(&layer)?;
/// assert_eq!(vector.shape(), &[8]);
/// vector_to_parameters(&(vector * 2.0)?, &mut layer)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn parameters_to_vector<B: Backend>(model: &impl Module<B>) -> Result<Tensor<B>> {
    let mut seen = HashSet::new();
    let parameters = model.parameters().into_iter().filter(|param| seen.insert(param.id()));
    let flat = parameters.map(|param| param.reshape([param.numel()])).collect::<Result<Vec<_>>>()?;
    if flat.is_empty() {
        return Err(Error::value("parameters_to_vector", "the module has no parameters"));
    }
    Tensor::cat(&flat.iter().collect::<Vec<_>>(), 0)
}

/// Sets all parameters from a vector in which they are one after another, as [`parameters_to_vector`] makes it. Where it
/// has another length nothing is changed.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.vector_to_parameters.html>
#[track_caller]
pub fn vector_to_parameters<B: Backend>(vector: &Tensor<B>, model: &mut impl Module<B>) -> Result<()> {
    let count = model.num_parameters();
    if *vector.shape() != [count] {
        let why = format!("the module has {count} numbers, and the vector is {}", vector.shape());
        return Err(Error::shape("vector_to_parameters", why));
    }
    let (mut places, mut start) = (std::collections::HashMap::new(), 0);
    model.visit_mut("", &mut |_, leaf| {
        let LeafMut::Param(param) = leaf else {
            return Ok(());
        };
        let len = param.numel();
        let place = *places.entry(param.id()).or_insert_with(|| {
            start += len;
            start - len
        });
        let value = vector.narrow(0, place, len)?.reshape(param.shape())?;
        param.set(&value)
    })
}
