//! The half of a transformer that writes.
use super::{TransformerOptions, last};
use crate::nn::{AttentionMasks, Dropout, Layer, LayerNorm, Linear, Module, MultiheadAttention};
use crate::{Backend, Result, Tensor};

/// Self-attention, attention to what was read, and a feed-forward net, each beside what goes past it.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerDecoderLayer.html>
///
/// ```
/// use firesteel::{nn::{AttentionMasks, TransformerDecoderLayer, TransformerOptions}, prelude::*};
/// let layer = TransformerDecoderLayer::new(8, 2, TransformerOptions::default(), &Cpu)?;
/// let (target, memory) = (Tensor::zeros([4, 3, 8], &Cpu)?, Tensor::zeros([5, 3, 8], &Cpu)?);
/// let causal = AttentionMasks { is_causal: true, ..Default::default() };
/// assert_eq!(layer.forward(&target, &memory, causal, AttentionMasks::default())?.shape(), &[4, 3, 8]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
pub struct TransformerDecoderLayer<B: Backend> {
    /// Of the target to itself.
    pub self_attn: MultiheadAttention<B>,
    /// Of the target to what was read.
    pub multihead_attn: MultiheadAttention<B>,
    /// To the features between.
    pub linear1: Linear<B>,
    /// Of the features between.
    pub dropout: Dropout<B>,
    /// From the features between.
    pub linear2: Linear<B>,
    /// Of the self-attention.
    pub norm1: LayerNorm<B>,
    /// Of the attention to what was read.
    pub norm2: LayerNorm<B>,
    /// Of the feed-forward net.
    pub norm3: LayerNorm<B>,
    /// After the self-attention.
    pub dropout1: Dropout<B>,
    /// After the attention to what was read.
    pub dropout2: Dropout<B>,
    /// After the feed-forward net.
    pub dropout3: Dropout<B>,
    options: TransformerOptions,
}

impl<B: Backend> TransformerDecoderLayer<B> {
    /// A layer of `d_model` features and `nhead` heads, which divide them.
    pub fn new(d_model: usize, nhead: usize, options: TransformerOptions, device: &B) -> Result<Self> {
        let between = options.dim_feedforward;
        Ok(Self {
            self_attn: options.attention(d_model, nhead, device)?,
            multihead_attn: options.attention(d_model, nhead, device)?,
            linear1: options.linear(d_model, between, device)?,
            dropout: Dropout::new(options.dropout)?,
            linear2: options.linear(between, d_model, device)?,
            norm1: options.norm(d_model, device)?,
            norm2: options.norm(d_model, device)?,
            norm3: options.norm(d_model, device)?,
            dropout1: Dropout::new(options.dropout)?,
            dropout2: Dropout::new(options.dropout)?,
            dropout3: Dropout::new(options.dropout)?,
            options,
        })
    }

    /// Writes from `(target length, batch, d_model)` and what was read, `(length, batch, d_model)` (the batch first where
    /// the options say so, or without one), with masks for each of the two attentions.
    pub fn forward(
        &self,
        target: &Tensor<B>,
        memory: &Tensor<B>,
        target_masks: AttentionMasks<B>,
        memory_masks: AttentionMasks<B>,
    ) -> Result<Tensor<B>> {
        let x = self.options.residual(target, &self.norm1, |x| {
            self.dropout1.forward(&self.self_attn.forward(x, x, x, target_masks)?)
        })?;
        let x = self.options.residual(&x, &self.norm2, |x| {
            self.dropout2.forward(&self.multihead_attn.forward(x, memory, memory, memory_masks)?)
        })?;
        self.options.residual(&x, &self.norm3, |x| {
            let y = self.options.feed_forward(x, &self.linear1, &self.dropout, &self.linear2)?;
            self.dropout3.forward(&y)
        })
    }
}

/// Decoder layers one after another.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerDecoder.html>
///
/// ```
/// use firesteel::{nn::{AttentionMasks, TransformerDecoder, TransformerOptions}, prelude::*};
/// let decoder = TransformerDecoder::new(8, 2, 6, TransformerOptions::default(), &Cpu)?;
/// let (target, memory) = (Tensor::zeros([4, 3, 8], &Cpu)?, Tensor::zeros([5, 3, 8], &Cpu)?);
/// let y = decoder.forward(&target, &memory, AttentionMasks::default(), AttentionMasks::default())?;
/// assert_eq!(y.shape(), &[4, 3, 8]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
pub struct TransformerDecoder<B: Backend> {
    /// In order.
    pub layers: Vec<TransformerDecoderLayer<B>>,
    /// After the last.
    pub norm: Option<LayerNorm<B>>,
}

impl<B: Backend> TransformerDecoder<B> {
    /// So many layers as [`TransformerDecoderLayer::new`] makes one, without a last norm.
    pub fn new(
        d_model: usize,
        nhead: usize,
        num_layers: usize,
        options: TransformerOptions,
        device: &B,
    ) -> Result<Self> {
        let layer = |_| TransformerDecoderLayer::new(d_model, nhead, options, device);
        Ok(Self { layers: (0..num_layers).map(layer).collect::<Result<_>>()?, norm: None })
    }

    /// Writes as its layers do, each under the same masks.
    pub fn forward(
        &self,
        target: &Tensor<B>,
        memory: &Tensor<B>,
        target_masks: AttentionMasks<B>,
        memory_masks: AttentionMasks<B>,
    ) -> Result<Tensor<B>> {
        let step = |x: Tensor<B>, layer: &TransformerDecoderLayer<B>| {
            layer.forward(&x, memory, target_masks, memory_masks)
        };
        let y = self.layers.iter().try_fold(target.clone(), step)?;
        last(&self.norm, y)
    }
}
