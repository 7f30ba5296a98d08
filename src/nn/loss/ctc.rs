//! Connectionist temporal classification as a module.
use crate::nn::stateless::leafless;
use crate::{Backend, CtcLossOptions, Result, Tensor};

/// `-ln` of the probability of all ways to align targets with a longer sequence of classes.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html>
///
/// ```
/// use firesteel::{nn::CTCLoss, prelude::*};
/// // two steps, one sequence, a blank and one class
/// let log_probs = Tensor::zeros([2, 1, 2], &Cpu)?.log_softmax(-1)?;
/// let loss = CTCLoss::default().forward(&log_probs, &Tensor::new([[1]], &Cpu)?, &[2], &[1])?;
/// assert!((loss.item::<f32>()? - -(0.75f32.ln())).abs() < 1e-6);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CTCLoss {
    /// Which class is the blank, and what becomes of the losses.
    pub options: CtcLossOptions,
}

impl CTCLoss {
    /// A loss with these options.
    pub fn new(options: CtcLossOptions) -> Self {
        Self { options }
    }

    /// The loss of log probabilities `(steps, n, classes)` or `(steps, classes)` beside targets `(n, longest)`, or
    /// one after another in one dim, with the lengths of both.
    pub fn forward<B: Backend>(
        &self,
        log_probs: &Tensor<B>,
        targets: &Tensor<B>,
        input_lengths: &[usize],
        target_lengths: &[usize],
    ) -> Result<Tensor<B>> {
        log_probs.ctc_loss(targets, input_lengths, target_lengths, self.options)
    }
}

leafless! { CTCLoss }
