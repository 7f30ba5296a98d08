//! Losses.
use super::{Buffer, Module};
use crate::{Backend, CrossEntropyOptions, Reduction, Result, Tensor};

/// `-ln softmax(x)[target]` of logits `(n, c, ..)` and classes `(n, ..)` or probabilities `(n, c, ..)`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>
///
/// ```
/// use firesteel::{nn::CrossEntropyLoss, prelude::*};
/// let (logits, target) = (Tensor::zeros([2, 4], &Cpu)?, Tensor::new([0, 3], &Cpu)?);
/// let loss = CrossEntropyLoss::default().forward(&logits, &target)?.item::<f32>()?;
/// assert!((loss - 4f32.ln()).abs() < 1e-6);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct CrossEntropyLoss<B: Backend> {
    /// A factor for each class: `(c)`
    pub weight: Option<Buffer<B>>,
    /// The class that does not count.
    pub ignore_index: i64,
    /// How much of each target is spread over all classes, in `[0, 1]`.
    pub label_smoothing: f64,
    /// What becomes of the losses of a batch.
    pub reduction: Reduction,
}

impl<B: Backend> Default for CrossEntropyLoss<B> {
    fn default() -> Self {
        Self { weight: None, ignore_index: -100, label_smoothing: 0., reduction: Reduction::Mean }
    }
}

impl<B: Backend> CrossEntropyLoss<B> {
    /// The loss of logits beside what they should be.
    pub fn forward(&self, logits: &Tensor<B>, target: &Tensor<B>) -> Result<Tensor<B>> {
        let weight = self.weight.as_ref().map(Buffer::get);
        let Self { ignore_index, label_smoothing, reduction, .. } = *self;
        logits.cross_entropy(
            target,
            CrossEntropyOptions { weight: weight.as_ref(), ignore_index, label_smoothing, reduction },
        )
    }
}
