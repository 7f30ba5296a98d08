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
    /// The greatest length of a vector: longer ones are shortened to it.
    pub max_norm: Option<f64>,
    /// By which norm length is measured: 2 unless it is set.
    pub norm_type: f64,
    /// Whether gradients are divided by how often their number is in the batch.
    pub scale_grad_by_freq: bool,
}

impl<B: Backend> Embedding<B> {
    fn extra_repr(&self) -> String {
        let sizes: Vec<_> = self.weight.shape().iter().map(usize::to_string).collect();
        let padding = self.padding_idx.map_or(String::new(), |i| format!(", padding_idx={i}"));
        let longest = self.max_norm.map_or(String::new(), |norm| format!(", max_norm={norm}"));
        sizes.join(", ") + &padding + &longest
    }

    /// A table that begins normally distributed.
    pub fn new(num_embeddings: usize, embedding_dim: usize, device: &B) -> Result<Self> {
        Self::from_pretrained(Tensor::randn([num_embeddings, embedding_dim], device)?)
    }

    /// This table, `(num_embeddings, embedding_dim)`. PyTorch freezes it; here
    /// [`freeze`](super::Module::freeze) does.
    pub fn from_pretrained(weight: Tensor<B>) -> Result<Self> {
        let weight = Param::new(weight)?;
        Ok(Self { weight, padding_idx: None, max_norm: None, norm_type: 2., scale_grad_by_freq: false })
    }

    /// The same table with a row of zeros that is not learned; negative numbers count from the end.
    pub fn padding_idx(mut self, row: isize) -> Result<Self> {
        zero_row(&mut self.weight, row)?;
        Ok(Self { padding_idx: Some(row), ..self })
    }

    /// The same table whose vectors are no longer than this: longer ones come out shortened.
    ///
    /// PyTorch shortens them in the table as they are read, which a layer that is only read cannot do; where the table
    /// itself has to stay within bounds, call [`renorm`](Self::renorm) before each step.
    ///
    /// ```
    /// use firesteel::{nn::Embedding, prelude::*};
    /// let table = Tensor::new([[3.0, 4.0], [0.3, 0.4]], &Cpu)?;
    /// let layer = Embedding::from_pretrained(table)?.max_norm(1.0);
    /// let y = layer.forward(&Tensor::new([0, 1], &Cpu)?)?.to_vec::<f32>()?;
    /// assert!(y.iter().zip([0.6, 0.8, 0.3, 0.4]).all(|(a, b)| (a - b).abs() < 1e-6));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub fn max_norm(self, max_norm: f64) -> Self {
        Self { max_norm: Some(max_norm), ..self }
    }

    /// The same table, whose vectors' lengths are measured by another norm.
    pub fn norm_type(self, norm_type: f64) -> Self {
        Self { norm_type, ..self }
    }

    /// The same table, where the gradient of a vector is divided by how often its number is in the batch.
    ///
    /// ```
    /// use firesteel::{nn::Embedding, prelude::*};
    /// let device = Autodiff::new(Cpu);
    /// let layer = Embedding::new(3, 1, &device)?.scale_grad_by_freq(true);
    /// let y = layer.forward(&Tensor::new([1, 1, 2], &device)?)?.sum(..)?;
    /// assert_eq!(y.backward()?.get(&layer.weight)?.to_vec::<f32>()?, [0., 1., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub fn scale_grad_by_freq(self, scale_grad_by_freq: bool) -> Self {
        Self { scale_grad_by_freq, ..self }
    }

    /// Shortens the rows with these numbers in the table itself, where they are longer than `max_norm`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html>
    #[track_caller]
    pub fn renorm(&mut self, x: &Tensor<B>) -> Result<()> {
        shorten(&mut self.weight, x, self.max_norm, self.norm_type)
    }
}

impl<B: Backend> Layer<B> for Embedding<B> {
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        let Self { padding_idx, max_norm, norm_type, scale_grad_by_freq, .. } = *self;
        x.embedding(&self.weight, EmbeddingOptions { padding_idx, max_norm, norm_type, scale_grad_by_freq })
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
    /// The greatest length of a vector: longer ones count shortened.
    pub max_norm: Option<f64>,
    /// By which norm length is measured: 2 unless it is set.
    pub norm_type: f64,
    /// Whether gradients are divided by how often their number is in the batch; not with [`BagMode::Max`].
    pub scale_grad_by_freq: bool,
}

impl<B: Backend> EmbeddingBag<B> {
    /// A table that begins normally distributed.
    pub fn new(num_embeddings: usize, embedding_dim: usize, device: &B) -> Result<Self> {
        Self::from_pretrained(Tensor::randn([num_embeddings, embedding_dim], device)?)
    }

    /// This table, `(num_embeddings, embedding_dim)`.
    pub fn from_pretrained(weight: Tensor<B>) -> Result<Self> {
        Ok(Self {
            weight: Param::new(weight)?,
            mode: BagMode::Mean,
            padding_idx: None,
            include_last_offset: false,
            max_norm: None,
            norm_type: 2.,
            scale_grad_by_freq: false,
        })
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

    /// The same table whose vectors count as no longer than this; the table stays as it is until [`renorm`](Self::renorm), as
    /// an [`Embedding`]'s does.
    ///
    /// ```
    /// use firesteel::{BagMode, nn::EmbeddingBag, prelude::*};
    /// let table = Tensor::new([[3.0, 4.0], [0.0, 0.5]], &Cpu)?;
    /// let bag = EmbeddingBag::from_pretrained(table)?.mode(BagMode::Sum).max_norm(1.0);
    /// let y = bag.forward(&Tensor::new([[0, 1]], &Cpu)?)?.to_vec::<f32>()?;
    /// assert!((y[0] - 0.6).abs() < 1e-6 && (y[1] - 1.3).abs() < 1e-6);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub fn max_norm(self, max_norm: f64) -> Self {
        Self { max_norm: Some(max_norm), ..self }
    }

    /// The same table, whose vectors' lengths are measured by another norm.
    pub fn norm_type(self, norm_type: f64) -> Self {
        Self { norm_type, ..self }
    }

    /// The same table, where the gradient of a vector is divided by how often its number is in the batch.
    pub fn scale_grad_by_freq(self, scale_grad_by_freq: bool) -> Self {
        Self { scale_grad_by_freq, ..self }
    }

    /// Shortens the rows with these numbers in the table itself, where they are longer than `max_norm`.
    #[track_caller]
    pub fn renorm(&mut self, x: &Tensor<B>) -> Result<()> {
        shorten(&mut self.weight, x, self.max_norm, self.norm_type)
    }

    /// Of numbers `(n)` in bags that begin at these offsets `(bags)`, or of `(bags, n)` without offsets, each with a
    /// factor where there are `per_sample_weights` (of the shape of `x`, with [`BagMode::Sum`]).
    pub fn forward_offsets<'a>(
        &self,
        x: &Tensor<B>,
        offsets: impl Into<Option<&'a Tensor<B>>>,
        per_sample_weights: Option<&'a Tensor<B>>,
    ) -> Result<Tensor<B>> {
        let options = EmbeddingBagOptions {
            offsets: offsets.into(),
            mode: self.mode,
            per_sample_weights,
            padding_idx: self.padding_idx,
            include_last_offset: self.include_last_offset,
            max_norm: self.max_norm,
            norm_type: self.norm_type,
            scale_grad_by_freq: self.scale_grad_by_freq,
        };
        x.embedding_bag(&self.weight, options)
    }
}

impl<B: Backend> Layer<B> for EmbeddingBag<B> {
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        self.forward_offsets(x, None, None)
    }
}

/// Shortens rows of a table where they are longer than the most there may be.
#[track_caller]
fn shorten<B: Backend>(
    weight: &mut Param<B>,
    rows: &Tensor<B>,
    max_norm: Option<f64>,
    norm_type: f64,
) -> Result<()> {
    let Some(max_norm) = max_norm else {
        return Ok(());
    };
    let (table, rows) = (weight.detach(), rows.flatten(0, -1)?);
    let short = table.index_select(0, &rows)?.renorm(norm_type, 0, max_norm)?;
    weight.set(&table.index_copy(0, &rows, &short)?)
}

/// Makes a row of a table zero.
fn zero_row<B: Backend>(weight: &mut Param<B>, row: isize) -> Result<()> {
    let index = Tensor::new([row as i64], weight.backend())?;
    let zeroed = weight.index_fill(0, &index, 0.0)?;
    weight.set(&zeroed)
}
