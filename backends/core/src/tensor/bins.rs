//! Counted: how many elements lie where.
use crate::{Backend, DType, Error, Expr, Result, Shape, Tensor, block_on};
use std::panic::Location;

/// Where the bins of [`Tensor::histogram`] are.
#[derive(Clone, Copy)]
pub enum Bins<'a, B: Backend> {
    /// So many, equally wide.
    Count(usize),
    /// Between these, in ascending order.
    Edges(&'a Tensor<B>),
}

impl<B: Backend> From<usize> for Bins<'_, B> {
    fn from(count: usize) -> Self {
        Bins::Count(count)
    }
}

impl<'a, B: Backend> From<&'a Tensor<B>> for Bins<'a, B> {
    fn from(edges: &'a Tensor<B>) -> Self {
        Bins::Edges(edges)
    }
}

/// Options of [`Tensor::histogram`].
#[derive(Clone, Copy, Debug)]
pub struct HistogramOptions<'a, B: Backend> {
    /// From where to where bins of equal width go: unless it is set, from the smallest element to the largest.
    pub range: Option<(f64, f64)>,
    /// How much each element counts: 1, unless it is set.
    pub weight: Option<&'a Tensor<B>>,
    /// Whether the bins' areas add up to 1.
    pub density: bool,
}

impl<B: Backend> Default for HistogramOptions<'_, B> {
    fn default() -> Self {
        Self { range: None, weight: None, density: false }
    }
}

impl<B: Backend> Tensor<B> {
    /// How many elements lie in each of `bins` equal parts of `[min, max]`, in the dtype of this tensor; from the smallest
    /// to the largest where `min` and `max` are the same. What lies outside does not count.
    /// [`torch.histc`](https://docs.pytorch.org/docs/stable/generated/torch.histc.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, 2.0, 1.0], &Cpu::default())?;
    /// assert_eq!(x.histc(4, 0.0, 3.0)?.to_vec::<f32>()?, [0., 2., 1., 0.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn histc(&self, bins: usize, min: f64, max: f64) -> Result<Self> {
        let range = (min != max).then_some((min, max));
        let options = HistogramOptions { range, ..Default::default() };
        Ok(self.counted("histc", bins.into(), options)?.0)
    }

    /// How many elements lie in each bin, and the edges of the bins, both in the dtype of this tensor. Each bin has its left
    /// edge, and the last has both. What lies outside does not count.
    /// [`torch.histogram`](https://docs.pytorch.org/docs/stable/generated/torch.histogram.html)
    ///
    /// ```
    /// use firesteel::{HistogramOptions, prelude::*};
    /// let x = Tensor::new([1.0, 2.0, 1.0], &Cpu::default())?;
    /// let options = HistogramOptions { range: Some((0., 3.)), ..Default::default() };
    /// let (counts, edges) = x.histogram(3, options)?;
    /// assert_eq!(counts.to_vec::<f32>()?, [0., 2., 1.]);
    /// assert_eq!(edges.to_vec::<f32>()?, [0., 1., 2., 3.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn histogram<'a>(
        &self,
        bins: impl Into<Bins<'a, B>>,
        options: HistogramOptions<'_, B>,
    ) -> Result<(Self, Self)> {
        self.counted("histogram", bins.into(), options)
    }

    #[track_caller]
    fn counted(
        &self,
        op: &'static str,
        bins: Bins<'_, B>,
        options: HistogramOptions<'_, B>,
    ) -> Result<(Self, Self)> {
        if !self.dtype().is_float() {
            let why = format!("needs real numbers, not {}: cast with `.float()`", self.dtype());
            return Err(Error::dtype(op, why));
        }
        let x = self.detach().ravel()?;
        let edges = match bins {
            Bins::Count(0) => return Err(Error::value(op, "needs one bin or more")),
            Bins::Count(bins) => x.edges(op, bins, options.range)?,
            Bins::Edges(edges) if edges.rank() == 1 && edges.numel() > 1 && edges.dtype() == x.dtype() => {
                edges.detach()
            }
            Bins::Edges(edges) => {
                let why = format!("edges are two or more in a vector of {}, not {}", x.dtype(), edges.meta());
                return Err(Error::shape(op, why));
            }
        };
        let weight = match options.weight {
            Some(weight) if weight.shape() == self.shape() => weight.detach().to(x.dtype())?.ravel()?,
            Some(weight) => {
                let why = format!("weights {} of elements {} differ in shape", weight.shape(), self.shape());
                return Err(Error::shape(op, why));
            }
            None => x.ones_like()?,
        };
        let bins = edges.numel() - 1;
        // the number of edges that are no larger; one bin more on either side takes what lies outside
        let after = edges.searchsorted(&x, crate::SearchOptions { right: true, ..Default::default() })?;
        let last = x.eq(edges.narrow(0, bins, 1)?)?;
        let place = last.where_(bins as i64, after)?;
        let counts = x.new_zeros(bins + 2)?.scatter_add(0, &place, &weight)?.narrow(0, 1, bins)?;
        if !options.density {
            return Ok((counts, edges));
        }
        let widths = edges.narrow(0, 1, bins)?.sub(&edges.narrow(0, 0, bins)?)?;
        Ok(((counts.lazy() / counts.sum(..)? / widths).eval_as(op)?, edges))
    }

    /// `bins + 1` edges, evenly apart.
    #[track_caller]
    fn edges(&self, op: &'static str, bins: usize, range: Option<(f64, f64)>) -> Result<Self> {
        let (low, high): (Expr<B>, Expr<B>) = match range {
            Some((low, high)) if low <= high && (high - low).is_finite() => {
                // bins of no width count nothing
                let half = if low == high { 0.5 } else { 0. };
                ((low - half).into(), (high + half).into())
            }
            Some((low, high)) => {
                return Err(Error::value(op, format!("there are no bins from {low} to {high}")));
            }
            None if self.numel() == 0 => (0.into(), 1.into()),
            None => {
                let (low, high) = self.aminmax(..)?;
                let (same, low, high) = (&low.lazy().eq(&high), low.lazy(), high.lazy());
                let widened = if op == "histc" { 1. } else { 0.5 };
                (same.where_(low.clone() - widened, low), same.where_(high.clone() + widened, high))
            }
        };
        let place = Self::arange(0..bins.saturating_add(1), (self.dtype(), self.backend()))?;
        let part = &(place.lazy() / bins as f64);
        // from both ends, so that both are exact
        part.lt(0.5).where_(&low + (&high - &low) * part, &high - (&high - &low) * (1. - part)).eval_as(op)
    }

    /// How often each of the whole numbers `0, 1, ..` is among the elements of a vector, as I64, or what their weights add
    /// up to. There are as many counts as the largest asks for, or `minlength`. To know it, the host waits for the device.
    /// [`torch.bincount`](https://docs.pytorch.org/docs/stable/generated/torch.bincount.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 3, 1], &Cpu::default())?;
    /// assert_eq!(x.bincount(None, 0)?.to_vec::<i64>()?, [0, 2, 0, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn bincount(&self, weights: Option<&Self>, minlength: usize) -> Result<Self> {
        let here = Location::caller();
        block_on(self.bincount_async(weights, minlength)).map_err(|e| e.at(here))
    }

    /// [`bincount`](Self::bincount), waiting without blocking.
    ///
    /// ```
    /// use firesteel::{block_on, prelude::*};
    /// let x = Tensor::new([1, 1], &Cpu::default())?;
    /// assert_eq!(block_on(x.bincount_async(None, 3))?.to_vec::<i64>()?, [0, 2, 0]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    pub async fn bincount_async(&self, weights: Option<&Self>, minlength: usize) -> Result<Self> {
        let op = "bincount";
        if self.rank() != 1 || !self.dtype().is_integer() {
            return Err(Error::shape(op, format!("needs a vector of whole numbers, not {}", self.meta())));
        }
        if let Some(weights) = weights.filter(|weights| weights.shape() != self.shape()) {
            let why = format!("weights {} of elements {} differ in shape", weights.shape(), self.shape());
            return Err(Error::shape(op, why));
        }
        let weights = match weights {
            // sums of weights are real numbers, as in PyTorch
            Some(weights) if !weights.dtype().is_float() => weights.to(DType::F64)?,
            Some(weights) => weights.clone(),
            None => Self::full(self.shape(), 1, (DType::I64, self.backend()))?,
        };
        let mut len = minlength;
        if self.numel() > 0 {
            let (low, high) = self.to(DType::I64)?.aminmax(..)?;
            let (low, high) = (low.to_vec_async::<i64>().await?[0], high.to_vec_async::<i64>().await?[0]);
            if low < 0 {
                return Err(Error::value(
                    op,
                    format!("counts whole numbers from 0 on, and {low} is negative"),
                ));
            }
            len = len.max(usize::try_from(high).unwrap_or(usize::MAX).saturating_add(1));
        }
        weights.new_zeros(Shape::from(len))?.scatter_add(0, self, &weights)
    }
}
