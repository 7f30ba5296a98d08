//! Losses of a choice among classes: dim 1 of `(batch, classes, ..)`, or the only dim of `(classes)`.
use super::activation::{hinge, softplus};
use super::loss::{same_shape, weighted};
use crate::{Backend, DType, Error, Fused, Op, Reduction, Result, Scan, Scatter, Shape, Tensor};
use smallvec::smallvec;

/// Options of [`Tensor::cross_entropy`].
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropyOptions<'a, B: Backend> {
    /// A factor for each class.
    pub weight: Option<&'a Tensor<B>>,
    /// The class that does not count, where the target holds classes.
    pub ignore_index: i64,
    /// How much of the target is spread over all classes: in `[0, 1]`.
    pub label_smoothing: f64,
    /// What becomes of the losses of single examples.
    pub reduction: Reduction,
}

impl<B: Backend> Default for CrossEntropyOptions<'_, B> {
    fn default() -> Self {
        Self { weight: None, ignore_index: -100, label_smoothing: 0., reduction: Reduction::Mean }
    }
}

/// Options of [`Tensor::nll_loss`].
#[derive(Clone, Copy, Debug)]
pub struct NllLossOptions<'a, B: Backend> {
    /// A factor for each class.
    pub weight: Option<&'a Tensor<B>>,
    /// The class that does not count.
    pub ignore_index: i64,
    /// What becomes of the losses of single examples.
    pub reduction: Reduction,
}

impl<B: Backend> Default for NllLossOptions<'_, B> {
    fn default() -> Self {
        Self { weight: None, ignore_index: -100, reduction: Reduction::Mean }
    }
}

/// Options of [`Tensor::multi_margin_loss`].
#[derive(Clone, Copy, Debug)]
pub struct MultiMarginLossOptions<'a, B: Backend> {
    /// The exponent: 1 or 2.
    pub p: u32,
    /// By how much the target has to win.
    pub margin: f64,
    /// A factor for each class.
    pub weight: Option<&'a Tensor<B>>,
    /// What becomes of the losses of single examples.
    pub reduction: Reduction,
}

impl<B: Backend> Default for MultiMarginLossOptions<'_, B> {
    fn default() -> Self {
        Self { p: 1, margin: 1., weight: None, reduction: Reduction::Mean }
    }
}

/// Options of [`Tensor::multilabel_soft_margin_loss`].
#[derive(Clone, Copy, Debug)]
pub struct MultilabelSoftMarginLossOptions<'a, B: Backend> {
    /// A factor for each class.
    pub weight: Option<&'a Tensor<B>>,
    /// What becomes of the losses of single examples.
    pub reduction: Reduction,
}

impl<B: Backend> Default for MultilabelSoftMarginLossOptions<'_, B> {
    fn default() -> Self {
        Self { weight: None, reduction: Reduction::Mean }
    }
}

impl<B: Backend> Tensor<B> {
    /// `-ln softmax(x)[target]` of logits `(batch, classes, ..)` or `(classes)`. The target holds classes
    /// (whole numbers, without the dim of classes), or their probabilities (real numbers, in the shape of the
    /// logits).
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html>
    ///
    /// ```
    /// use firesteel::{CrossEntropyOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::zeros([2, 4], &cpu)?, Tensor::new([3, -100], &cpu)?);
    /// let loss = x.cross_entropy(&y, CrossEntropyOptions::default())?.item::<f32>()?;
    /// assert!((loss - 4f32.ln()).abs() < 1e-6);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cross_entropy(&self, target: &Self, options: CrossEntropyOptions<B>) -> Result<Self> {
        let CrossEntropyOptions { weight, ignore_index, label_smoothing, reduction } = options;
        if !(0. ..=1.).contains(&label_smoothing) {
            let why = format!("label_smoothing has to lie in [0, 1], not {label_smoothing}");
            return Err(Error::value("cross_entropy", why));
        }
        if target.dtype().is_float() {
            return self.cross_entropy_of_probabilities(target, options);
        }
        let rows = Rows::new("cross_entropy", self, target)?;
        if weight.is_none() && label_smoothing == 0. {
            let fused = Op::Fused(Fused::CrossEntropy { ignore_index }, smallvec![&rows.x, &rows.target]);
            let loss = Self::one(fused).map_err(|e| e.within("cross_entropy"))?;
            return rows.reduce(loss, reduction, &rows.kept(ignore_index)?);
        }
        let log = rows.x.log_softmax(1)?;
        let (loss, weights) = rows.likelihood(&log, weight, ignore_index)?;
        if label_smoothing == 0. {
            return rows.reduce(loss, reduction, &weights);
        }
        // (1 - s) of the loss of the class, and s of the mean of those of all classes
        let all = match weight {
            Some(weight) => (&log * weight.reshape(weight.shape().aligned(log.rank() - 1))?)?,
            None => log,
        };
        let all = all.sum(1)?.neg()?;
        let counts = rows.kept(ignore_index)?.to(loss.dtype())?;
        let share = label_smoothing / rows.classes() as f64;
        let smoothed = loss.lazy() * (1. - label_smoothing) + counts.ne(0.0)?.lazy().where_(all, 0.0) * share;
        rows.reduce(smoothed.eval_as("cross_entropy")?, reduction, &weights)
    }

    /// [`cross_entropy`](Self::cross_entropy) of a linear layer's logits: features `(batch, in)`, a weight
    /// `(classes, .., in)`, a bias `(classes, ..)`, and a target `(batch, ..)`; or all without `batch`.
    /// <https://docs.pytorch.org/docs/main/generated/torch.nn.functional.linear_cross_entropy.html>
    ///
    /// ```
    /// use firesteel::{CrossEntropyOptions, prelude::*};
    /// let (x, weight) = (Tensor::ones([2, 5], &Cpu)?, Tensor::zeros([4, 5], &Cpu)?);
    /// let target = Tensor::new([3, 0], &Cpu)?;
    /// let loss = x.linear_cross_entropy(&weight, None, &target, CrossEntropyOptions::default())?;
    /// assert!((loss.item::<f32>()? - 4f32.ln()).abs() < 1e-6);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn linear_cross_entropy(
        &self,
        weight: &Self,
        bias: Option<&Self>,
        target: &Self,
        options: CrossEntropyOptions<B>,
    ) -> Result<Self> {
        let ([lead @ .., _], [outside @ .., inside]) = (&self.shape()[..], &weight.shape()[..]) else {
            let why = format!(
                "needs (batch, in) and (classes, .., in), not {} and {}",
                self.shape(),
                weight.shape()
            );
            return Err(Error::shape("linear_cross_entropy", why));
        };
        let rows = outside.iter().product::<usize>();
        let bias = bias.map(|bias| bias.reshape([rows])).transpose()?;
        let logits = self.linear(&weight.reshape([rows, *inside])?, bias.as_ref())?;
        logits.reshape([lead, outside].concat())?.cross_entropy(target, options)
    }

    #[track_caller]
    fn cross_entropy_of_probabilities(&self, target: &Self, options: CrossEntropyOptions<B>) -> Result<Self> {
        let CrossEntropyOptions { weight, label_smoothing, reduction, .. } = options;
        same_shape("cross_entropy", self, target)?;
        let axis = if self.rank() > 1 { 1 } else { 0 };
        let Some(&classes) = self.shape().get(axis) else {
            return Err(Error::shape("cross_entropy", "needs a dim of classes"));
        };
        let log = self.log_softmax(axis as isize)?;
        let smooth = target.lazy() * (1. - label_smoothing) + label_smoothing / classes as f64;
        let mut losses = smooth * log;
        if let Some(weight) = weight {
            losses = losses * self.each_class("cross_entropy", weight, axis)?;
        }
        let losses = losses.eval_as("cross_entropy")?.sum(axis as isize)?.neg()?;
        // the mean is one over examples, whatever the weights are
        reduction.apply(losses)
    }

    /// `-x[target]` of log-probabilities `(batch, classes, ..)` or `(classes)`, and a target of classes.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html>
    ///
    /// ```
    /// use firesteel::{NllLossOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([[-1.0, -2.0], [-3.0, -4.0]], &cpu)?, Tensor::new([1, 0], &cpu)?);
    /// assert_eq!(x.nll_loss(&y, NllLossOptions::default())?.item::<f32>()?, 2.5);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn nll_loss(&self, target: &Self, options: NllLossOptions<B>) -> Result<Self> {
        let NllLossOptions { weight, ignore_index, reduction } = options;
        let rows = Rows::new("nll_loss", self, target)?;
        let (loss, weights) = rows.likelihood(&rows.x, weight, ignore_index)?;
        rows.reduce(loss, reduction, &weights)
    }

    /// `Σ max(0, margin - x[target] + x[j])ᵖ / classes` over all other classes `j`: of scores
    /// `(batch, classes)` or `(classes)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multi_margin_loss.html>
    ///
    /// ```
    /// use firesteel::{MultiMarginLossOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([[1.0, 3.0]], &cpu)?, Tensor::new([0], &cpu)?);
    /// assert_eq!(x.multi_margin_loss(&y, MultiMarginLossOptions::default())?.item::<f32>()?, 1.5);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn multi_margin_loss(&self, target: &Self, options: MultiMarginLossOptions<B>) -> Result<Self> {
        let MultiMarginLossOptions { p, margin, weight, reduction } = options;
        let op = "multi_margin_loss";
        if p != 1 && p != 2 {
            return Err(Error::value(op, format!("p has to be 1 or 2, not {p}")));
        }
        let x = self.matrix(op)?;
        let (n, c) = (x.shape()[0], x.shape()[1]);
        if target.numel() != n || target.rank() > 1 {
            let why =
                format!("the target {} has to hold one class for each row of {}", target.shape(), x.shape());
            return Err(Error::shape(op, why));
        }
        let index = target.reshape([n, 1])?;
        let chosen = Self::one(Op::Gather { x: &x, index: &index, axis: 1 })?;
        let lead = hinge(margin - chosen.lazy() + &x);
        let mut loss = if p == 2 { lead.square() } else { lead };
        if let Some(weight) = weight {
            let weight = x.each_class(op, weight, 1)?.reshape([c])?;
            let weight = Self::one(Op::IndexSelect { x: &weight, index: &index.reshape([n])?, axis: 0 })?;
            loss = loss * weight.unsqueeze(1)?;
        }
        let other = Self::arange(0..c, x.backend())?.ne(&index)?;
        let loss = (other.lazy().where_(loss, 0.0) / c as f64).eval_as("multi_margin_loss")?.sum(1)?;
        reduction.apply(if self.rank() < 2 { loss.reshape(())? } else { loss })
    }

    /// `Σ max(0, 1 - x[i] + x[j]) / classes` over all classes `i` of the target and `j` not of the target: of
    /// scores `(batch, classes)` or `(classes)`. A row of the target lists its classes, up to the first -1.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_margin_loss.html>
    ///
    /// ```
    /// use firesteel::{Reduction, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([[1.0, 3.0]], &cpu)?, Tensor::new([[0, -1]], &cpu)?);
    /// assert_eq!(x.multilabel_margin_loss(&y, Reduction::Mean)?.item::<f32>()?, 1.5);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn multilabel_margin_loss(&self, target: &Self, reduction: Reduction) -> Result<Self> {
        let op = "multilabel_margin_loss";
        same_shape(op, self, target)?;
        let (x, target) = (self.matrix(op)?, target.matrix(op)?.to(DType::I64)?);
        let (n, c) = (x.shape()[0], x.shape()[1]);
        // 1 up to the first -1
        let listed = Self::one(Op::Scan(Scan::Prod, &target.ge(0)?.to(DType::I64)?, 1))?;
        let index = listed.ne(0)?.where_(&target, 0)?;
        let zeros = listed.zeros_like()?;
        let counts =
            Self::one(Op::Scatter { kind: Scatter::Add, into: &zeros, index: &index, x: &listed, axis: 1 })?;
        let chosen = Self::one(Op::Gather { x: &x, index: &index, axis: 1 })?;
        let lead = hinge(1.0 - chosen.unsqueeze(2)?.lazy() + x.unsqueeze(1)?);
        let pairs = listed.ne(0)?.unsqueeze(2)?.bitwise_and(counts.eq(0)?.unsqueeze(1)?)?;
        let loss = (pairs.lazy().where_(lead, 0.0) / c as f64)
            .eval_as("multilabel_margin_loss")?
            .reshape([n, c * c])?
            .sum(1)?;
        reduction.apply(if self.rank() < 2 { loss.reshape(())? } else { loss })
    }

    /// The mean over the last dim of `-(y ln σ(x) + (1 - y) ln σ(-x))`: each class is a question of its own.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_soft_margin_loss.html>
    ///
    /// ```
    /// use firesteel::{MultilabelSoftMarginLossOptions, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::zeros([1, 2], &cpu)?, Tensor::new([[1.0, 0.0]], &cpu)?);
    /// let loss = x.multilabel_soft_margin_loss(&y, MultilabelSoftMarginLossOptions::default())?;
    /// assert!((loss.item::<f32>()? - 2f32.ln()).abs() < 1e-6);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn multilabel_soft_margin_loss(
        &self,
        target: &Self,
        options: MultilabelSoftMarginLossOptions<B>,
    ) -> Result<Self> {
        if self.rank() == 0 {
            return Err(Error::shape("multilabel_soft_margin_loss", "needs a dim of classes"));
        }
        let (x, y) = (self.lazy(), target.lazy());
        // -ln σ(x) = softplus(-x)
        let loss = y.clone() * softplus(&x.neg()) + (1.0 - y) * softplus(&x);
        options
            .reduction
            .apply(weighted(loss, options.weight).eval_as("multilabel_soft_margin_loss")?.mean(-1)?)
    }

    /// `(batch, classes)`, of which one row and one number are short forms.
    #[track_caller]
    fn matrix(&self, op: &'static str) -> Result<Self> {
        match self.shape()[..] {
            [] => self.reshape([1, 1]),
            [c] => self.reshape([1, c]),
            [_, _] => Ok(self.clone()),
            _ => Err(Error::shape(op, format!("needs (batch, classes) or (classes), not {}", self.shape()))),
        }
    }

    /// One number for each class, in a shape that stretches to this tensor's.
    #[track_caller]
    fn each_class(&self, op: &'static str, weight: &Self, axis: usize) -> Result<Self> {
        let classes = self.shape().get(axis).copied();
        if weight.rank() != 1 || Some(weight.numel()) != classes {
            let why = format!(
                "the weight {} has to hold a number for each class of {}",
                weight.shape(),
                self.shape()
            );
            return Err(Error::shape(op, why));
        }
        weight.reshape(weight.shape().aligned(self.rank() - axis))
    }
}

/// Logits `(batch, classes, ..)` and the class of each example; one example is a batch of one.
struct Rows<B: Backend> {
    op: &'static str,
    x: Tensor<B>,
    target: Tensor<B>,
    /// The shape of the losses.
    shape: Shape,
}

impl<B: Backend> Rows<B> {
    #[track_caller]
    fn new(op: &'static str, x: &Tensor<B>, target: &Tensor<B>) -> Result<Self> {
        let shape = target.shape().clone();
        let (x, target) = match x.rank() {
            1 => (x.unsqueeze(0)?, target.reshape([target.numel()])?),
            _ => (x.clone(), target.clone()),
        };
        let mut wanted = x.shape().clone();
        wanted.remove(1);
        if x.rank() < 2 || wanted != *target.shape() {
            let why = format!("targets {shape} do not fit {}: they lack its dim of classes", x.shape());
            return Err(Error::shape(op, why));
        }
        Ok(Rows { op, x: x.to_float()?, target: target.roomy()?, shape })
    }

    fn classes(&self) -> usize {
        self.x.shape()[1]
    }

    /// Which examples count.
    #[track_caller]
    fn kept(&self, ignore_index: i64) -> Result<Tensor<B>> {
        self.target.ne(ignore_index)
    }

    /// `-weight[target] · log[target]`, and `weight[target]`; both zero where an example does not count.
    #[track_caller]
    fn likelihood(
        &self,
        log: &Tensor<B>,
        weight: Option<&Tensor<B>>,
        ignore_index: i64,
    ) -> Result<(Tensor<B>, Tensor<B>)> {
        let kept = self.kept(ignore_index)?;
        let index = kept.where_(&self.target, 0)?;
        let chosen = Tensor::one(Op::Gather { x: log, index: &index.unsqueeze(1)?, axis: 1 })
            .map_err(|e| e.within(self.op))?
            .reshape(self.target.shape())?;
        let weights = match weight {
            Some(weight) => {
                let weight = log.each_class(self.op, weight, 1)?.reshape([self.classes()])?;
                let flat = index.reshape([index.numel()])?;
                let each = Tensor::one(Op::IndexSelect { x: &weight, index: &flat, axis: 0 })?;
                kept.where_(each.reshape(self.target.shape())?, 0.0)?
            }
            None => kept.to(log.dtype())?,
        };
        // where nothing counts, -∞ does not either
        let loss = kept.lazy().where_(chosen.lazy().neg(), 0.0) * &weights;
        Ok((loss.eval_as(self.op)?, weights))
    }

    /// The mean is one over what counts, by its weight.
    #[track_caller]
    fn reduce(&self, loss: Tensor<B>, reduction: Reduction, weights: &Tensor<B>) -> Result<Tensor<B>> {
        match reduction {
            Reduction::Mean => loss.sum(..)? / weights.to(loss.dtype())?.sum(..)?,
            _ => reduction.apply(loss.reshape(&self.shape)?),
        }
    }
}
