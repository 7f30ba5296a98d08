//! Losses: how far a prediction is from what it should be.
mod adaptive_log_softmax;
mod classes;
mod ctc;
mod linear_cross_entropy;
mod triplet;

pub use adaptive_log_softmax::{AdaptiveLogSoftmaxOutput, AdaptiveLogSoftmaxWithLoss};
pub use classes::{
    BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, MultiLabelMarginLoss, MultiLabelSoftMarginLoss,
    MultiMarginLoss, NLLLoss,
};
pub use ctc::CTCLoss;
pub use linear_cross_entropy::LinearCrossEntropyLoss;
pub use triplet::TripletMarginWithDistanceLoss;

use super::stateless::leafless;
use crate::{
    Backend, GaussianNllLossOptions, HingeEmbeddingLossOptions, HuberLossOptions, KlDivOptions,
    MarginLossOptions, PoissonNllLossOptions, Reduction, Result, SmoothL1LossOptions, Tensor,
    TripletMarginLossOptions,
};

/// Declares losses over a method of the tensor: what they take beside it, each with the shape that it has in
/// the example, and the settings in the options of that method.
macro_rules! losses {
    ($(
        $(#[$doc:meta])*
        $name:ident $method:ident($($input:ident $shape:tt),*) $($options:ident { $($field:ident: $type:ty),* })?;
    )*) => {$(
        $(#[$doc])*
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::", stringify!($name), ", prelude::*};")]
        /// let x = Tensor::ones([2, 3], &Cpu)?;
        $(#[doc = concat!("let ", stringify!($input), " = Tensor::ones(", stringify!($shape), ", &Cpu)?;")])*
        #[doc = concat!(
            "let loss = ", stringify!($name), "::default().forward(&x", $(", &", stringify!($input),)* ")?;"
        )]
        /// assert_eq!(loss.shape(), &[]);
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name {
            $($(
                #[doc = concat!("As [`", stringify!($options), "::", stringify!($field), "`].")]
                pub $field: $type,
            )*)?
            /// What becomes of the losses of a batch.
            pub reduction: Reduction,
        }

        impl Default for $name {
            fn default() -> Self {
                losses!(@default $($options { $($field),* })?)
            }
        }

        impl $name {
            /// The loss of a prediction.
            pub fn forward<B: Backend>(&self, x: &Tensor<B>, $($input: &Tensor<B>),*) -> Result<Tensor<B>> {
                x.$method($($input,)* losses!(@pass self $($options { $($field),* })?))
            }
        }

        leafless! { $name }
    )*};
    (@default) => { Self { reduction: Reduction::Mean } };
    (@default $options:ident { $($field:ident),* }) => {{
        let $options { $($field,)* reduction } = $options::default();
        Self { $($field,)* reduction }
    }};
    (@pass $self:ident) => { $self.reduction };
    (@pass $self:ident $options:ident { $($field:ident),* }) => {
        $options { $($field: $self.$field,)* reduction: $self.reduction }
    };
}

losses! {
    /// `|x - target|`.
    L1Loss l1_loss(target [2, 3]);
    /// `(x - target)²`.
    MSELoss mse_loss(target [2, 3]);
    /// [`MSELoss`] near 0, and [`L1Loss`] times `delta` further away.
    HuberLoss huber_loss(target [2, 3]) HuberLossOptions { delta: f64 };
    /// [`MSELoss`] over `beta` near 0, and [`L1Loss`] further away.
    SmoothL1Loss smooth_l1_loss(target [2, 3]) SmoothL1LossOptions { beta: f64 };
    /// `ln (1 + e^(-target · x))`, with targets 1 and -1.
    SoftMarginLoss soft_margin_loss(target [2, 3]);
    /// `target (ln target - x)`, with `x` a log of probabilities.
    KLDivLoss kl_div(target [2, 3]) KlDivOptions { log_target: bool };
    /// `eˣ - target · x`, less what does not depend on `x` unless `full`.
    PoissonNLLLoss poisson_nll_loss(target [2, 3]) PoissonNllLossOptions { log_input: bool, full: bool, eps: f64 };
    /// `(ln var + (x - target)² / var) / 2`, with `var` no less than `eps`.
    GaussianNLLLoss gaussian_nll_loss(target [2, 3], var [2, 3]) GaussianNllLossOptions { full: bool, eps: f64 };
    /// `x` where the target is 1, and `max(0, margin - x)` where it is -1.
    HingeEmbeddingLoss hinge_embedding_loss(target [2, 3]) HingeEmbeddingLossOptions { margin: f64 };
    /// `max(0, margin - target (x - other))`, with targets 1 and -1.
    MarginRankingLoss margin_ranking_loss(other [2, 3], target [2, 3]) MarginLossOptions { margin: f64 };
    /// Of rows `(n, d)` and targets `(n)`: `1 - cos` where the target is 1, and `max(0, cos - margin)` where it is -1.
    CosineEmbeddingLoss cosine_embedding_loss(other [2, 3], target [2]) MarginLossOptions { margin: f64 };
    /// `max(0, d(x, positive) - d(x, negative) + margin)`, with the distance of rows `(n, d)`.
    TripletMarginLoss triplet_margin_loss(positive [2, 3], negative [2, 3])
        TripletMarginLossOptions { margin: f64, p: f64, eps: f64, swap: bool };
}
