//! A softmax over many classes of which few are frequent.
use crate::nn::{Layer, Linear, Module, Sequential};
use crate::{Backend, Error, Result, Tensor};

/// What [`AdaptiveLogSoftmaxWithLoss::forward`] gives.
#[derive(Clone, Debug)]
pub struct AdaptiveLogSoftmaxOutput<B: Backend> {
    /// The log of the probability of each target: `(n)`
    pub output: Tensor<B>,
    /// The mean of it, negated.
    pub loss: Tensor<B>,
}

/// A softmax in clusters: the frequent classes (those below the first cutoff) in the head, beside one entry for each
/// cluster of rarer ones, which are reached by way of fewer and fewer features.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html>
///
/// Every cluster is computed for the whole batch, so that nothing waits for the targets to be read.
///
/// ```
/// use firesteel::{nn::AdaptiveLogSoftmaxWithLoss, prelude::*};
/// let layer = AdaptiveLogSoftmaxWithLoss::new(16, 100, &[10, 40], &Cpu)?;
/// let x = Tensor::zeros([3, 16], &Cpu)?;
/// let rows = layer.log_prob(&x)?.exp()?.sum(-1)?.to_vec::<f32>()?;
/// assert!(rows.iter().all(|sum| (sum - 1.).abs() < 1e-5));
/// let output = layer.forward(&x, &Tensor::new([0, 20, 99], &Cpu)?)?.output;
/// assert_eq!(output.shape(), &[3]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
pub struct AdaptiveLogSoftmaxWithLoss<B: Backend> {
    /// To the frequent classes and the clusters.
    pub head: Linear<B>,
    /// For each cluster, to fewer features and then to its classes.
    pub tail: Vec<Sequential<(Linear<B>, Linear<B>)>>,
    /// Where clusters begin, and the number of classes.
    cutoffs: Vec<usize>,
}

impl<B: Backend> AdaptiveLogSoftmaxWithLoss<B> {
    /// Clusters that begin at these rising classes, each with a quarter of the features of the one before. PyTorch's
    /// `div_value` is 4 and `head_bias` false.
    pub fn new(in_features: usize, n_classes: usize, cutoffs: &[usize], device: &B) -> Result<Self> {
        Self::with_div_value(in_features, n_classes, cutoffs, 4., device)
    }

    /// As [`new`](Self::new), where cluster `i` has `in_features / div_valueⁱ` features.
    pub fn with_div_value(
        in_features: usize,
        n_classes: usize,
        cutoffs: &[usize],
        div_value: f64,
        device: &B,
    ) -> Result<Self> {
        let cutoffs: Vec<usize> = cutoffs.iter().copied().chain([n_classes]).collect();
        let rising = cutoffs[0] > 0 && cutoffs.windows(2).all(|pair| pair[0] < pair[1]);
        if !rising || cutoffs.len() < 2 || div_value.is_nan() || div_value <= 0. {
            let why = format!(
                "needs at least one cutoff, rising from 1 to below {n_classes}, and a positive div_value, not {:?} and {div_value}",
                &cutoffs[..cutoffs.len() - 1]
            );
            return Err(Error::value("AdaptiveLogSoftmaxWithLoss", why));
        }
        let head = Linear::without_bias(in_features, cutoffs[0] + cutoffs.len() - 1, device)?;
        let cluster = |(i, pair): (usize, &[usize])| {
            let features = (in_features as f64 / div_value.powi(i as i32 + 1)) as usize;
            let narrow = Linear::without_bias(in_features, features, device)?;
            Ok(Sequential((narrow, Linear::without_bias(features, pair[1] - pair[0], device)?)))
        };
        let tail = cutoffs.windows(2).enumerate().map(cluster).collect::<Result<_>>()?;
        Ok(Self { head, tail, cutoffs })
    }

    /// The log of the probability of each class: `(n, in_features) -> (n, n_classes)`.
    pub fn log_prob(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        let (head, frequent) = (self.head.forward(x)?.log_softmax(-1)?, self.cutoffs[0]);
        let mut parts = vec![head.narrow(-1, 0, frequent)?];
        for (i, cluster) in self.tail.iter().enumerate() {
            parts.push((cluster.forward(x)?.log_softmax(-1)? + head.narrow(-1, frequent + i, 1)?)?);
        }
        Tensor::cat(&parts.iter().collect::<Vec<_>>(), -1)
    }

    /// The most likely class: `(n, in_features) -> (n)`.
    pub fn predict(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        self.log_prob(x)?.argmax(-1)
    }

    /// The log of the probability of each target, of features `(n, in_features)` and classes `(n)`, and the loss.
    pub fn forward(&self, x: &Tensor<B>, target: &Tensor<B>) -> Result<AdaptiveLogSoftmaxOutput<B>> {
        if x.rank() != 2 || target.rank() != 1 {
            let why = format!(
                "needs features (n, in_features) and classes (n), not {} and {}",
                x.shape(),
                target.shape()
            );
            return Err(Error::shape("AdaptiveLogSoftmaxWithLoss", why));
        }
        let output = self.log_prob(x)?.gather(-1, &target.unsqueeze(-1)?)?.squeeze(-1)?;
        let loss = output.mean(..)?.neg()?;
        Ok(AdaptiveLogSoftmaxOutput { output, loss })
    }
}
