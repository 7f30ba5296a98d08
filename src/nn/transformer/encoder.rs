//! The half of a transformer that reads.
use super::{TransformerOptions, last};
use crate::nn::{AttentionMasks, Dropout, Layer, LayerNorm, Linear, Module, MultiheadAttention};
use crate::{Backend, Result, Tensor};

/// Self-attention and a feed-forward net, each beside what goes past it.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html>
///
/// ```
/// use firesteel::{nn::{AttentionMasks, TransformerEncoderLayer, TransformerOptions}, prelude::*};
/// let options = TransformerOptions { dim_feedforward: 16, batch_first: true, ..Default::default() };
/// let layer = TransformerEncoderLayer::new(8, 2, options, &Cpu)?;
/// let y = layer.forward(&Tensor::zeros([3, 5, 8], &Cpu)?, AttentionMasks::default())?;
/// assert_eq!(y.shape(), &[3, 5, 8]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
pub struct TransformerEncoderLayer<B: Backend> {
    /// Of the sequence to itself.
    pub self_attn: MultiheadAttention<B>,
    /// To the features between.
    pub linear1: Linear<B>,
    /// Of the features between.
    pub dropout: Dropout<B>,
    /// From the features between.
    pub linear2: Linear<B>,
    /// Of the attention.
    pub norm1: LayerNorm<B>,
    /// Of the feed-forward net.
    pub norm2: LayerNorm<B>,
    /// After the attention.
    pub dropout1: Dropout<B>,
    /// After the feed-forward net.
    pub dropout2: Dropout<B>,
    options: TransformerOptions,
}

impl<B: Backend> TransformerEncoderLayer<B> {
    /// A layer of `d_model` features and `nhead` heads, which divide them.
    pub fn new(d_model: usize, nhead: usize, options: TransformerOptions, device: &B) -> Result<Self> {
        let between = options.dim_feedforward;
        Ok(Self {
            self_attn: options.attention(d_model, nhead, device)?,
            linear1: options.linear(d_model, between, device)?,
            dropout: Dropout::new(options.dropout)?,
            linear2: options.linear(between, d_model, device)?,
            norm1: options.norm(d_model, device)?,
            norm2: options.norm(d_model, device)?,
            dropout1: Dropout::new(options.dropout)?,
            dropout2: Dropout::new(options.dropout)?,
            options,
        })
    }

    /// Reads `(length, batch, d_model)` (the batch first where the options say so), or `(length, d_model)`.
    pub fn forward(&self, x: &Tensor<B>, masks: AttentionMasks<B>) -> Result<Tensor<B>> {
        let x = self
            .options
            .residual(x, &self.norm1, |x| self.dropout1.forward(&self.self_attn.forward(x, x, x, masks)?))?;
        self.options.residual(&x, &self.norm2, |x| {
            let y = self.options.feed_forward(x, &self.linear1, &self.dropout, &self.linear2)?;
            self.dropout2.forward(&y)
        })
    }
}

/// Encoder layers one after another.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerEncoder.html>
///
/// ```
/// use firesteel::{nn::{AttentionMasks, TransformerEncoder, TransformerOptions}, prelude::*};
/// let encoder = TransformerEncoder::new(8, 2, 6, TransformerOptions::default(), &Cpu)?;
/// let y = encoder.forward(&Tensor::zeros([5, 3, 8], &Cpu)?, AttentionMasks::default())?;
/// assert_eq!(y.shape(), &[5, 3, 8]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
pub struct TransformerEncoder<B: Backend> {
    /// In order.
    pub layers: Vec<TransformerEncoderLayer<B>>,
    /// After the last.
    pub norm: Option<LayerNorm<B>>,
}

impl<B: Backend> TransformerEncoder<B> {
    /// So many layers as [`TransformerEncoderLayer::new`] makes one, without a last norm.
    pub fn new(
        d_model: usize,
        nhead: usize,
        num_layers: usize,
        options: TransformerOptions,
        device: &B,
    ) -> Result<Self> {
        let layer = |_| TransformerEncoderLayer::new(d_model, nhead, options, device);
        Ok(Self { layers: (0..num_layers).map(layer).collect::<Result<_>>()?, norm: None })
    }

    /// Reads as its layers do, each under the same masks.
    pub fn forward(&self, x: &Tensor<B>, masks: AttentionMasks<B>) -> Result<Tensor<B>> {
        let y = self.layers.iter().try_fold(x.clone(), |x, layer| layer.forward(&x, masks))?;
        last(&self.norm, y)
    }
}
