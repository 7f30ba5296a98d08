//! Both halves together.
use super::{TransformerDecoder, TransformerEncoder, TransformerOptions};
use crate::nn::{AttentionMasks, LeafMut, Module, init};
use crate::{Backend, Result, Tensor};

/// The masks of the three attentions of a [`Transformer`].
#[derive(Clone, Debug)]
pub struct TransformerMasks<'a, B: Backend> {
    /// Of the source to itself.
    pub src: AttentionMasks<'a, B>,
    /// Of the target to itself.
    pub tgt: AttentionMasks<'a, B>,
    /// Of the target to what was read.
    pub memory: AttentionMasks<'a, B>,
}

impl<B: Backend> Default for TransformerMasks<'_, B> {
    fn default() -> Self {
        let none = AttentionMasks::default();
        Self { src: none, tgt: none, memory: none }
    }
}

/// A transformer with both halves: one reads a source, the other writes a target.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Transformer.html>
///
/// ```
/// use firesteel::{nn::{Transformer, TransformerMasks, TransformerOptions}, prelude::*};
/// let options = TransformerOptions { dim_feedforward: 32, ..Default::default() };
/// let net = Transformer::with_options(8, 2, 3, 2, options, &Cpu)?;
/// let (source, target) = (Tensor::zeros([5, 3, 8], &Cpu)?, Tensor::zeros([4, 3, 8], &Cpu)?);
/// assert_eq!(net.forward(&source, &target, TransformerMasks::default())?.shape(), &[4, 3, 8]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
pub struct Transformer<B: Backend> {
    /// Reads.
    pub encoder: TransformerEncoder<B>,
    /// Writes.
    pub decoder: TransformerDecoder<B>,
}

impl<B: Backend> Transformer<B> {
    /// Six layers in each half.
    pub fn new(d_model: usize, nhead: usize, device: &B) -> Result<Self> {
        Self::with_options(d_model, nhead, 6, 6, TransformerOptions::default(), device)
    }

    /// Layers as the options say, and a norm after the last of each half. Matrices begin as Xavier's, even in
    /// `±√(6 / (inputs + outputs))`.
    pub fn with_options(
        d_model: usize,
        nhead: usize,
        num_encoder_layers: usize,
        num_decoder_layers: usize,
        options: TransformerOptions,
        device: &B,
    ) -> Result<Self> {
        let mut encoder = TransformerEncoder::new(d_model, nhead, num_encoder_layers, options, device)?;
        let mut decoder = TransformerDecoder::new(d_model, nhead, num_decoder_layers, options, device)?;
        encoder.norm = Some(options.norm(d_model, device)?);
        decoder.norm = Some(options.norm(d_model, device)?);
        let mut transformer = Self { encoder, decoder };
        transformer.visit_mut("", &mut |_, leaf| match leaf {
            LeafMut::Param(param) => match param.shape()[..] {
                [outputs, inputs] => param.set(&init::xavier_even([outputs, inputs], device)?),
                _ => Ok(()),
            },
            LeafMut::Buffer(_) | LeafMut::Mode(_) => Ok(()),
        })?;
        Ok(transformer)
    }

    /// Reads `(source length, batch, d_model)` and writes from `(target length, batch, d_model)`; the batch comes first
    /// where the options say so, or there is none.
    pub fn forward(&self, src: &Tensor<B>, tgt: &Tensor<B>, masks: TransformerMasks<B>) -> Result<Tensor<B>> {
        let memory = self.encoder.forward(src, masks.src)?;
        self.decoder.forward(tgt, &memory, masks.tgt, masks.memory)
    }

    /// A mask `(size, size)` to be added: 0 where a query may see a key, which stands no later than it, and -∞ elsewhere.
    /// [`AttentionMasks::is_causal`] says the same at no cost.
    pub fn generate_square_subsequent_mask(size: usize, device: &B) -> Result<Tensor<B>> {
        Tensor::full([size, size], f64::NEG_INFINITY, device)?.triu(1)
    }
}
