//! A last linear layer and its cross entropy as one module.
use crate::nn::{Buffer, Linear, Module};
use crate::{Backend, CrossEntropyOptions, Reduction, Result, Tensor};

/// [`CrossEntropyLoss`](super::CrossEntropyLoss) of a linear layer without bias: of features `(n, in_features)` and
/// classes `(n)`. <https://docs.pytorch.org/docs/main/generated/torch.nn.LinearCrossEntropyLoss.html>
///
/// ```
/// use firesteel::{nn::LinearCrossEntropyLoss, prelude::*};
/// let layer = LinearCrossEntropyLoss::new(5, 4, &Cpu)?;
/// let loss = layer.forward(&Tensor::zeros([2, 5], &Cpu)?, &Tensor::new([0, 3], &Cpu)?)?;
/// assert!((loss.item::<f32>()? - 4f32.ln()).abs() < 1e-6);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Module)]
pub struct LinearCrossEntropyLoss<B: Backend> {
    /// From features to logits.
    pub linear: Linear<B>,
    /// A factor for each class: `(c)`
    pub weight: Option<Buffer<B>>,
    /// The class that does not count.
    pub ignore_index: i64,
    /// How much of each target is spread over all classes, in `[0, 1]`.
    pub label_smoothing: f64,
    /// What becomes of the losses of a batch.
    pub reduction: Reduction,
}

impl<B: Backend> LinearCrossEntropyLoss<B> {
    /// From so many features to so many classes.
    pub fn new(in_features: usize, num_classes: usize, device: &B) -> Result<Self> {
        let CrossEntropyOptions { ignore_index, label_smoothing, reduction, .. } =
            CrossEntropyOptions::<B>::default();
        let linear = Linear::without_bias(in_features, num_classes, device)?;
        Ok(Self { linear, weight: None, ignore_index, label_smoothing, reduction })
    }

    /// The loss of features beside their classes.
    pub fn forward(&self, x: &Tensor<B>, target: &Tensor<B>) -> Result<Tensor<B>> {
        let weight = self.weight.as_ref().map(Buffer::get);
        let Self { ignore_index, label_smoothing, reduction, .. } = *self;
        let options =
            CrossEntropyOptions { weight: weight.as_ref(), ignore_index, label_smoothing, reduction };
        x.linear_cross_entropy(&self.linear.weight, self.linear.bias.as_deref(), target, options)
    }
}
