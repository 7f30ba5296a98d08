//! A layer of two inputs.
use super::{Module, Param, init};
use crate::{Backend, Result, Tensor};

/// `y = x₁ᵀ W x₂ + b`: `(.., in1_features)` and `(.., in2_features)` to `(.., out_features)`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Bilinear.html>
///
/// ```
/// use firesteel::{nn::Bilinear, prelude::*};
/// let layer = Bilinear::new(2, 3, 4, &Cpu)?;
/// let y = layer.forward(&Tensor::ones([5, 2], &Cpu)?, &Tensor::ones([5, 3], &Cpu)?)?;
/// assert_eq!(y.shape(), &[5, 4]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
pub struct Bilinear<B: Backend> {
    /// `(out_features, in1_features, in2_features)`
    pub weight: Param<B>,
    /// `(out_features)`
    pub bias: Option<Param<B>>,
}

impl<B: Backend> Bilinear<B> {
    /// A layer with a bias; both are even in `±1/√in1_features`.
    pub fn new(in1_features: usize, in2_features: usize, out_features: usize, device: &B) -> Result<Self> {
        let weight = init::fan_in_uniform([out_features, in1_features, in2_features], in1_features, device)?;
        let bias = init::fan_in_uniform(out_features, in1_features, device)?;
        Ok(Self { weight: Param::new(weight)?, bias: Some(Param::new(bias)?) })
    }

    /// The same layer without its bias.
    pub fn without_bias(self) -> Self {
        Self { bias: None, ..self }
    }

    /// One vector for each pair.
    pub fn forward(&self, x1: &Tensor<B>, x2: &Tensor<B>) -> Result<Tensor<B>> {
        x1.bilinear(x2, &self.weight, self.bias.as_deref())
    }
}
