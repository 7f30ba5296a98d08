//! A language model as GPT, of blocks that BERT shares.
use firesteel::{
    AttentionOptions,
    nn::{Embedding, GELU, LayerNorm, Linear, Sequential},
    prelude::*,
};

/// Attention and two layers with a GELU between: `(batch, length, d_model) -> (batch, length, d_model)`.
#[derive(Module)]
pub struct Block<B: Backend> {
    norm1: LayerNorm<B>,
    qkv: Linear<B>,
    proj: Linear<B>,
    norm2: LayerNorm<B>,
    feed: Sequential<(Linear<B>, GELU, Linear<B>)>,
    heads: usize,
}

impl<B: Backend> Block<B> {
    pub fn new(d: usize, heads: usize, eps: f64, device: &B) -> Result<Self> {
        Ok(Self {
            norm1: LayerNorm::new(d, device)?.eps(eps),
            qkv: Linear::new(d, 3 * d, device)?,
            proj: Linear::new(d, d, device)?,
            norm2: LayerNorm::new(d, device)?.eps(eps),
            feed: Sequential((
                Linear::new(d, 4 * d, device)?,
                GELU::default(),
                Linear::new(4 * d, d, device)?,
            )),
            heads,
        })
    }

    fn attention(&self, x: &Tensor<B>, is_causal: bool) -> Result<Tensor<B>> {
        let qkv = self.qkv.forward(x)?.unflatten(-1, [3, self.heads as i64, -1])?;
        let qkv = qkv.permute([2, 0, 3, 1, 4])?.unbind(0)?;
        let options = AttentionOptions { is_causal, ..Default::default() };
        let y = qkv[0].scaled_dot_product_attention(&qkv[1], &qkv[2], options)?;
        self.proj.forward(&y.transpose(1, 2)?.flatten(2, 3)?)
    }

    /// Causal, and normalised before each part.
    pub fn before(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        let x = (x + self.attention(&self.norm1.forward(x)?, true)?)?;
        &x + self.feed.forward(&self.norm2.forward(&x)?)?
    }

    /// Both ways, and normalised after each part.
    pub fn after(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        let x = self.norm1.forward(&(x + self.attention(x, false)?)?)?;
        self.norm2.forward(&(&x + self.feed.forward(&x)?)?)
    }
}

/// `(batch, length) -> (batch, length, vocabulary)`
#[derive(Module)]
pub struct Gpt<B: Backend> {
    tokens: Embedding<B>,
    positions: Embedding<B>,
    blocks: Vec<Block<B>>,
    norm: LayerNorm<B>,
    head: Linear<B>,
}

impl<B: Backend> Gpt<B> {
    pub fn new(
        layers: usize,
        d: usize,
        heads: usize,
        context: usize,
        vocabulary: usize,
        device: &B,
    ) -> Result<Self> {
        Ok(Self {
            tokens: Embedding::new(vocabulary, d, device)?,
            positions: Embedding::new(context, d, device)?,
            blocks: (0..layers).map(|_| Block::new(d, heads, 1e-5, device)).collect::<Result<_>>()?,
            norm: LayerNorm::new(d, device)?,
            head: Linear::without_bias(d, vocabulary, device)?,
        })
    }

    pub fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        let places = Tensor::arange(0..x.size(1)? as i64, x.backend())?;
        let x = (self.tokens.forward(x)? + self.positions.forward(&places)?)?;
        let x = self.blocks.iter().try_fold(x, |x, block| block.before(&x))?;
        self.head.forward(&self.norm.forward(&x)?)
    }
}
