//! Lengths and distances.
use crate::{Backend, Dims, Error, Result, Tensor, keepdim};

/// Options of [`Tensor::normalize`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormalizeOptions {
    /// Which norm.
    pub p: f64,
    /// Along which dim.
    pub dim: isize,
    /// The least that is divided by.
    pub eps: f64,
}

impl Default for NormalizeOptions {
    fn default() -> Self {
        Self { p: 2., dim: 1, eps: 1e-12 }
    }
}

/// Options of [`Tensor::cosine_similarity`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CosineSimilarityOptions {
    /// Along which dim.
    pub dim: isize,
    /// The least length that is divided by.
    pub eps: f64,
}

impl Default for CosineSimilarityOptions {
    fn default() -> Self {
        Self { dim: 1, eps: 1e-8 }
    }
}

/// Options of [`Tensor::pairwise_distance`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairwiseDistanceOptions {
    /// Which norm.
    pub p: f64,
    /// Added to each difference.
    pub eps: f64,
    /// Whether the last dim stays, with size one.
    pub keepdim: bool,
}

impl Default for PairwiseDistanceOptions {
    fn default() -> Self {
        Self { p: 2., eps: 1e-6, keepdim: false }
    }
}

impl<B: Backend> Tensor<B> {
    /// `x / max(‖x‖ₚ, eps)` along a dim.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html>
    ///
    /// ```
    /// use firesteel::{NormalizeOptions, prelude::*};
    /// let x = Tensor::new([[3.0, 4.0]], &Cpu::default())?;
    /// let y = x.normalize(NormalizeOptions::default())?.to_vec::<f32>()?;
    /// assert!((y[0] - 0.6).abs() < 1e-6 && (y[1] - 0.8).abs() < 1e-6);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn normalize(&self, options: NormalizeOptions) -> Result<Self> {
        let NormalizeOptions { p, dim, eps } = options;
        let norm = self.norm(p, keepdim(dim)).map_err(|e| e.within("normalize"))?;
        let length = norm.lazy();
        (self.lazy() / length.lt(eps).where_(eps, length)).eval_as("normalize")
    }

    /// `x · y / (max(‖x‖, eps) max(‖y‖, eps))` along a dim.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_similarity.html>
    ///
    /// ```
    /// use firesteel::{CosineSimilarityOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([[3.0, 4.0]], &cpu)?, Tensor::new([[0.0, 2.0]], &cpu)?);
    /// let y = x.cosine_similarity(&y, CosineSimilarityOptions::default())?.to_vec::<f32>()?;
    /// assert!((y[0] - 0.8).abs() < 1e-6);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cosine_similarity(&self, other: &Self, options: CosineSimilarityOptions) -> Result<Self> {
        let CosineSimilarityOptions { dim, eps } = options;
        let (x, y) = self.to_float()?.meet(other.to_float()?.into(), |dtype| dtype)?;
        let unit = |t: &Self| {
            let length = t.norm(2., keepdim(dim)).map_err(|e| e.within("cosine_similarity"))?;
            // the least length changes the value, and the gradient is still that of the length
            let missing = (eps - length.detach().lazy()).relu().eval_as("cosine_similarity")?;
            t / (length + missing)?
        };
        (unit(&x)? * unit(&y)?)?.sum(if x.rank() == 0 { Dims::from(..) } else { Dims::from(dim) })
    }

    /// `‖x - y + eps‖ₚ` along the last dim.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pairwise_distance.html>
    ///
    /// ```
    /// use firesteel::{PairwiseDistanceOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([3.0, 4.0], &cpu)?, Tensor::new([0.0, 0.0], &cpu)?);
    /// let options = PairwiseDistanceOptions { eps: 0.0, ..Default::default() };
    /// assert_eq!(x.pairwise_distance(&y, options)?.item::<f32>()?, 5.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn pairwise_distance(&self, other: &Self, options: PairwiseDistanceOptions) -> Result<Self> {
        let PairwiseDistanceOptions { p, eps, keepdim } = options;
        let difference = (self.lazy() - other + eps).eval_as("pairwise_distance")?;
        difference.norm(p, Dims { keepdim, ..Dims::from(-1) }).map_err(|e| e.within("pairwise_distance"))
    }

    /// The `p`-norm of each pair of rows of `(n, d)`: `n (n - 1) / 2` distances, of rows 0 and 1, 0 and 2, ..
    /// (PyTorch's default `p` is 2).
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pdist.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]], &Cpu::default())?;
    /// assert_eq!(x.pdist(1.0)?.to_vec::<f32>()?, [7., 1., 6.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn pdist(&self, p: f64) -> Result<Self> {
        let [n, _] = self.shape()[..] else {
            return Err(Error::shape("pdist", format!("needs (n, d), not {}", self.shape())));
        };
        if p.is_nan() || p < 0. {
            return Err(Error::value("pdist", format!("p has to be 0 or more, not {p}")));
        }
        let pairs = || (0..n as i64).flat_map(|i| (i + 1..n as i64).map(move |j| (i, j)));
        let first = self.pick(0, pairs().map(|(i, _)| i).collect())?;
        let second = self.pick(0, pairs().map(|(_, j)| j).collect())?;
        (first - second)?.norm(p, 1).map_err(|e| e.within("pdist"))
    }
}
