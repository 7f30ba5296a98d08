//! Attention in several heads, with its projections.
use super::{Linear, Mode, Module, Param, init};
use crate::{Backend, Error, InProjection, MultiHeadAttentionOptions, Result, Tensor};

/// How a [`MultiheadAttention`] is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MultiheadOptions {
    /// Whether the projections have biases.
    pub bias: bool,
    /// How likely training takes a weight away: in `[0, 1]`.
    pub dropout: f64,
    /// Whether a learned key and value are added.
    pub add_bias_kv: bool,
    /// Whether a key and a value of zeros are added.
    pub add_zero_attn: bool,
    /// Features of a key; without it, as many as a query has.
    pub kdim: Option<usize>,
    /// Features of a value; without it, as many as a query has.
    pub vdim: Option<usize>,
    /// Whether the batch comes before the length: `(batch, length, features)`.
    pub batch_first: bool,
}

impl Default for MultiheadOptions {
    fn default() -> Self {
        Self {
            bias: true,
            dropout: 0.,
            add_bias_kv: false,
            add_zero_attn: false,
            kdim: None,
            vdim: None,
            batch_first: false,
        }
    }
}

/// What each query may see; without any of these, everything.
#[derive(Debug)]
pub struct AttentionMasks<'a, B: Backend> {
    /// Where it is true, a query does not see a key; real numbers are added to the scores. `(queries, keys)`, or
    /// `(batch · heads, queries, keys)`.
    pub attn_mask: Option<&'a Tensor<B>>,
    /// Keys that do not count where it is true (or to which a number is added): `(batch, keys)`, or `(keys)`.
    pub key_padding_mask: Option<&'a Tensor<B>>,
    /// Whether a query sees only keys that stand no later than it. Cheaper than a mask that says so.
    pub is_causal: bool,
}

impl<B: Backend> Default for AttentionMasks<'_, B> {
    fn default() -> Self {
        Self { attn_mask: None, key_padding_mask: None, is_causal: false }
    }
}

// by hand, since a backend need not be `Copy` for its references to be
impl<B: Backend> Copy for AttentionMasks<'_, B> {}
impl<B: Backend> Clone for AttentionMasks<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

/// Attention in several heads, each over a part of the projected features.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html>
///
/// ```
/// use firesteel::{nn::{AttentionMasks, MultiheadAttention, MultiheadOptions}, prelude::*};
/// let options = MultiheadOptions { batch_first: true, ..Default::default() };
/// let attention = MultiheadAttention::with_options(8, 2, options, &Cpu)?;
/// let x = Tensor::zeros([3, 5, 8], &Cpu)?;
/// let masks = AttentionMasks { is_causal: true, ..Default::default() };
/// assert_eq!(attention.forward(&x, &x, &x, masks)?.shape(), &[3, 5, 8]);
/// let (_, weights) = attention.forward_with_weights(&x, &x, &x, masks, true)?;
/// assert_eq!(weights.shape(), &[3, 5, 5]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
pub struct MultiheadAttention<B: Backend> {
    /// All three projections, `(3 embed_dim, embed_dim)`, where keys and values have the features of queries.
    pub in_proj_weight: Option<Param<B>>,
    /// The projection of queries, where the three differ: `(embed_dim, embed_dim)`
    pub q_proj_weight: Option<Param<B>>,
    /// The projection of keys, where the three differ: `(embed_dim, kdim)`
    pub k_proj_weight: Option<Param<B>>,
    /// The projection of values, where the three differ: `(embed_dim, vdim)`
    pub v_proj_weight: Option<Param<B>>,
    /// `(3 embed_dim)`
    pub in_proj_bias: Option<Param<B>>,
    /// A key more: `(1, 1, embed_dim)`
    pub bias_k: Option<Param<B>>,
    /// A value more: `(1, 1, embed_dim)`
    pub bias_v: Option<Param<B>>,
    /// The last projection.
    pub out_proj: Linear<B>,
    /// How many heads.
    pub num_heads: usize,
    /// How it was made.
    pub options: MultiheadOptions,
    training: Mode,
}

impl<B: Backend> MultiheadAttention<B> {
    /// Attention of `embed_dim` features in so many heads, which divide them, with biases.
    pub fn new(embed_dim: usize, num_heads: usize, device: &B) -> Result<Self> {
        Self::with_options(embed_dim, num_heads, MultiheadOptions::default(), device)
    }

    /// Attention as the options say. The projections that come first begin as Xavier's, even in
    /// `±√(6 / (inputs + outputs))`, and biases as zeros.
    pub fn with_options(
        embed_dim: usize,
        num_heads: usize,
        options: MultiheadOptions,
        device: &B,
    ) -> Result<Self> {
        if num_heads == 0 || !embed_dim.is_multiple_of(num_heads) {
            let why = format!("{embed_dim} features do not fall into {num_heads} heads");
            return Err(Error::value("MultiheadAttention", why));
        }
        if !(0. ..=1.).contains(&options.dropout) {
            let why = format!("dropout is a probability in [0, 1], not {}", options.dropout);
            return Err(Error::value("MultiheadAttention", why));
        }
        let (kdim, vdim) = (options.kdim.unwrap_or(embed_dim), options.vdim.unwrap_or(embed_dim));
        let packed = (kdim, vdim) == (embed_dim, embed_dim);
        let matrix = |wanted: bool, outputs: usize, inputs: usize| {
            wanted.then(|| Param::new(init::xavier_even([outputs, inputs], device)?)).transpose()
        };
        let zeros = |n: usize| Param::new(Tensor::zeros(n, device)?);
        let row =
            || Param::new((Tensor::randn([1, 1, embed_dim], device)? * (embed_dim as f64).recip().sqrt())?);
        let mut out_proj = Linear::without_bias(embed_dim, embed_dim, device)?;
        if options.bias {
            out_proj.bias = Some(zeros(embed_dim)?);
        }
        Ok(Self {
            in_proj_weight: matrix(packed, embed_dim.saturating_mul(3), embed_dim)?,
            q_proj_weight: matrix(!packed, embed_dim, embed_dim)?,
            k_proj_weight: matrix(!packed, embed_dim, kdim)?,
            v_proj_weight: matrix(!packed, embed_dim, vdim)?,
            in_proj_bias: options.bias.then(|| zeros(embed_dim.saturating_mul(3))).transpose()?,
            bias_k: options.add_bias_kv.then(row).transpose()?,
            bias_v: options.add_bias_kv.then(row).transpose()?,
            out_proj,
            num_heads,
            options,
            training: Mode::default(),
        })
    }

    /// What queries `(queries, batch, embed_dim)` make of keys `(keys, batch, kdim)` and values `(keys, batch, vdim)`, in
    /// the shape of the queries; all without `batch` too, or with it first where the options say so. The weights are
    /// never in memory.
    pub fn forward(
        &self,
        query: &Tensor<B>,
        key: &Tensor<B>,
        value: &Tensor<B>,
        masks: AttentionMasks<B>,
    ) -> Result<Tensor<B>> {
        Ok(self.attend([query, key, value], masks, None)?.0)
    }

    /// As [`forward`](Self::forward), and the weights: `(batch, queries, keys)`, the mean over the heads, or
    /// `(batch, heads, queries, keys)`.
    pub fn forward_with_weights(
        &self,
        query: &Tensor<B>,
        key: &Tensor<B>,
        value: &Tensor<B>,
        masks: AttentionMasks<B>,
        average_attn_weights: bool,
    ) -> Result<(Tensor<B>, Tensor<B>)> {
        let (y, weights) = self.attend([query, key, value], masks, Some(average_attn_weights))?;
        let missing = || Error::internal("MultiheadAttention", "gave no weights");
        Ok((y, weights.ok_or_else(missing)?))
    }

    fn attend(
        &self,
        operands: [&Tensor<B>; 3],
        masks: AttentionMasks<B>,
        average: Option<bool>,
    ) -> Result<(Tensor<B>, Option<Tensor<B>>)> {
        let swap = self.options.batch_first && operands[0].rank() == 3;
        let early = |x: &Tensor<B>| if swap && x.rank() == 3 { x.transpose(0, 1) } else { Ok(x.clone()) };
        let [query, key, value] = operands.map(early);
        let options = MultiHeadAttentionOptions {
            in_proj_bias: self.in_proj_bias.as_deref(),
            bias_kv: self.bias_k.as_deref().zip(self.bias_v.as_deref()),
            add_zero_attn: self.options.add_zero_attn,
            dropout_p: self.options.dropout,
            out_proj_bias: self.out_proj.bias.as_deref(),
            training: self.training.training(),
            key_padding_mask: masks.key_padding_mask,
            need_weights: average.is_some(),
            attn_mask: masks.attn_mask,
            is_causal: masks.is_causal,
            average_attn_weights: average.unwrap_or(true),
            ..MultiHeadAttentionOptions::new(self.num_heads, self.in_proj()?, &self.out_proj.weight)
        };
        let (y, weights) = query?.multi_head_attention_forward(&key?, &value?, options)?;
        Ok((if swap { y.transpose(0, 1)? } else { y }, weights))
    }

    fn in_proj(&self) -> Result<InProjection<'_, B>> {
        match (&self.in_proj_weight, &self.q_proj_weight, &self.k_proj_weight, &self.v_proj_weight) {
            (Some(packed), ..) => Ok(InProjection::Packed(packed)),
            (None, Some(q), Some(k), Some(v)) => Ok(InProjection::Separate(q, k, v)),
            _ => Err(Error::value("MultiheadAttention", "projections are missing: set one or three")),
        }
    }
}
