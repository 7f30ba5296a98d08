//! Rows of a table by their number.
use super::{Layer, Module, Param};
use crate::{Backend, BagMode, EmbeddingBagOptions, EmbeddingOptions, Result, Tensor};

/// A vector for each whole number: `(..) -> (.., embedding_dim)`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html>
///
/// ```
/// use firesteel::{nn::{Embedding, Layer}, prelude::*};
/// let layer = Embedding::new(10, 3, &Cpu)?.padding_idx(0)?;
/// let y = layer.forward(&Tensor::new([[1, 2], [4, 0]], &Cpu)?)?;
/// assert_eq!((y.shape(), &y.to_vec::<f32>()?[9..]), (&Shape::from([2, 2, 3]), &[0.; 3][..]));
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
#[module(extra_repr)]
pub struct Embedding<B: Backend> {
    /// `(num_embeddings, embedding_dim)`
    pub weight: Param<B>,
    /// The row that is not learned; negative numbers count from the end.
    pub padding_idx: Option<isize>,
}

impl<B: Backend> Embedding<B> {
    fn extra_repr(&self) -> String {
        let sizes: Vec<_> = self.weight.shape().iter().map(usize::to_string).collect();
        let padding = self.padding_idx.map_or(String::new(), |i| format!(", padding_idx={i}"));
        sizes.join(", ") + &padding
    }

    /// A table that begins normally distributed.
    pub fn new(num_embeddings: usize, embedding_dim: usize, device: &B) -> Result<Self> {
        Self::from_pretrained(Tensor::randn([num_embeddings, embedding_dim], device)?)
    }

    /// This table, `(num_embeddings, embedding_dim)`. PyTorch freezes it; here
    /// [`freeze`](super::Module::freeze) does.
    pub fn from_pretrained(weight: Tensor<B>) -> Result<Self> {
        Ok(Self { weight: Param::new(weight)?, padding_idx: None })
    }

    /// The same table with a row of zeros that is not learned; negative numbers count from the end.
    pub fn padding_idx(mut self, row: isize) -> Result<Self> {
        zero_row(&mut self.weight, row)?;
        Ok(Self { padding_idx: Some(row), ..self })
    }
}

impl<B: Backend> Layer<B> for Embedding<B> {
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        x.embedding(&self.weight, EmbeddingOptions { padding_idx: self.padding_idx })
    }
}

/// The sum, mean or largest of the vectors of each bag of whole numbers:
/// `(bags, n) -> (bags, embedding_dim)`. <https://docs.pytorch.org/docs/stable/generated/torch.nn.EmbeddingBag.html>
///
/// ```
/// use firesteel::{BagMode, nn::EmbeddingBag, prelude::*};
/// let bag = EmbeddingBag::new(10, 3, &Cpu)?.mode(BagMode::Sum);
/// let (x, offsets) = (Tensor::new([1, 2, 4, 5], &Cpu)?, Tensor::new([0, 3], &Cpu)?);
/// assert_eq!(bag.forward_offsets(&x, &offsets, None)?.shape(), &[2, 3]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
pub struct EmbeddingBag<B: Backend> {
    /// `(num_embeddings, embedding_dim)`
    pub weight: Param<B>,
    /// What becomes of a bag; the mean by default.
    pub mode: BagMode,
    /// The row that does not count; negative numbers count from the end.
    pub padding_idx: Option<isize>,
    /// Whether the last offset is where the last bag ends.
    pub include_last_offset: bool,
}

impl<B: Backend> EmbeddingBag<B> {
    /// A table that begins normally distributed.
    pub fn new(num_embeddings: usize, embedding_dim: usize, device: &B) -> Result<Self> {
        Self::from_pretrained(Tensor::randn([num_embeddings, embedding_dim], device)?)
    }

    /// This table, `(num_embeddings, embedding_dim)`.
    pub fn from_pretrained(weight: Tensor<B>) -> Result<Self> {
        let weight = Param::new(weight)?;
        Ok(Self { weight, mode: BagMode::Mean, padding_idx: None, include_last_offset: false })
    }

    /// The same table with something else made of a bag.
    pub fn mode(self, mode: BagMode) -> Self {
        Self { mode, ..self }
    }

    /// The same table with a row of zeros that does not count; negative numbers count from the end.
    pub fn padding_idx(mut self, row: isize) -> Result<Self> {
        zero_row(&mut self.weight, row)?;
        Ok(Self { padding_idx: Some(row), ..self })
    }

    /// Of numbers `(n)` in bags that begin at these offsets `(bags)`, or of `(bags, n)` without offsets, each with a
    /// factor where there are `per_sample_weights` (of the shape of `x`, with [`BagMode::Sum`]).
    pub fn forward_offsets<'a>(
        &self,
        x: &Tensor<B>,
        offsets: impl Into<Option<&'a Tensor<B>>>,
        per_sample_weights: Option<&'a Tensor<B>>,
    ) -> Result<Tensor<B>> {
        let Self { mode, padding_idx, include_last_offset, .. } = *self;
        let offsets = offsets.into();
        let options =
            EmbeddingBagOptions { offsets, mode, per_sample_weights, padding_idx, include_last_offset };
        x.embedding_bag(&self.weight, options)
    }
}

impl<B: Backend> Layer<B> for EmbeddingBag<B> {
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        self.forward_offsets(x, None, None)
    }
}

/// Makes a row of a table zero.
fn zero_row<B: Backend>(weight: &mut Param<B>, row: isize) -> Result<()> {
    let index = Tensor::new([row as i64], weight.backend())?;
    let zeroed = weight.index_fill(0, &index, 0.0)?;
    weight.set(&zeroed)
}
