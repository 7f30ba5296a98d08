//! How variables go together.
use crate::{Backend, DType, Error, Result, Tensor, keepdim};

/// Options of [`Tensor::cov`].
#[derive(Clone, Copy, Debug)]
pub struct CovOptions<'a, B: Backend> {
    /// What the number of observations is lowered by: 1, unless said otherwise.
    pub correction: f64,
    /// How often each observation was made, in whole numbers.
    pub fweights: Option<&'a Tensor<B>>,
    /// How much each observation counts.
    pub aweights: Option<&'a Tensor<B>>,
}

impl<B: Backend> Default for CovOptions<'_, B> {
    fn default() -> Self {
        Self { correction: 1., fweights: None, aweights: None }
    }
}

impl<B: Backend> Tensor<B> {
    /// The covariances of variables: rows of `(variables, observations)`, or the one of a vector of observations. Whole
    /// numbers are cast to F32 first.
    /// [`torch.cov`](https://docs.pytorch.org/docs/stable/generated/torch.cov.html)
    ///
    /// ```
    /// use firesteel::{CovOptions, prelude::*};
    /// let x = Tensor::new([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]], &Cpu::default())?;
    /// assert_eq!(x.cov(CovOptions::default())?.to_vec::<f32>()?, [1., -1., -1., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cov(&self, options: CovOptions<'_, B>) -> Result<Self> {
        let op = "cov";
        if self.rank() > 2 {
            let why = format!("needs (variables, observations), not {}", self.shape());
            return Err(Error::shape(op, why));
        }
        let x = self.to_float()?;
        let x = if x.rank() < 2 { x.reshape([1, x.numel()])? } else { x };
        let n = x.shape()[1];
        let CovOptions { correction, fweights, aweights } = options;
        for weights in fweights.iter().chain(&aweights) {
            if *weights.shape() != [n] {
                let why = format!("weights of {n} observations cannot be {}", weights.shape());
                return Err(Error::shape(op, why));
            }
        }
        if let Some(counts) = fweights.filter(|w| !w.dtype().is_integer()) {
            let why = format!("fweights count, in whole numbers, not {}", counts.dtype());
            return Err(Error::dtype(op, why));
        }
        let real = |weights: &Self| weights.to(x.dtype());
        let (counts, aweights) = (fweights.map(real).transpose()?, aweights.map(real).transpose()?);
        let weights = match (counts, &aweights) {
            (Some(counts), Some(weights)) => Some(counts.mul(weights)?),
            (counts, weights) => counts.or_else(|| weights.clone()),
        };
        // what is divided by: the sum of the weights, lowered
        let (mean, divisor) = match &weights {
            None => (x.mean(keepdim(1))?, x.new_full((), n as f64 - correction)?),
            Some(weights) => {
                let sum = weights.sum(..)?;
                let mean = x.mul(weights)?.sum(keepdim(1))?.div(&sum)?;
                let lowered = match &aweights {
                    Some(importance) if correction != 0. => {
                        weights.mul(importance)?.sum(..)?.mul(correction)?.div(&sum)?
                    }
                    _ => x.new_full((), correction)?,
                };
                (mean, sum.sub(lowered)?)
            }
        };
        let gap = x.sub(mean)?;
        let weighted = weights.map_or(Ok(gap.clone()), |weights| gap.mul(weights))?;
        gap.matmul(&weighted.mt()?)?.div(divisor.clamp_min(0)?)?.squeeze(..)
    }

    /// Pearson's correlations of variables, in `[-1, 1]`: [`cov`](Self::cov), divided by both deviations.
    /// [`torch.corrcoef`](https://docs.pytorch.org/docs/stable/generated/torch.corrcoef.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[0.0, 1.0, 2.0], [4.0, 2.0, 0.0]], &Cpu::default())?;
    /// assert_eq!(x.corrcoef()?.to_vec::<f32>()?, [1., -1., -1., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn corrcoef(&self) -> Result<Self> {
        let cov = self.cov(CovOptions::default()).map_err(|e| e.within("corrcoef"))?;
        if cov.rank() == 0 {
            return cov.div(&cov);
        }
        let deviation = cov.diagonal(0, 0, 1)?.sqrt()?;
        cov.div(deviation.unsqueeze(1)?)?.div(deviation)?.clamp(-1, 1)
    }

    /// What is most frequent along a dim, the smallest of several, and the I64 index of the last that is.
    /// [`torch.mode`](https://docs.pytorch.org/docs/stable/generated/torch.mode.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([2, 3, 1, 3], &Cpu::default())?;
    /// let (values, indices) = x.mode(-1)?;
    /// assert_eq!((values.item::<i64>()?, indices.item::<i64>()?), (3, 3));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn mode(&self, dim: impl Into<crate::Dims>) -> Result<(Self, Self)> {
        self.choose("mode", dim.into(), |x, axis| {
            let (len, dim) = (x.shape()[axis], axis as isize);
            if len == 0 {
                return Err(Error::shape(
                    "mode",
                    format!("there is none among no elements, in {}", x.shape()),
                ));
            }
            let (values, order) = x.sort(dim, crate::Order::Ascending)?;
            let values = if values.dtype() == DType::Bool { values.to(DType::U8)? } else { values };
            // how many equals stand in order up to each: from where their run starts
            let starts = values.narrow(dim, 1, len - 1)?.ne(&values.narrow(dim, 0, len - 1)?)?;
            let first = Self::full(x.shape().with(axis, 1), true, x.backend())?;
            let starts = Self::cat(&[&first, &starts], dim)?;
            let place = Self::arange(0..len, x.backend())?
                .shaped(crate::Shape::from(len).aligned(x.rank() - axis))?
                .broadcast_to(x.shape())?;
            let (start, _) = starts.where_(&place, 0)?.cummax(dim)?;
            let longest = place.sub(start)?.argmax(keepdim(dim))?;
            order.gather(dim, &longest)
        })
    }
}
