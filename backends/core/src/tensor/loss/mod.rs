//! Losses of a prediction and a target of the same shape. Those of classes are in `classes`.
mod options;

pub use options::{
    BinaryCrossEntropyOptions, BinaryCrossEntropyWithLogitsOptions, GaussianNllLossOptions,
    HingeEmbeddingLossOptions, HuberLossOptions, KlDivOptions, MarginLossOptions, PoissonNllLossOptions,
    SmoothL1LossOptions, TripletMarginLossOptions,
};

use super::activation::{hinge, softplus};
use crate::{Backend, Error, Expr, PairwiseDistanceOptions, Result, Tensor};

/// What becomes of the losses of single elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Their mean.
    #[default]
    Mean,
    /// Their sum.
    Sum,
    /// Their sum divided by the size of the first dim: what `kl_div` is by its definition.
    BatchMean,
    /// They stay as they are.
    None,
}

impl Reduction {
    /// Reduces the losses of single elements.
    #[track_caller]
    pub(crate) fn apply<B: Backend>(self, losses: Tensor<B>) -> Result<Tensor<B>> {
        match self {
            Reduction::Mean => losses.mean(..),
            Reduction::Sum => losses.sum(..),
            Reduction::BatchMean => losses.sum(..)? / losses.shape().first().copied().unwrap_or(1) as f64,
            Reduction::None => Ok(losses),
        }
    }

    /// Evaluates a formula of real numbers, and reduces it.
    #[track_caller]
    fn of<B: Backend>(self, op: &'static str, losses: Expr<B>) -> Result<Tensor<B>> {
        self.apply(losses.eval_as(op)?.to_float()?)
    }
}

impl<B: Backend> Tensor<B> {
    /// `|x - y|`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html>
    ///
    /// ```
    /// use firesteel::{Reduction, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([1.0, 2.0], &cpu)?, Tensor::new([2.0, 5.0], &cpu)?);
    /// assert_eq!(x.l1_loss(&y, Reduction::Mean)?.item::<f32>()?, 2.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn l1_loss(&self, target: &Self, reduction: Reduction) -> Result<Self> {
        reduction.of("l1_loss", (self.lazy() - target).abs())
    }

    /// `(x - y)²`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html>
    ///
    /// ```
    /// use firesteel::{Reduction, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([1.0, 2.0], &cpu)?, Tensor::new([2.0, 5.0], &cpu)?);
    /// assert_eq!(x.mse_loss(&y, Reduction::Mean)?.item::<f32>()?, 5.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn mse_loss(&self, target: &Self, reduction: Reduction) -> Result<Self> {
        reduction.of("mse_loss", (self.lazy() - target).square())
    }

    /// `d² / 2` of a difference `d` up to `delta`, and `delta (|d| - delta / 2)` beyond.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.huber_loss.html>
    ///
    /// ```
    /// use firesteel::{HuberLossOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([1.0, 5.0], &cpu)?, Tensor::new([0.0, 0.0], &cpu)?);
    /// assert_eq!(x.huber_loss(&y, HuberLossOptions::default())?.item::<f32>()?, 2.5);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn huber_loss(&self, target: &Self, options: HuberLossOptions) -> Result<Self> {
        let HuberLossOptions { delta, reduction } = options;
        if delta.is_nan() || delta <= 0. {
            return Err(Error::value("huber_loss", format!("delta has to be positive, not {delta}")));
        }
        let d = self.lazy() - target;
        let line = (d.abs() - 0.5 * delta) * delta;
        reduction.of("huber_loss", d.abs().le(delta).where_(d.square() * 0.5, line))
    }

    /// `d² / (2 beta)` of a difference `d` below `beta`, and `|d| - beta / 2` beyond.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.smooth_l1_loss.html>
    ///
    /// ```
    /// use firesteel::{SmoothL1LossOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([1.0, 5.0], &cpu)?, Tensor::new([0.0, 0.0], &cpu)?);
    /// assert_eq!(x.smooth_l1_loss(&y, SmoothL1LossOptions::default())?.item::<f32>()?, 2.5);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn smooth_l1_loss(&self, target: &Self, options: SmoothL1LossOptions) -> Result<Self> {
        let SmoothL1LossOptions { beta, reduction } = options;
        if beta.is_nan() || beta < 0. {
            return Err(Error::value("smooth_l1_loss", format!("beta has to be 0 or more, not {beta}")));
        }
        if beta == 0. {
            return self.l1_loss(target, reduction);
        }
        let d = self.lazy() - target;
        let line = d.abs() - 0.5 * beta;
        reduction.of("smooth_l1_loss", d.abs().lt(beta).where_(d.square() * (0.5 / beta), line))
    }

    /// `ln (1 + e^(-y x))`, with a target `y` of 1 and -1.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.soft_margin_loss.html>
    ///
    /// ```
    /// use firesteel::{Reduction, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([0.0, -1000.0], &cpu)?, Tensor::new([1.0, 1.0], &cpu)?);
    /// assert_eq!(x.soft_margin_loss(&y, Reduction::None)?.to_vec::<f32>()?, [2f32.ln(), 1000.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn soft_margin_loss(&self, target: &Self, reduction: Reduction) -> Result<Self> {
        let product = self.lazy() * target;
        reduction.of("soft_margin_loss", softplus(&product.neg()))
    }
}

// ---- of probabilities
impl<B: Backend> Tensor<B> {
    /// `-(y ln x + (1 - y) ln (1 - x))` of probabilities `x`, with logarithms of -100 or more.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html>
    ///
    /// ```
    /// use firesteel::{BinaryCrossEntropyOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([0.5, 0.0], &cpu)?, Tensor::new([1.0, 1.0], &cpu)?);
    /// let loss = x.binary_cross_entropy(&y, BinaryCrossEntropyOptions::default())?.item::<f32>()?;
    /// assert!((loss - (0.693147 + 100.) / 2.).abs() < 1e-4);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn binary_cross_entropy(&self, target: &Self, options: BinaryCrossEntropyOptions<B>) -> Result<Self> {
        same_shape("binary_cross_entropy", self, target)?;
        let (x, y) = (self.lazy(), target.lazy());
        // what is too small for -100 is kept from an infinite slope
        let log = |x: Expr<B>| {
            let none = x.abs().le((-100f64).exp());
            none.where_(-100.0, none.where_(1.0, x).log())
        };
        let loss = -(y.clone() * log(x.clone()) + (1.0 - y) * log(1.0 - x));
        options.reduction.of("binary_cross_entropy", weighted(loss, options.weight))
    }

    /// [`binary_cross_entropy`](Self::binary_cross_entropy) of `sigmoid(x)`, without overflow.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html>
    ///
    /// ```
    /// use firesteel::{BinaryCrossEntropyWithLogitsOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([0.0, 1000.0], &cpu)?, Tensor::new([1.0, 0.0], &cpu)?);
    /// let loss = x.binary_cross_entropy_with_logits(&y, BinaryCrossEntropyWithLogitsOptions::default())?;
    /// assert!((loss.item::<f32>()? - 500.34657).abs() < 1e-3);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn binary_cross_entropy_with_logits(
        &self,
        target: &Self,
        options: BinaryCrossEntropyWithLogitsOptions<B>,
    ) -> Result<Self> {
        same_shape("binary_cross_entropy_with_logits", self, target)?;
        let (x, y) = (self.lazy(), target.lazy());
        let mut wrong = softplus(&x.neg());
        if let Some(positive) = options.pos_weight {
            wrong = ((positive.lazy() - 1.0) * y.clone() + 1.0) * wrong;
        }
        options
            .reduction
            .of("binary_cross_entropy_with_logits", weighted((1.0 - y) * x + wrong, options.weight))
    }

    /// `y (ln y - x)` of log-probabilities `x` and a target `y` of probabilities or, with `log_target`, of
    /// their logarithms. [`Reduction::BatchMean`] makes it the Kullback-Leibler divergence.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html>
    ///
    /// ```
    /// use firesteel::{KlDivOptions, Reduction, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([[0.5, 0.5]], &cpu)?.log()?, Tensor::new([[1.0, 0.0]], &cpu)?);
    /// let options = KlDivOptions { reduction: Reduction::BatchMean, ..Default::default() };
    /// assert!((x.kl_div(&y, options)?.item::<f32>()? - 2f32.ln()).abs() < 1e-6);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn kl_div(&self, target: &Self, options: KlDivOptions) -> Result<Self> {
        let (x, y) = (self.lazy(), target.lazy());
        options.reduction.of(
            "kl_div",
            if options.log_target {
                y.exp() * (y - x)
            } else {
                y.clone() * y.eq(0.0).where_(1.0, y.clone()).log() - y * x
            },
        )
    }

    /// `eˣ - y x`, the negative log-likelihood of counts `y` by a Poisson distribution of rate `eˣ`; without
    /// `log_input`, `x - y ln (x + eps)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.poisson_nll_loss.html>
    ///
    /// ```
    /// use firesteel::{PoissonNllLossOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([0.0], &cpu)?, Tensor::new([2.0], &cpu)?);
    /// assert_eq!(x.poisson_nll_loss(&y, PoissonNllLossOptions::default())?.item::<f32>()?, 1.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn poisson_nll_loss(&self, target: &Self, options: PoissonNllLossOptions) -> Result<Self> {
        let PoissonNllLossOptions { log_input, full, eps, reduction } = options;
        let (x, y) = (self.lazy(), target.lazy());
        let mut loss =
            if log_input { x.exp() - y.clone() * x } else { x.clone() - y.clone() * (x + eps).log() };
        if full {
            // ln y! ≈ y ln y - y + ln (2π y) / 2, for y above 1
            let small = y.le(1.0);
            let y = small.where_(1.0, y);
            let stirling = y.clone() * y.log() - y.clone() + (y * std::f64::consts::TAU).log() * 0.5;
            loss = loss + small.where_(0.0, stirling);
        }
        reduction.of("poisson_nll_loss", loss)
    }

    /// `(ln v + (x - y)² / v) / 2`, the negative log-likelihood of `y` by a normal distribution of mean `x` and
    /// variance `v`, at least `eps`. The variance may lack the last dim or have it with size one.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gaussian_nll_loss.html>
    ///
    /// ```
    /// use firesteel::{GaussianNllLossOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let [x, y, v] = [3.0, 1.0, 1.0].map(|n| Tensor::new([n], &cpu));
    /// assert_eq!(x?.gaussian_nll_loss(&y?, &v?, GaussianNllLossOptions::default())?.item::<f32>()?, 2.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn gaussian_nll_loss(
        &self,
        target: &Self,
        var: &Self,
        options: GaussianNllLossOptions,
    ) -> Result<Self> {
        let GaussianNllLossOptions { full, eps, reduction } = options;
        if eps.is_nan() || eps <= 0. {
            return Err(Error::value("gaussian_nll_loss", format!("eps has to be positive, not {eps}")));
        }
        let rows = self.rank().saturating_sub(1);
        let var = match var.rank() + 1 == self.rank() && var.shape()[..] == self.shape()[..rows] {
            true => var.unsqueeze(-1)?,
            false => var.clone(),
        };
        // the least variance changes the value, and the gradient is still that of the variance
        let missing = (eps - var.detach().lazy()).relu().eval_as("gaussian_nll_loss")?;
        let v = var.lazy() + missing;
        let mut loss = (v.log() + (self.lazy() - target).square() / v) * 0.5;
        if full {
            loss = loss + 0.5 * std::f64::consts::TAU.ln();
        }
        reduction.of("gaussian_nll_loss", loss)
    }
}

// ---- of distances
impl<B: Backend> Tensor<B> {
    /// `x` where the target is 1, `max(0, margin - x)` where it is -1.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hinge_embedding_loss.html>
    ///
    /// ```
    /// use firesteel::{HingeEmbeddingLossOptions, Reduction, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([3.0, 0.5], &cpu)?, Tensor::new([1.0, -1.0], &cpu)?);
    /// let options = HingeEmbeddingLossOptions { reduction: Reduction::None, ..Default::default() };
    /// assert_eq!(x.hinge_embedding_loss(&y, options)?.to_vec::<f32>()?, [3., 0.5]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn hinge_embedding_loss(&self, target: &Self, options: HingeEmbeddingLossOptions) -> Result<Self> {
        let (x, y) = (self.lazy(), target.lazy());
        let apart = y.ne(1).where_(hinge(options.margin - x.clone()), 0.0);
        options.reduction.of("hinge_embedding_loss", apart + y.ne(-1).where_(x, 0.0))
    }

    /// `max(0, margin - y (x₁ - x₂))`: a target `y` of 1 wants the first larger, of -1 the second.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.margin_ranking_loss.html>
    ///
    /// ```
    /// use firesteel::{MarginLossOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let [a, b, y] = [1.0, 4.0, 1.0].map(|n| Tensor::new([n], &cpu));
    /// assert_eq!(a?.margin_ranking_loss(&b?, &y?, MarginLossOptions::default())?.item::<f32>()?, 3.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn margin_ranking_loss(
        &self,
        other: &Self,
        target: &Self,
        options: MarginLossOptions,
    ) -> Result<Self> {
        let difference = self.lazy() - other;
        options.reduction.of("margin_ranking_loss", hinge(target.lazy().neg() * difference + options.margin))
    }

    /// `1 - cos(x₁, x₂)` where the target is 1, `max(0, cos(x₁, x₂) - margin)` where it is -1: of rows
    /// `(batch, features)` and a target `(batch)`, or one row and a number.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_embedding_loss.html>
    ///
    /// ```
    /// use firesteel::{MarginLossOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (a, b) = (Tensor::new([[1.0, 0.0]], &cpu)?, Tensor::new([[0.0, 2.0]], &cpu)?);
    /// let y = Tensor::new([1.0], &cpu)?;
    /// assert_eq!(a.cosine_embedding_loss(&b, &y, MarginLossOptions::default())?.item::<f32>()?, 1.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cosine_embedding_loss(
        &self,
        other: &Self,
        target: &Self,
        options: MarginLossOptions,
    ) -> Result<Self> {
        if ![(1, 0), (2, 1)].contains(&(self.rank(), target.rank())) || self.rank() != other.rank() {
            let (x, z, y) = (self.shape(), other.shape(), target.shape());
            let why = format!("needs rows (n, d), (n, d) and (n), or (d), (d) and (), not {x}, {z} and {y}");
            return Err(Error::shape("cosine_embedding_loss", why));
        }
        const TINY: f64 = 1e-12;
        let (x, z) = self.to_float()?.meet(other.to_float()?.into(), |dtype| dtype)?;
        let dot = |a: &Self, b: &Self| (a * b)?.sum(-1);
        let (xz, xx, zz) = (dot(&x, &z)?, dot(&x, &x)?, dot(&z, &z)?);
        let cos = xz.lazy() / ((xx.lazy() + TINY) * (zz.lazy() + TINY)).sqrt();
        let y = target.to_float()?.lazy();
        let alike = y.eq(1.0).where_(1.0 - cos.clone(), 0.0);
        options
            .reduction
            .of("cosine_embedding_loss", alike + y.eq(-1.0).where_(hinge(cos - options.margin), 0.0))
    }

    /// `max(0, d(a, p) - d(a, n) + margin)` for this anchor `a`, a positive `p` and a negative `n`, with the
    /// distance `d` of their last dim.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_loss.html>
    ///
    /// ```
    /// use firesteel::{TripletMarginLossOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let [a, p, n] = [0.0, 3.0, 1.0].map(|x| Tensor::new([[x]], &cpu));
    /// let loss = a?.triplet_margin_loss(&p?, &n?, TripletMarginLossOptions::default())?;
    /// assert!((loss.item::<f32>()? - 3.).abs() < 1e-5);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn triplet_margin_loss(
        &self,
        positive: &Self,
        negative: &Self,
        options: TripletMarginLossOptions,
    ) -> Result<Self> {
        let TripletMarginLossOptions { p, eps, .. } = options;
        let distance = PairwiseDistanceOptions { p, eps, keepdim: false };
        self.triplet_margin_with_distance_loss(positive, negative, options, |a, b| {
            a.pairwise_distance(b, distance)
        })
    }

    /// [`triplet_margin_loss`](Self::triplet_margin_loss) with any distance; `p` and `eps` of the options do
    /// not count.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_with_distance_loss.html>
    ///
    /// ```
    /// use firesteel::{TripletMarginLossOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let [a, p, n] = [0.0, 3.0, 1.0].map(|x| Tensor::new([x], &cpu));
    /// let options = TripletMarginLossOptions::default();
    /// let loss = a?.triplet_margin_with_distance_loss(&p?, &n?, options, |a, b| (a - b)?.abs())?;
    /// assert_eq!(loss.item::<f32>()?, 3.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn triplet_margin_with_distance_loss(
        &self,
        positive: &Self,
        negative: &Self,
        options: TripletMarginLossOptions,
        distance: impl Fn(&Self, &Self) -> Result<Self>,
    ) -> Result<Self> {
        let near = distance(self, positive)?;
        let mut far = distance(self, negative)?;
        if options.swap {
            far = far.minimum(distance(positive, negative)?)?;
        }
        options.reduction.of("triplet_margin_with_distance_loss", hinge(near.lazy() - far + options.margin))
    }
}

/// Times the weight, where there is one.
pub(crate) fn weighted<B: Backend>(loss: Expr<B>, weight: Option<&Tensor<B>>) -> Expr<B> {
    match weight {
        Some(weight) => loss * weight,
        None => loss,
    }
}

/// Where PyTorch does not broadcast.
#[track_caller]
pub(crate) fn same_shape<B: Backend>(op: &'static str, x: &Tensor<B>, target: &Tensor<B>) -> Result<()> {
    if x.shape() == target.shape() {
        return Ok(());
    }
    Err(Error::shape(op, format!("the target {} has to be {}", target.shape(), x.shape())))
}
