//! Transformers. Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>
mod decoder;
mod encoder;
mod model;

pub use decoder::{TransformerDecoder, TransformerDecoderLayer};
pub use encoder::{TransformerEncoder, TransformerEncoderLayer};
pub use model::{Transformer, TransformerMasks};

use super::{Dropout, Layer, LayerNorm, Linear, MultiheadAttention, MultiheadOptions};
use crate::{Backend, Gelu, Result, Tensor};

/// What stands between the two linear layers of a transformer's feed-forward part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FeedForwardActivation {
    /// `max(x, 0)`
    #[default]
    ReLU,
    /// `x Φ(x)`, with the normal distribution's `Φ`.
    GELU,
}

/// How the layers of a transformer are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransformerOptions {
    /// Features between the two linear layers.
    pub dim_feedforward: usize,
    /// How likely training takes an element away: in `[0, 1]`.
    pub dropout: f64,
    /// What stands between the two linear layers.
    pub activation: FeedForwardActivation,
    /// What the norms add to variances.
    pub layer_norm_eps: f64,
    /// Whether the batch comes before the length: `(batch, length, features)`.
    pub batch_first: bool,
    /// Whether a part normalises what comes to it, rather than the sum after it.
    pub norm_first: bool,
    /// Whether linear layers and norms have biases.
    pub bias: bool,
}

impl Default for TransformerOptions {
    fn default() -> Self {
        Self {
            dim_feedforward: 2048,
            dropout: 0.1,
            activation: FeedForwardActivation::ReLU,
            layer_norm_eps: 1e-5,
            batch_first: false,
            norm_first: false,
            bias: true,
        }
    }
}

impl TransformerOptions {
    fn attention<B: Backend>(
        &self,
        d_model: usize,
        nhead: usize,
        device: &B,
    ) -> Result<MultiheadAttention<B>> {
        let Self { bias, dropout, batch_first, .. } = *self;
        let options = MultiheadOptions { bias, dropout, batch_first, ..Default::default() };
        MultiheadAttention::with_options(d_model, nhead, options, device)
    }

    fn linear<B: Backend>(&self, inputs: usize, outputs: usize, device: &B) -> Result<Linear<B>> {
        if self.bias {
            Linear::new(inputs, outputs, device)
        } else {
            Linear::without_bias(inputs, outputs, device)
        }
    }

    fn norm<B: Backend>(&self, d_model: usize, device: &B) -> Result<LayerNorm<B>> {
        let norm = LayerNorm::new(d_model, device)?.eps(self.layer_norm_eps);
        Ok(if self.bias { norm } else { norm.without_bias() })
    }

    /// The feed-forward part: two linear layers, and between them the activation and a dropout.
    fn feed_forward<B: Backend>(
        &self,
        x: &Tensor<B>,
        linear1: &Linear<B>,
        dropout: &Dropout<B>,
        linear2: &Linear<B>,
    ) -> Result<Tensor<B>> {
        let between = linear1.forward_then(x, |x| match self.activation {
            FeedForwardActivation::ReLU => x.relu(),
            FeedForwardActivation::GELU => x.gelu(Gelu::Exact),
        })?;
        linear2.forward(&dropout.forward(&between)?)
    }

    /// A part of a layer beside what goes past it: `x + part(norm(x))`, or `norm(x + part(x))`.
    fn residual<B: Backend>(
        &self,
        x: &Tensor<B>,
        norm: &LayerNorm<B>,
        part: impl FnOnce(&Tensor<B>) -> Result<Tensor<B>>,
    ) -> Result<Tensor<B>> {
        if self.norm_first { x + part(&norm.forward(x)?)? } else { norm.forward(&(x + part(x)?)?) }
    }
}

/// What a stack of layers ends with, if with anything.
fn last<B: Backend>(norm: &Option<LayerNorm<B>>, x: Tensor<B>) -> Result<Tensor<B>> {
    match norm {
        Some(norm) => norm.forward(&x),
        None => Ok(x),
    }
}
