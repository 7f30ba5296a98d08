//! Rows of a table by their number.
use crate::{Backend, DType, Error, Op, Result, Scalar, Scatter, Shape, Tensor};

/// Options of [`Tensor::embedding`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EmbeddingOptions {
    /// The row that is not learned; negative numbers count from the end.
    pub padding_idx: Option<isize>,
    /// The greatest length of a row: longer ones come out shortened. (The weight stays as it is, unlike PyTorch's.)
    pub max_norm: Option<f64>,
    /// By which norm length is measured: 2 unless it is set.
    pub norm_type: f64,
    /// Whether gradients are divided by how often their index is there.
    pub scale_grad_by_freq: bool,
}

impl Default for EmbeddingOptions {
    fn default() -> Self {
        Self { padding_idx: None, max_norm: None, norm_type: 2., scale_grad_by_freq: false }
    }
}

/// How [`Tensor::embedding_bag`] puts the rows of a bag together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BagMode {
    /// Their sum.
    Sum,
    /// Their mean; zero where a bag is empty.
    #[default]
    Mean,
    /// The largest of each column; zero where a bag is empty.
    Max,
}

/// Options of [`Tensor::embedding_bag`].
#[derive(Clone, Copy, Debug)]
pub struct EmbeddingBagOptions<'a, B: Backend> {
    /// Where each bag starts in indices `(n)`; without them each row of indices `(bags, n)` is a bag.
    pub offsets: Option<&'a Tensor<B>>,
    /// How the rows of a bag are put together.
    pub mode: BagMode,
    /// A factor for each index, of a sum.
    pub per_sample_weights: Option<&'a Tensor<B>>,
    /// The row that does not count; negative numbers count from the end.
    pub padding_idx: Option<isize>,
    /// Whether the last offset is the number of indices, and starts no bag.
    pub include_last_offset: bool,
    /// The greatest length of a row: longer ones count shortened. (The weight stays as it is, unlike PyTorch's.)
    pub max_norm: Option<f64>,
    /// By which norm length is measured: 2 unless it is set.
    pub norm_type: f64,
    /// Whether gradients are divided by how often their index is there; not with [`BagMode::Max`].
    pub scale_grad_by_freq: bool,
}

impl<B: Backend> Default for EmbeddingBagOptions<'_, B> {
    fn default() -> Self {
        Self {
            offsets: None,
            mode: BagMode::Mean,
            per_sample_weights: None,
            padding_idx: None,
            include_last_offset: false,
            max_norm: None,
            norm_type: 2.,
            scale_grad_by_freq: false,
        }
    }
}

impl<B: Backend> Tensor<B> {
    /// The rows of `weight (rows, features)` that these indices name: `(..)` to `(.., features)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html>
    ///
    /// ```
    /// use firesteel::{EmbeddingOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let weight = Tensor::new([[1.0, 2.0], [3.0, 4.0]], &cpu)?;
    /// let rows = Tensor::new([1, 0, 1], &cpu)?.embedding(&weight, EmbeddingOptions::default())?;
    /// assert_eq!(rows.to_vec::<f32>()?, [3., 4., 1., 2., 3., 4.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn embedding(&self, weight: &Self, options: EmbeddingOptions) -> Result<Self> {
        let EmbeddingOptions { padding_idx, max_norm, norm_type, scale_grad_by_freq } = options;
        let limits = RowLimits { max_norm, norm_type, scale_grad_by_freq };
        let rows = self.rows_of("embedding", weight, limits)?;
        let Some(padding) = padding_idx else {
            return Ok(rows);
        };
        let padding = wrapped("embedding", padding, weight)?;
        // the same numbers, but no gradient from the rows that are not learned
        self.roomy()?.ne(padding)?.unsqueeze(-1)?.where_(&rows, rows.detach())
    }

    /// The rows of `weight (rows, features)` that the indices of each bag name, put together:
    /// `(bags, features)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html>
    ///
    /// ```
    /// use firesteel::{BagMode, EmbeddingBagOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let weight = Tensor::new([[1.0], [2.0], [4.0]], &cpu)?;
    /// let (indices, offsets) = (Tensor::new([0, 1, 2], &cpu)?, Tensor::new([0, 2], &cpu)?);
    /// let options = EmbeddingBagOptions { offsets: Some(&offsets), mode: BagMode::Sum, ..Default::default() };
    /// assert_eq!(indices.embedding_bag(&weight, options)?.to_vec::<f32>()?, [3., 4.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn embedding_bag(&self, weight: &Self, options: EmbeddingBagOptions<B>) -> Result<Self> {
        let op = "embedding_bag";
        let (bags, bag) = self.bags(&options)?;
        let indices = self.reshape([self.numel()])?;
        let EmbeddingBagOptions { max_norm, norm_type, scale_grad_by_freq, .. } = options;
        if scale_grad_by_freq && options.mode == BagMode::Max {
            return Err(Error::value(op, "scale_grad_by_freq is not there for the mode Max"));
        }
        let mut rows = indices.rows_of(op, weight, RowLimits { max_norm, norm_type, scale_grad_by_freq })?;
        if let Some(weights) = options.per_sample_weights {
            if options.mode != BagMode::Sum || weights.shape() != self.shape() {
                let why =
                    format!("weights {} need the mode Sum and the shape {}", weights.shape(), self.shape());
                return Err(Error::value(op, why));
            }
            rows = (rows * weights.reshape([self.numel(), 1])?)?;
        }
        let counts = match options.padding_idx {
            Some(padding) => indices.roomy()?.ne(wrapped(op, padding, weight)?)?.unsqueeze(1)?,
            None => Self::full([self.numel(), 1], true, self.backend())?,
        };
        let features = weight.shape()[1];
        let gathered = |kind, start: f64, rows: &Self| {
            let width = rows.shape()[1];
            let into = Self::full([bags, width], start, (rows.dtype(), rows.backend()))?;
            Self::one(Op::IndexPut { kind, into: &into, index: &bag, x: rows, axis: 0 })
        };
        let size = gathered(Scatter::Add, 0., &counts.to(rows.dtype())?)?;
        match options.mode {
            BagMode::Sum => gathered(Scatter::Add, 0., &counts.where_(&rows, 0.0)?),
            BagMode::Mean => {
                let sum = gathered(Scatter::Add, 0., &counts.where_(&rows, 0.0)?)?;
                sum / size.maximum(1.0)?
            }
            BagMode::Max => {
                let most =
                    gathered(Scatter::Max, f64::NEG_INFINITY, &counts.where_(&rows, f64::NEG_INFINITY)?)?;
                size.broadcast_to([bags, features])?.gt(0.0)?.where_(&most, 0.0)
            }
        }
    }

    /// A 1 at the place that each of these indices names, among `classes`: `(..)` to `(.., classes)` of I64.
    /// Without a number of classes there are as many as the largest index needs, which waits for the device.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.one_hot.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([2, 0], &Cpu::default())?;
    /// assert_eq!(x.one_hot(Some(3))?.to_vec::<i64>()?, [0, 0, 1, 1, 0, 0]);
    /// assert_eq!(x.one_hot(None)?.size(-1)?, 3);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn one_hot(&self, classes: Option<usize>) -> Result<Self> {
        if !self.dtype().is_integer() {
            return Err(Error::dtype("one_hot", format!("needs whole numbers, not {}", self.dtype())));
        }
        let classes = match classes {
            Some(classes) => classes,
            None if self.numel() == 0 => {
                return Err(Error::value("one_hot", "no indices say how many classes there are: name them"));
            }
            None => {
                let largest = self.amax(..)?.item::<i64>()?;
                usize::try_from(largest)
                    .map_err(|_| Error::index("one_hot", format!("{largest} is no class")))?
                    + 1
            }
        };
        let mut shape = self.shape().clone();
        shape.push(classes);
        let axis = self.rank();
        let into = Self::make(self.backend(), Op::Full(Scalar::Int(0), shape, DType::I64))?;
        let index = self.unsqueeze(-1)?;
        let x = Self::full(index.shape(), 1, self.backend())?;
        Self::one(Op::Scatter { kind: Scatter::Set, into: &into, index: &index, x: &x, axis })
            .map_err(|e| e.within("one_hot"))
    }

    /// The rows of a table that these indices name, within limits.
    #[track_caller]
    fn rows_of(&self, op: &'static str, weight: &Self, limits: RowLimits) -> Result<Self> {
        let [count, features] = weight.shape()[..] else {
            return Err(Error::shape(
                op,
                format!("the weight has to be (rows, features), not {}", weight.shape()),
            ));
        };
        let mut shape: Shape = self.shape().clone();
        shape.push(features);
        let index = self.reshape([self.numel()])?;
        let mut rows =
            Self::one(Op::IndexSelect { x: weight, index: &index, axis: 0 }).map_err(|e| e.within(op))?;
        if let Some(max_norm) = limits.max_norm {
            // gradients are those of rows that were this short from the first
            let there = rows.detach();
            let short = there.renorm(limits.norm_type, 0, max_norm).map_err(|e| e.within(op))?;
            rows = (rows + (short - there)?)?;
        }
        if limits.scale_grad_by_freq {
            let one = Self::ones([index.numel()], (DType::F32, weight.backend()))?;
            let counts =
                Self::zeros([count], (DType::F32, weight.backend()))?.index_add(0, &index, &one, 1)?;
            let times = counts.index_select(0, &index)?.unsqueeze(1)?.to(rows.dtype())?;
            // the second term is nothing but its gradient
            let there = rows.detach();
            rows = (&there + ((rows - &there)? / times)?)?;
        }
        rows.reshape(&shape)
    }

    /// The same indices in a dtype that holds any index: a comparison with one out of its range would take
    /// it for another.
    #[track_caller]
    pub(crate) fn roomy(&self) -> Result<Self> {
        match self.dtype() {
            DType::I8 | DType::U8 => self.to(DType::I32),
            DType::U32 => self.to(DType::I64),
            _ => Ok(self.clone()),
        }
    }

    /// How many bags there are, and the bag of each index.
    #[track_caller]
    fn bags(&self, options: &EmbeddingBagOptions<B>) -> Result<(usize, Self)> {
        let count = Self::arange(0..self.numel(), self.backend())?;
        match (&self.shape()[..], options.offsets) {
            ([bags, n], None) => {
                let bag = Self::arange(0..*bags, self.backend())?.unsqueeze(1)?.broadcast_to([*bags, *n])?;
                Ok((*bags, bag.reshape([self.numel()])?))
            }
            ([_], Some(offsets)) if offsets.rank() == 1 && offsets.numel() > 0 => {
                let bags = offsets.numel() - usize::from(options.include_last_offset);
                let starts = offsets.to(DType::I64)?.narrow(0, 0, bags)?;
                // an index belongs to the last bag that starts no later
                let after = Self::one(Op::SearchSorted { sorted: &starts, values: &count, right: true })?;
                Ok((bags, (after - 1)?))
            }
            _ => {
                let why = format!(
                    "needs indices (bags, n), or (n) with offsets (bags), not {} {} offsets",
                    self.shape(),
                    if options.offsets.is_some() { "with" } else { "without" }
                );
                Err(Error::shape("embedding_bag", why))
            }
        }
    }
}

/// The number of a row, counted from the start.
#[track_caller]
fn wrapped<B: Backend>(op: &'static str, row: isize, weight: &Tensor<B>) -> Result<i64> {
    let rows = weight.shape().first().copied().unwrap_or(0);
    let from_start = if row < 0 { row.checked_add_unsigned(rows) } else { Some(row) };
    match from_start {
        Some(row) if usize::try_from(row).is_ok_and(|row| row < rows) => Ok(row as i64),
        _ => Err(Error::index(op, format!("padding_idx {row} is none of {rows} rows"))),
    }
}

/// What becomes of rows that are read.
#[derive(Clone, Copy, Debug)]
struct RowLimits {
    max_norm: Option<f64>,
    norm_type: f64,
    scale_grad_by_freq: bool,
}
