//! Normalisation of each example by itself: over its last dims, or over groups of its channels.
use crate::nn::{Layer, Module, Param};
use crate::{Backend, Result, Shape, Tensor};

/// Normalises over the last dims to mean 0 and variance 1: `(.., ..normalized_shape)`. Its learned factors begin as
/// ones and terms as zeros. <https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html>
///
/// ```
/// use firesteel::{nn::{Layer, LayerNorm}, prelude::*};
/// let norm = LayerNorm::new(2, &Cpu)?.eps(0.);
/// assert_eq!(norm.forward(&Tensor::new([1.0, 3.0], &Cpu)?)?.to_vec::<f32>()?, [-1., 1.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
pub struct LayerNorm<B: Backend> {
    /// The learned factors: `normalized_shape`
    pub weight: Option<Param<B>>,
    /// The learned terms: `normalized_shape`
    pub bias: Option<Param<B>>,
    /// The sizes of the last dims.
    pub normalized_shape: Shape,
    /// Added to the variance.
    pub eps: f64,
}

impl<B: Backend> LayerNorm<B> {
    /// Over last dims of these sizes, with `eps` 1e-5.
    pub fn new(normalized_shape: impl Into<Shape>, device: &B) -> Result<Self> {
        let normalized_shape = normalized_shape.into();
        Ok(Self {
            weight: Some(Param::new(Tensor::ones(&normalized_shape, device)?)?),
            bias: Some(Param::new(Tensor::zeros(&normalized_shape, device)?)?),
            normalized_shape,
            eps: 1e-5,
        })
    }

    /// The same norm with another `eps`.
    pub fn eps(self, eps: f64) -> Self {
        Self { eps, ..self }
    }

    /// The same norm without learned terms.
    pub fn without_bias(self) -> Self {
        Self { bias: None, ..self }
    }

    /// The same norm without learned factors and terms.
    pub fn without_affine(self) -> Self {
        Self { weight: None, bias: None, ..self }
    }
}

impl<B: Backend> Layer<B> for LayerNorm<B> {
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        x.layer_norm(&self.normalized_shape, self.weight.as_deref(), self.bias.as_deref(), self.eps)
    }
}

/// `x / √(mean(x²) + eps)` over the last dims: `(.., ..normalized_shape)`. Its learned factors begin as ones.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html>
///
/// ```
/// use firesteel::{nn::{Layer, RMSNorm}, prelude::*};
/// let norm = RMSNorm::new(2, &Cpu)?;
/// assert_eq!(norm.forward(&Tensor::new([3.0, -3.0], &Cpu)?)?.to_vec::<f32>()?, [1., -1.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
pub struct RMSNorm<B: Backend> {
    /// The learned factors: `normalized_shape`
    pub weight: Option<Param<B>>,
    /// The sizes of the last dims.
    pub normalized_shape: Shape,
    /// Added to the mean square; without one, the dtype's smallest step from 1.
    pub eps: Option<f64>,
}

impl<B: Backend> RMSNorm<B> {
    /// Over last dims of these sizes.
    pub fn new(normalized_shape: impl Into<Shape>, device: &B) -> Result<Self> {
        let normalized_shape = normalized_shape.into();
        let weight = Some(Param::new(Tensor::ones(&normalized_shape, device)?)?);
        Ok(Self { weight, normalized_shape, eps: None })
    }

    /// The same norm with another `eps`.
    pub fn eps(self, eps: f64) -> Self {
        Self { eps: Some(eps), ..self }
    }

    /// The same norm without learned factors.
    pub fn without_affine(self) -> Self {
        Self { weight: None, ..self }
    }
}

impl<B: Backend> Layer<B> for RMSNorm<B> {
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        x.rms_norm(&self.normalized_shape, self.weight.as_deref(), self.eps)
    }
}

/// Normalises groups of channels of each example to mean 0 and variance 1: `(n, c, ..)`. Its learned factors begin as
/// ones and terms as zeros. <https://docs.pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html>
///
/// ```
/// use firesteel::{nn::{GroupNorm, Layer}, prelude::*};
/// let norm = GroupNorm::new(1, 2, &Cpu)?.eps(0.);
/// assert_eq!(norm.forward(&Tensor::new([[1.0, 3.0]], &Cpu)?)?.to_vec::<f32>()?, [-1., 1.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
pub struct GroupNorm<B: Backend> {
    /// The learned factors: `(num_channels)`
    pub weight: Option<Param<B>>,
    /// The learned terms: `(num_channels)`
    pub bias: Option<Param<B>>,
    /// How many groups, a divisor of the number of channels.
    pub num_groups: usize,
    /// Added to the variance.
    pub eps: f64,
}

impl<B: Backend> GroupNorm<B> {
    /// So many groups of so many channels, with `eps` 1e-5.
    pub fn new(num_groups: usize, num_channels: usize, device: &B) -> Result<Self> {
        Ok(Self {
            weight: Some(Param::new(Tensor::ones(num_channels, device)?)?),
            bias: Some(Param::new(Tensor::zeros(num_channels, device)?)?),
            num_groups,
            eps: 1e-5,
        })
    }

    /// The same norm with another `eps`.
    pub fn eps(self, eps: f64) -> Self {
        Self { eps, ..self }
    }

    /// The same norm without learned factors and terms.
    pub fn without_affine(self) -> Self {
        Self { weight: None, bias: None, ..self }
    }
}

impl<B: Backend> Layer<B> for GroupNorm<B> {
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        x.group_norm(self.num_groups, self.weight.as_deref(), self.bias.as_deref(), self.eps)
    }
}
