//! The fully connected layer.
use super::{Layer, Module, Param, init};
use crate::{Backend, Fused, Op, Result, Tensor};

/// `y = x Wᵀ + b`: `(.., in_features) -> (.., out_features)`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html>
#[derive(Clone, Module)]
#[module(extra_repr)]
pub struct Linear<B: Backend> {
    /// `(out_features, in_features)`
    pub weight: Param<B>,
    /// `(out_features)`
    pub bias: Option<Param<B>>,
}

impl<B: Backend> Linear<B> {
    /// A layer with a bias; both are even in `±1/√in_features`.
    ///
    /// ```
    /// use firesteel::{nn::{Layer, Linear}, prelude::*};
    /// let layer = Linear::new(3, 2, &Cpu)?;
    /// assert_eq!(layer.forward(&Tensor::ones([4, 3], &Cpu)?)?.shape(), &[4, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub fn new(in_features: usize, out_features: usize, device: &B) -> Result<Self> {
        let bias = init::fan_in_uniform(out_features, in_features, device)?;
        Ok(Self { bias: Some(Param::new(bias)?), ..Self::without_bias(in_features, out_features, device)? })
    }

    /// A layer without a bias.
    pub fn without_bias(in_features: usize, out_features: usize, device: &B) -> Result<Self> {
        let weight = init::fan_in_uniform([out_features, in_features], in_features, device)?;
        Ok(Self { weight: Param::new(weight)?, bias: None })
    }
}

impl<B: Backend> Linear<B> {
    fn extra_repr(&self) -> String {
        match self.weight.shape()[..] {
            [outputs, inputs] => {
                format!("in_features={inputs}, out_features={outputs}, bias={}", self.bias.is_some())
            }
            _ => String::new(),
        }
    }
}

impl<B: Backend> Layer<B> for Linear<B> {
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        let operands = [x, &*self.weight].into_iter().chain(self.bias.as_deref()).collect();
        Tensor::one(Op::Fused(Fused::Linear, operands))
    }
}
