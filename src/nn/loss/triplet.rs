//! A triplet loss with a distance of the caller's.
use crate::nn::stateless::leafless;
use crate::{Backend, Reduction, Result, Tensor, TripletMarginLossOptions};

/// [`TripletMarginLoss`](super::TripletMarginLoss) with another distance.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginWithDistanceLoss.html>
///
/// ```
/// use firesteel::{nn::TripletMarginWithDistanceLoss, prelude::*};
/// let x = Tensor::ones([2, 3], &Cpu)?;
/// let city = |a: &Tensor<Cpu>, b: &Tensor<Cpu>| (a - b)?.abs()?.sum(-1);
/// let loss = TripletMarginWithDistanceLoss::default().forward(&x, &x, &x.neg()?, city)?;
/// assert_eq!(loss.item::<f32>()?, 0.);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TripletMarginWithDistanceLoss {
    /// How much nearer the positive has to be than the negative.
    pub margin: f64,
    /// Whether the negative's distance from the positive counts where it is smaller.
    pub swap: bool,
    /// What becomes of the losses of a batch.
    pub reduction: Reduction,
}

impl Default for TripletMarginWithDistanceLoss {
    fn default() -> Self {
        Self { margin: 1., swap: false, reduction: Reduction::Mean }
    }
}

impl TripletMarginWithDistanceLoss {
    /// The loss of `x` beside what it should be near to and far from.
    pub fn forward<B: Backend>(
        &self,
        x: &Tensor<B>,
        positive: &Tensor<B>,
        negative: &Tensor<B>,
        distance: impl Fn(&Tensor<B>, &Tensor<B>) -> Result<Tensor<B>>,
    ) -> Result<Tensor<B>> {
        let Self { margin, swap, reduction } = *self;
        let options = TripletMarginLossOptions { margin, swap, reduction, ..Default::default() };
        x.triplet_margin_with_distance_loss(positive, negative, options, distance)
    }
}

leafless! { TripletMarginWithDistanceLoss }
