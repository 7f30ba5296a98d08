//! What attention has seen, kept for the next token.
use super::{Layer, MultiheadAttention};
use crate::{AttentionOptions, Backend, DType, Error, Result, Shape, Tensor};

/// The keys and values that a [`MultiheadAttention`] has seen, so that text can be made token by token without computing
/// them again.
///
/// Memory is taken ahead and written in place, so a step costs what its own tokens do.
///
/// ```
/// use firesteel::{nn::{AttentionMasks, KvCache, MultiheadAttention, MultiheadOptions}, prelude::*};
/// let options = MultiheadOptions { batch_first: true, ..Default::default() };
/// let attention = MultiheadAttention::with_options(8, 2, options, &Cpu)?;
/// let x = Tensor::randn([1, 5, 8], &Cpu)?;
/// let masks = AttentionMasks { is_causal: true, ..Default::default() };
/// let at_once = attention.forward(&x, &x, &x, masks)?;
/// let mut cache = KvCache::default();
/// attention.forward_cached(&x.narrow(1, 0, 4)?, &mut cache)?;
/// let last = attention.forward_cached(&x.narrow(1, 4, 1)?, &mut cache)?;
/// assert!((last - at_once.narrow(1, 4, 1)?)?.abs()?.amax(..)?.item::<f32>()? < 1e-6);
/// assert_eq!(cache.len(), 5);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct KvCache<B: Backend> {
    /// Keys and values, `(batch, heads, room, width)` each.
    memory: Option<[Tensor<B>; 2]>,
    len: usize,
}

impl<B: Backend> Default for KvCache<B> {
    fn default() -> Self {
        Self { memory: None, len: 0 }
    }
}

impl<B: Backend> KvCache<B> {
    /// How many tokens it holds.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds tokens `(batch, heads, tokens, width)`, and gives all that it holds.
    fn push(&mut self, new: [Tensor<B>; 2]) -> Result<[Tensor<B>; 2]> {
        let [batch, heads, tokens, width] = new[0].shape()[..] else {
            return Err(Error::shape("KvCache", format!("tokens have four dims, not {}", new[0].shape())));
        };
        let (start, end) = (self.len, self.len + tokens);
        let room = self.memory.as_ref().map_or(0, |[keys, _]| keys.shape()[2]);
        let grown = |old: Option<&Tensor<B>>, like: &Tensor<B>| {
            let shape: Shape = [batch, heads, end.next_power_of_two(), width].into();
            let fresh = Tensor::zeros(shape, (like.dtype(), like.backend()))?;
            match old {
                Some(old) if start > 0 => fresh.slice_scatter(&old.narrow(2, 0, start)?, 2, 0..start as i64),
                _ => Ok(fresh),
            }
        };
        let mut memory = match self.memory.take() {
            Some(memory) if end <= room => memory,
            old => {
                let [keys, values] = [0, 1].map(|i| grown(old.as_ref().map(|memory| &memory[i]), &new[i]));
                [keys?, values?]
            }
        };
        for (memory, new) in memory.iter_mut().zip(&new) {
            memory.slice_assign(new, 2, start as i64..end as i64)?;
        }
        let [keys, values] = [0, 1].map(|i| memory[i].narrow(2, 0, end));
        (self.memory, self.len) = (Some(memory), end);
        Ok([keys?, values?])
    }
}

impl<B: Backend> MultiheadAttention<B> {
    /// What the next tokens `(tokens, batch, embed_dim)` of sequences make of themselves and of all before them that the
    /// cache holds; the batch comes first where the options say so. They join the cache.
    pub fn forward_cached(&self, x: &Tensor<B>, cache: &mut KvCache<B>) -> Result<Tensor<B>> {
        let (Some(weight), None, false) = (&self.in_proj_weight, &self.bias_k, self.options.add_zero_attn)
        else {
            let why = "a cache needs one packed projection, and no added keys";
            return Err(Error::value("MultiheadAttention", why));
        };
        let x = if self.options.batch_first { x.clone() } else { x.transpose(0, 1)? };
        let [batch, tokens, embed] = x.shape()[..] else {
            let why = format!("a cache takes batches of tokens, not {}", x.shape());
            return Err(Error::shape("MultiheadAttention", why));
        };
        let heads = self.num_heads;
        // (batch, tokens, 3, heads, width) to three times (batch, heads, tokens, width)
        let projected = x.linear(weight, self.in_proj_bias.as_deref())?;
        let projected =
            projected.reshape([batch, tokens, 3, heads, embed / heads])?.permute([2, 0, 3, 1, 4])?;
        let (query, seen) = (projected.select(0, 0)?, cache.len());
        let [keys, values] = cache.push([projected.select(0, 1)?, projected.select(0, 2)?])?;
        // a token sees what was there before, itself, and what came with it before it
        let mask = match (tokens, seen) {
            (1, _) | (_, 0) => None,
            _ => Some(Tensor::ones([tokens, seen + tokens], (DType::Bool, x.backend()))?.tril(seen as i64)?),
        };
        let is_causal = tokens > 1 && seen == 0;
        let options = AttentionOptions { mask: mask.as_ref(), is_causal, ..Default::default() };
        let y = query.scaled_dot_product_attention(&keys, &values, options)?;
        let y = self.out_proj.forward(&y.transpose(1, 2)?.reshape([batch, tokens, embed])?)?;
        if self.options.batch_first { Ok(y) } else { y.transpose(0, 1) }
    }
}
