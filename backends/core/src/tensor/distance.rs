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
    /// The `p`-norm of the difference of each row of `(.., n, d)` from each row of another `(.., m, d)`: `(.., n, m)`; leading
    /// dims broadcast (PyTorch's default `p` is 2). Of many rows, Euclid's distances come from a product of matrices, as in
    /// PyTorch: `|x|² + |y|² - 2 x · y`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.cdist.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([[0.0, 0.0], [3.0, 4.0]], &cpu)?, Tensor::new([[3.0, 4.0]], &cpu)?);
    /// assert_eq!(x.cdist(&y, 2.0)?.to_vec::<f32>()?, [5., 0.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cdist(&self, other: &Self, p: f64) -> Result<Self> {
        let op = "cdist";
        let ([.., n, d], [.., m, e]) = (&self.shape()[..], &other.shape()[..]) else {
            let why = format!("needs (.., n, d) and (.., m, d), not {} and {}", self.shape(), other.shape());
            return Err(Error::shape(op, why));
        };
        if d != e {
            let why = format!("the rows of {} and {} differ in size", self.shape(), other.shape());
            return Err(Error::shape(op, why));
        }
        if p.is_nan() || p < 0. {
            return Err(Error::value(op, format!("p has to be 0 or more, not {p}")));
        }
        if p == 2. && (*n > 25 || *m > 25) {
            let (x, y) = (self.square()?.sum(keepdim(-1))?, other.square()?.sum(keepdim(-1))?);
            let product = self.matmul(&other.mt()?)?;
            let squares = (x.lazy() + y.mt()? - 2 * product.lazy()).maximum(0).eval_as(op)?;
            return squares.flat_root();
        }
        self.unsqueeze(-2)?.sub(other.unsqueeze(-3)?)?.norm(p, -1).map_err(|e| e.within(op))
    }

    /// A copy in which the slices along a dim whose `p`-norm is more than `maxnorm` have it.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.renorm.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[3.0, 4.0], [0.3, 0.4]], &Cpu::default())?;
    /// let y = x.renorm(2.0, 0, 1.0)?;
    /// assert!(y.allclose(&Tensor::new([[0.6, 0.8], [0.3, 0.4]], &Cpu::default())?, Default::default())?);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn renorm(&self, p: f64, dim: isize, maxnorm: f64) -> Result<Self> {
        let op = "renorm";
        if self.rank() < 2 {
            return Err(Error::shape(op, format!("needs two dims or more, not {}", self.shape())));
        }
        if !(p > 0. && maxnorm >= 0.) {
            let why = format!("p {p} has to be more than 0, and maxnorm {maxnorm} not negative");
            return Err(Error::value(op, why));
        }
        let axis = self.axis(op, dim)?;
        let others: Vec<usize> = (0..self.rank()).filter(|&other| other != axis).collect();
        let norm = self.norm(p, keepdim(others)).map_err(|e| e.within(op))?;
        let (x, norm) = (self.lazy(), norm.lazy());
        (x * norm.gt(maxnorm).where_(maxnorm / (&norm + 1e-7), 1.)).eval_as(op)
    }
}
