//! The fully connected layer.
use super::{Layer, Module, Param, init};
use crate::{Backend, Expr, Fused, Op, Result, Tensor};

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
    /// `f(x Wᵀ + b)`, element by element: the layer and a formula of its result in one pass, where the backend can; see
    /// [`Tensor::linear_then`].
    ///
    /// ```
    /// use firesteel::{nn::{Layer, Linear}, prelude::*};
    /// let (layer, x) = (Linear::new(3, 2, &Cpu)?, Tensor::ones([4, 3], &Cpu)?);
    /// let y = layer.forward_then(&x, |y| y.relu())?;
    /// assert_eq!(y.to_vec::<f32>()?, layer.forward(&x)?.relu()?.to_vec::<f32>()?);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn forward_then(&self, x: &Tensor<B>, f: impl FnOnce(Expr<B>) -> Expr<B>) -> Result<Tensor<B>> {
        x.linear_then(&self.weight, self.bias.as_deref(), f)
    }

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
