//! Attention.
use crate::{
    Backend, DType, DropoutOptions, Error, Fused, Op, Operands, PadMode, Result, Shape, Tensor, keepdim,
};
use smallvec::smallvec;

/// Options of [`Tensor::scaled_dot_product_attention`].
#[derive(Clone, Copy, Debug)]
pub struct AttentionOptions<'a, B: Backend> {
    /// What each query may see: Bool keeps where it is true, real numbers are added to the scores. It
    /// stretches to `(.., queries, keys)`.
    pub mask: Option<&'a Tensor<B>>,
    /// How likely a weight is taken away: in `[0, 1]`. It has no switch for training, as in PyTorch.
    pub dropout_p: f64,
    /// Whether a query sees only keys that stand no later than it.
    pub is_causal: bool,
    /// What the scores are multiplied by; without one, `1 / √d`.
    pub scale: Option<f64>,
    /// Whether several heads of queries may share one of keys and values.
    pub enable_gqa: bool,
}

impl<B: Backend> Default for AttentionOptions<'_, B> {
    fn default() -> Self {
        Self { mask: None, dropout_p: 0., is_causal: false, scale: None, enable_gqa: false }
    }
}

impl<B: Backend> Tensor<B> {
    /// `softmax(scale · q kᵀ + mask) v`, with these queries `(.., queries, d)`, keys `(.., keys, d)` and values
    /// `(.., keys, e)`; leading dims broadcast. A query that may see nothing gives zeros.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html>
    ///
    /// ```
    /// use firesteel::{AttentionOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let q = Tensor::zeros([1, 2, 4], &cpu)?;
    /// let v = Tensor::new([[[1.0], [3.0]]], &cpu)?;
    /// let options = AttentionOptions { is_causal: true, ..Default::default() };
    /// assert_eq!(q.scaled_dot_product_attention(&q, &v, options)?.to_vec::<f32>()?, [1., 2.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn scaled_dot_product_attention(
        &self,
        key: &Self,
        value: &Self,
        options: AttentionOptions<B>,
    ) -> Result<Self> {
        let AttentionOptions { mask, dropout_p, is_causal, scale, enable_gqa } = options;
        let heads = Heads::new(self, key, value, enable_gqa)?;
        let (n, m) = (heads.query.shape()[heads.lead.rank()], heads.key.shape()[heads.lead.rank()]);
        let width = self.shape().last().copied().unwrap_or(1);
        let scale = scale.unwrap_or(1. / (width as f64).sqrt());
        let mask = mask.map(|mask| heads.mask(mask, n, m)).transpose()?;
        if dropout_p == 0. {
            let operands: Operands<&Self> = heads.operands().into_iter().chain(&mask).collect();
            let fused = Fused::Attention { scale, causal: is_causal };
            return Self::one(Op::Fused(fused, operands));
        }
        let weights = heads.weights(mask.as_ref(), is_causal.then_some((n, m)), scale)?;
        let weights = weights.dropout(DropoutOptions { p: dropout_p, training: true })?;
        Self::one(Op::MatMul(&weights, &heads.value))
    }
}

/// Queries, keys and values with equal leading dims.
struct Heads<B: Backend> {
    query: Tensor<B>,
    key: Tensor<B>,
    value: Tensor<B>,
    lead: Shape,
}

impl<B: Backend> Heads<B> {
    #[track_caller]
    fn new(query: &Tensor<B>, key: &Tensor<B>, value: &Tensor<B>, shared: bool) -> Result<Self> {
        let op = "scaled_dot_product_attention";
        let bad = |why: &str| {
            let (q, k, v) = (query.meta(), key.meta(), value.meta());
            Error::shape(op, format!("queries {q}, keys {k} and values {v} do not fit: {why}"))
        };
        if [query, key, value].iter().any(|t| t.rank() < 2) {
            return Err(bad("each needs (.., length, width)"));
        }
        let (mut key, mut value) = (key.clone(), value.clone());
        if shared {
            let heads = |t: &Tensor<B>| t.rank().checked_sub(3).map(|axis| t.shape()[axis]);
            for t in [&mut key, &mut value] {
                match (heads(query), heads(t)) {
                    (Some(many), Some(few)) if few > 0 && many.is_multiple_of(few) => {
                        *t = t.repeat_interleave(many / few, -3)?;
                    }
                    _ => {
                        return Err(bad(
                            "the heads of queries have to be a multiple of those of keys and values",
                        ));
                    }
                }
            }
        }
        let lead = |t: &Tensor<B>| Shape::from(&t.shape()[..t.rank() - 2]);
        let common = lead(query)
            .broadcast(&lead(&key))
            .and_then(|common| common.broadcast(&lead(&value)))
            .ok_or_else(|| bad("their leading dims do not broadcast"))?;
        let stretched = |t: &Tensor<B>| {
            let tail = t.shape()[t.rank() - 2..].iter().copied();
            t.broadcast_to(common.iter().copied().chain(tail).collect::<Shape>())
        };
        Ok(Heads { query: stretched(query)?, key: stretched(&key)?, value: stretched(&value)?, lead: common })
    }

    fn operands(&self) -> [&Tensor<B>; 3] {
        [&self.query, &self.key, &self.value]
    }

    /// A mask stretched to `(.., n, m)`, in Bool or in the dtype of the queries.
    #[track_caller]
    fn mask(&self, mask: &Tensor<B>, n: usize, m: usize) -> Result<Tensor<B>> {
        let shape: Shape = self.lead.iter().copied().chain([n, m]).collect();
        let mask = if mask.dtype() == DType::Bool { mask.clone() } else { mask.to(self.query.dtype())? };
        mask.broadcast_to(shape).map_err(|e| e.within("scaled_dot_product_attention"))
    }

    /// `softmax(scale · q kᵀ + mask)`, zero where a row sees nothing.
    #[track_caller]
    fn weights(
        &self,
        mask: Option<&Tensor<B>>,
        causal: Option<(usize, usize)>,
        scale: f64,
    ) -> Result<Tensor<B>> {
        let scores = Tensor::one(Op::MatMul(&self.query, &self.key.transpose(-2, -1)?))?;
        let mut scores = scores.lazy() * scale;
        if let Some(mask) = mask {
            scores = match mask.dtype() {
                DType::Bool => mask.lazy().where_(scores, f64::NEG_INFINITY),
                _ => scores + mask,
            };
        }
        if let Some((n, m)) = causal {
            let backend = self.query.backend();
            let seen = Tensor::arange(0..m, backend)?.le(&Tensor::arange(0..n, backend)?.unsqueeze(1)?)?;
            scores = seen.lazy().where_(scores, f64::NEG_INFINITY);
        }
        let scores = scores.eval_as("scaled_dot_product_attention")?;
        let weights = scores.softmax(-1)?;
        if mask.is_none() {
            return Ok(weights);
        }
        let nothing = scores.detach().amax(keepdim(-1))?.eq(f64::NEG_INFINITY)?;
        nothing.where_(0.0, &weights)
    }
}

// ---- with projections

/// The weights of [`Tensor::multi_head_attention_forward`], and what it is to do.
#[derive(Clone, Copy, Debug)]
pub struct MultiHeadAttentionOptions<'a, B: Backend> {
    /// How many heads.
    pub num_heads: usize,
    /// The projections of queries, keys and values.
    pub in_proj: InProjection<'a, B>,
    /// The bias of the three projections, `(3 embed)`.
    pub in_proj_bias: Option<&'a Tensor<B>>,
    /// A key and a value more, `(1, 1, embed)` each.
    pub bias_kv: Option<(&'a Tensor<B>, &'a Tensor<B>)>,
    /// Whether a key and a value of zeros is added.
    pub add_zero_attn: bool,
    /// How likely a weight is taken away in training.
    pub dropout_p: f64,
    /// The last projection, `(embed, embed)`.
    pub out_proj_weight: &'a Tensor<B>,
    /// Its bias, `(embed)`.
    pub out_proj_bias: Option<&'a Tensor<B>>,
    /// Whether weights are dropped.
    pub training: bool,
    /// Keys that do not count where it is true (or that a number is added to): `(batch, keys)`, or `(keys)`.
    pub key_padding_mask: Option<&'a Tensor<B>>,
    /// Whether the weights are wanted.
    pub need_weights: bool,
    /// What queries may not see where it is true (or a number that is added): `(queries, keys)`, or
    /// `(batch · heads, queries, keys)`.
    pub attn_mask: Option<&'a Tensor<B>>,
    /// Whether a query sees only keys that stand no later than it. Keys that are added have no place in time, so it
    /// does not go with them.
    pub is_causal: bool,
    /// Whether the weights are the mean over the heads.
    pub average_attn_weights: bool,
}

/// The projections of queries, keys and values.
#[derive(Clone, Copy, Debug)]
pub enum InProjection<'a, B: Backend> {
    /// All three, `(3 embed, embed)`.
    Packed(&'a Tensor<B>),
    /// Of queries `(embed, embed)`, keys `(embed, key features)` and values `(embed, value features)`.
    Separate(&'a Tensor<B>, &'a Tensor<B>, &'a Tensor<B>),
}

impl<B: Backend> Tensor<B> {
    /// Attention in several heads, each over a part of the projected features: these queries are
    /// `(queries, batch, embed)`, keys and values `(keys, batch, features)`, all without `batch` as well.
    /// Gives the result, in the shape of the queries, and where wanted the weights `(batch, queries, keys)`, or
    /// `(batch, heads, queries, keys)` when they are not averaged.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html>
    ///
    /// ```
    /// use firesteel::{InProjection, MultiHeadAttentionOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let x = Tensor::ones([5, 1, 4], &cpu)?;
    /// let (packed, out) = (Tensor::ones([12, 4], &cpu)?, Tensor::ones([4, 4], &cpu)?);
    /// let options = MultiHeadAttentionOptions::new(2, InProjection::Packed(&packed), &out);
    /// let (y, weights) = x.multi_head_attention_forward(&x, &x, options)?;
    /// assert_eq!(*y.shape(), [5, 1, 4]);
    /// assert_eq!(weights.map(|w| w.shape().to_string()), Some("[1, 5, 5]".into()));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn multi_head_attention_forward(
        &self,
        key: &Self,
        value: &Self,
        options: MultiHeadAttentionOptions<B>,
    ) -> Result<(Self, Option<Self>)> {
        let op = "multi_head_attention_forward";
        if self.rank() == 2 {
            let [query, key, value] = [self, key, value].map(|t| t.unsqueeze(1));
            let mask = options.key_padding_mask.map(|mask| mask.unsqueeze(0)).transpose()?;
            let options = MultiHeadAttentionOptions { key_padding_mask: mask.as_ref(), ..options };
            let (y, weights) = query?.multi_head_attention_forward(&key?, &value?, options)?;
            let weights = weights.map(|w| w.without(&smallvec![0])).transpose()?;
            return Ok((y.without(&smallvec![1])?, weights));
        }
        let ([n, batch, embed], [m, batch_k, _], [m_v, batch_v, _]) =
            (&self.shape()[..], &key.shape()[..], &value.shape()[..])
        else {
            let (q, k, v) = (self.shape(), key.shape(), value.shape());
            return Err(Error::shape(op, format!("needs (length, batch, features), not {q}, {k} and {v}")));
        };
        let (n, mut m, batch, embed) = (*n, *m, *batch, *embed);
        let heads = options.num_heads;
        if *batch_k != batch || *batch_v != batch || *m_v != m {
            let (q, k, v) = (self.shape(), key.shape(), value.shape());
            return Err(Error::shape(op, format!("queries {q}, keys {k} and values {v} do not fit")));
        }
        if heads == 0 || !embed.is_multiple_of(heads) {
            return Err(Error::value(op, format!("{embed} features do not fall into {heads} heads")));
        }
        if options.is_causal && (options.add_zero_attn || options.bias_kv.is_some()) {
            return Err(Error::value(op, "is_causal does not go with added keys: give an attn_mask"));
        }
        let [q, mut k, mut v] = options.project(self, key, value, embed)?;
        let mut mask = options.mask(&q, [batch, heads, n, m])?;
        let zeros = Self::zeros([1, 1, embed], (k.dtype(), k.backend()))?;
        let zeros = options.add_zero_attn.then_some((&zeros, &zeros));
        for (k_row, v_row) in options.bias_kv.into_iter().chain(zeros) {
            (k, v) = (k.with_row(k_row)?, v.with_row(v_row)?);
            m += 1;
            // what is added may be seen
            mask = mask.map(|mask| mask.pad(&[0, 1], PadMode::default())).transpose()?;
        }
        // (length, batch, embed) to (batch, heads, length, width)
        let width = embed / heads;
        let split = |t: &Self, length: usize| t.reshape([length, batch, heads, width])?.permute([1, 2, 0, 3]);
        let (q, k, v) = (split(&q, n)?, split(&k, m)?, split(&v, m)?);
        let dropout_p = if options.training { options.dropout_p } else { 0. };
        let (y, weights) = if options.need_weights {
            let parts = Heads::new(&q, &k, &v, false)?;
            let mask = mask.map(|mask| parts.mask(&mask, n, m)).transpose()?;
            let causal = options.is_causal.then_some((n, m));
            let weights = parts.weights(mask.as_ref(), causal, 1. / (width as f64).sqrt())?;
            let weights = weights.dropout(dropout_p)?;
            (Self::one(Op::MatMul(&weights, &parts.value))?, Some(weights))
        } else {
            let is_causal = options.is_causal;
            let attention =
                AttentionOptions { mask: mask.as_ref(), dropout_p, is_causal, ..Default::default() };
            (q.scaled_dot_product_attention(&k, &v, attention)?, None)
        };
        let y = y.permute([2, 0, 1, 3])?.reshape([n, batch, embed])?;
        let y = y.linear(options.out_proj_weight, options.out_proj_bias)?;
        let weights = match weights {
            Some(weights) if options.average_attn_weights => Some(weights.mean(1)?),
            weights => weights,
        };
        Ok((y, weights))
    }
}

impl<B: Backend> Tensor<B> {
    /// `(length, batch, features)` and one row more, the same for the whole batch.
    #[track_caller]
    fn with_row(&self, row: &Self) -> Result<Self> {
        let row = row.broadcast_to(self.shape().with(0, 1))?;
        Self::one(Op::Concat(smallvec![self, &row], 0))
    }
}

impl<'a, B: Backend> MultiHeadAttentionOptions<'a, B> {
    /// These projections, without biases, masks and dropout, and with the mean weights wanted.
    pub fn new(num_heads: usize, in_proj: InProjection<'a, B>, out_proj_weight: &'a Tensor<B>) -> Self {
        Self {
            num_heads,
            in_proj,
            in_proj_bias: None,
            bias_kv: None,
            add_zero_attn: false,
            dropout_p: 0.,
            out_proj_weight,
            out_proj_bias: None,
            training: true,
            key_padding_mask: None,
            need_weights: true,
            attn_mask: None,
            is_causal: false,
            average_attn_weights: true,
        }
    }

    /// Queries, keys and values in `embed` features each.
    #[track_caller]
    fn project(&self, q: &Tensor<B>, k: &Tensor<B>, v: &Tensor<B>, embed: usize) -> Result<[Tensor<B>; 3]> {
        let part = |t: &Tensor<B>, i: usize| t.narrow(0, i * embed, embed);
        let [wq, wk, wv] = match self.in_proj {
            InProjection::Packed(w) => [part(w, 0)?, part(w, 1)?, part(w, 2)?],
            InProjection::Separate(q, k, v) => [q.clone(), k.clone(), v.clone()],
        };
        let bias = |i: usize| self.in_proj_bias.map(|b| part(b, i)).transpose();
        Ok([
            q.linear(&wq, bias(0)?.as_ref())?,
            k.linear(&wk, bias(1)?.as_ref())?,
            v.linear(&wv, bias(2)?.as_ref())?,
        ])
    }

    /// Both masks as numbers to be added to scores, `(batch or 1, heads or 1, queries or 1, keys)`.
    #[track_caller]
    fn mask(&self, like: &Tensor<B>, [batch, heads, n, m]: [usize; 4]) -> Result<Option<Tensor<B>>> {
        // here true means that something is not seen
        let numbers = |mask: &Tensor<B>| match mask.dtype() {
            DType::Bool => mask.where_(f64::NEG_INFINITY, 0.0)?.to(like.dtype()),
            _ => mask.to(like.dtype()),
        };
        let padding = match self.key_padding_mask {
            Some(mask) => Some(numbers(mask)?.reshape([batch, 1, 1, m])?),
            None => None,
        };
        let attention = match self.attn_mask {
            Some(mask) if mask.rank() == 3 => Some(numbers(mask)?.reshape([batch, heads, n, m])?),
            Some(mask) => Some(numbers(mask)?.reshape([1, 1, n, m])?),
            None => None,
        };
        match (padding, attention) {
            (Some(a), Some(b)) => Ok(Some((a + b)?)),
            (a, b) => Ok(a.or(b)),
        }
    }
}
