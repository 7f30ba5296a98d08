//! What is different from the rest: its size depends on the numbers, so places are read from the device; the methods
//! in `async` wait for that without blocking.
use crate::{Backend, DType, Element, Op, Result, Scalar, Scatter, Shape, Tensor, TensorData, block_on};
use std::{cmp::Ordering, panic::Location};

/// The distinct elements, or slices, and where they were.
#[derive(Clone, Debug)]
pub struct Unique<B: Backend> {
    /// Each of them once.
    pub values: Tensor<B>,
    /// For each element, or slice, of the operand its place among the values: I64.
    pub inverse: Tensor<B>,
    /// How often each occurs: I64.
    pub counts: Tensor<B>,
}

impl<B: Backend> Tensor<B> {
    /// The distinct elements, in ascending order; with a dim, the distinct slices along it, ordered by their first
    /// elements, then by their second, and so on. Each NaN is different from all others.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.unique.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([3, 1, 3, 2], &Cpu::default())?;
    /// let unique = x.unique(None)?;
    /// assert_eq!(unique.values.to_vec::<i64>()?, [1, 2, 3]);
    /// assert_eq!(unique.inverse.to_vec::<i64>()?, [2, 0, 2, 1]);
    /// assert_eq!(unique.counts.to_vec::<i64>()?, [1, 1, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn unique(&self, dim: impl Into<Option<isize>>) -> Result<Unique<B>> {
        let here = Location::caller();
        block_on(self.unique_async(dim)).map_err(|e| e.at(here))
    }

    /// [`unique`](Self::unique), waiting without blocking.
    ///
    /// ```
    /// use firesteel::{block_on, prelude::*};
    /// let x = Tensor::new([[1, 2], [0, 5], [1, 2]], &Cpu::default())?;
    /// let rows = block_on(x.unique_async(0))?;
    /// assert_eq!(rows.values.to_vec::<i64>()?, [0, 5, 1, 2]);
    /// assert_eq!(rows.counts.to_vec::<i64>()?, [1, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub async fn unique_async(&self, dim: impl Into<Option<isize>>) -> Result<Unique<B>> {
        let rows = Rows::of("unique", self, dim.into())?;
        let order = rows.order().await?;
        let sorted = Self::one(Op::IndexSelect { x: &rows.matrix, index: &order, axis: 0 })?;
        let (values, groups, counts) = runs(&sorted).await?;
        let into = groups.zeros_like()?;
        let inverse = Op::Scatter { kind: Scatter::Set, into: &into, index: &order, x: &groups, axis: 0 };
        rows.give(values, Self::one(inverse)?, counts)
    }

    /// The elements without those that are equal to the one before them; with a dim, the slices along it.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.unique_consecutive.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 1, 2, 2, 1], &Cpu::default())?;
    /// let runs = x.unique_consecutive(None)?;
    /// assert_eq!(runs.values.to_vec::<i64>()?, [1, 2, 1]);
    /// assert_eq!(runs.counts.to_vec::<i64>()?, [2, 2, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn unique_consecutive(&self, dim: impl Into<Option<isize>>) -> Result<Unique<B>> {
        let here = Location::caller();
        block_on(self.unique_consecutive_async(dim)).map_err(|e| e.at(here))
    }

    /// [`unique_consecutive`](Self::unique_consecutive), waiting without blocking.
    ///
    /// ```
    /// use firesteel::{block_on, prelude::*};
    /// let x = Tensor::new([1, 1, 2], &Cpu::default())?;
    /// assert_eq!(block_on(x.unique_consecutive_async(None))?.inverse.to_vec::<i64>()?, [0, 0, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub async fn unique_consecutive_async(&self, dim: impl Into<Option<isize>>) -> Result<Unique<B>> {
        let rows = Rows::of("unique_consecutive", self, dim.into())?;
        let (values, groups, counts) = runs(&rows.matrix).await?;
        rows.give(values, groups, counts)
    }
}

/// What is told apart: the rows of a matrix, which are elements or slices of the operand.
struct Rows<B: Backend> {
    /// `[rows, elements of each]`
    matrix: Tensor<B>,
    /// The dim that the slices lie along.
    axis: Option<usize>,
    /// The operand's shape, with that dim first.
    shape: Shape,
}

impl<B: Backend> Rows<B> {
    fn of(op: &'static str, x: &Tensor<B>, dim: Option<isize>) -> Result<Self> {
        let Some(dim) = dim else {
            return Ok(Self { matrix: x.ravel()?.unsqueeze(1)?, axis: None, shape: x.shape().clone() });
        };
        let (axis, x) = (x.axis(op, dim)?, x.atleast_1d()?);
        let first = x.movedim(axis as isize, 0)?;
        let (shape, size) = (first.shape().clone(), first.shape()[1..].iter().product::<usize>());
        Ok(Self { matrix: first.reshape([shape[0], size])?, axis: Some(axis), shape })
    }

    /// The places of the rows in ascending order.
    async fn order(&self) -> Result<Tensor<B>> {
        let (rows, size) = (self.matrix.shape()[0], self.matrix.shape()[1]);
        if size == 1 {
            return Tensor::two(Op::Sort { x: &self.matrix, axis: 0, descending: false })?.1.ravel();
        }
        let data = self.matrix.to_data_async().await?;
        let mut order: Vec<i64> = (0..rows as i64).collect();
        with_dtype!(data.dtype(), T => {
            let elements = T::peek(data.data()).unwrap_or_default();
            let row = |i: i64| &elements[i as usize * size..][..size];
            order.sort_by(|&a, &b| compare(row(a), row(b)));
        });
        Tensor::from_data(TensorData::new(rows, i64::wrap(order))?, self.matrix.backend())
    }

    /// The rows as they were in the operand.
    fn give(self, values: Tensor<B>, inverse: Tensor<B>, counts: Tensor<B>) -> Result<Unique<B>> {
        Ok(match self.axis {
            None => Unique { values: values.ravel()?, inverse: inverse.reshape(self.shape)?, counts },
            Some(axis) => {
                let shape = self.shape.with(0, values.shape()[0]);
                Unique { values: values.reshape(shape)?.movedim(0, axis as isize)?, inverse, counts }
            }
        })
    }
}

/// By the first elements that differ; NaN is the largest.
fn compare<T: Element>(a: &[T], b: &[T]) -> Ordering {
    let order = |(&a, &b): (&T, &T)| {
        let [a, b] = [a, b].map(Scalar::of);
        a.partial_cmp(&b).unwrap_or_else(|| a.to_f64().is_nan().cmp(&b.to_f64().is_nan()))
    };
    a.iter().zip(b).map(order).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Of rows that follow each other: those that differ from the one before, for each row the number of its run, and how
/// long the runs are.
async fn runs<B: Backend>(rows: &Tensor<B>) -> Result<(Tensor<B>, Tensor<B>, Tensor<B>)> {
    let n = rows.shape()[0];
    let start = Tensor::full(n.min(1), true, rows.backend())?;
    let changes = match n.checked_sub(1) {
        Some(rest) => rows.narrow(0, 1, rest)?.ne(&rows.narrow(0, 0, rest)?)?.any(1)?,
        None => start.clone(),
    };
    let starts = Tensor::cat(&[&start, &changes], 0)?;
    let groups = (starts.to(DType::I64)?.cumsum(0)? - 1)?;
    let first = starts.places_async().await?;
    let end = Tensor::full(n.min(1), n as i64, rows.backend())?;
    let ends = Tensor::cat(&[&first, &end], 0)?.narrow(0, n.min(1), first.numel())?;
    let values = Tensor::one(Op::IndexSelect { x: rows, index: &first, axis: 0 })?;
    Ok((values, groups, (ends - &first)?))
}
