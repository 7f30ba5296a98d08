//! BERT with the sizes of MiniLM-L6-v2, to the last hidden state.
use crate::{gpt::Block, harness::Harness};
use firesteel::{
    nn::{Embedding, LayerNorm},
    prelude::*,
};
use std::hint::black_box;

pub fn cases(h: &Harness) {
    for batch in [1, 8] {
        h.case(&format!("infer_bert_b{batch}"), || {
            let model = Bert::new(6, 384, 12, 30_522, &Cpu)?;
            let x = Tensor::randint(0..30_522, [batch, 128], &Cpu)?;
            Ok(move || {
                black_box(model.forward(&x)?);
                Ok(())
            })
        });
    }
}

/// `(batch, length) -> (batch, length, d_model)`
#[derive(Module)]
struct Bert<B: Backend> {
    words: Embedding<B>,
    positions: Embedding<B>,
    types: Embedding<B>,
    norm: LayerNorm<B>,
    blocks: Vec<Block<B>>,
}

impl<B: Backend> Bert<B> {
    fn new(layers: usize, d: usize, heads: usize, vocabulary: usize, device: &B) -> Result<Self> {
        Ok(Self {
            words: Embedding::new(vocabulary, d, device)?,
            positions: Embedding::new(512, d, device)?,
            types: Embedding::new(2, d, device)?,
            norm: LayerNorm::new(d, device)?.eps(1e-12),
            blocks: (0..layers).map(|_| Block::new(d, heads, 1e-12, device)).collect::<Result<_>>()?,
        })
    }

    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        let places = Tensor::arange(0..x.size(1)? as i64, x.backend())?;
        let types = self.types.forward(&x.zeros_like()?)?;
        let x = (self.words.forward(x)?.lazy() + self.positions.forward(&places)? + types).eval()?;
        self.blocks.iter().try_fold(self.norm.forward(&x)?, |x, block| block.after(&x))
    }
}
