//! How losses are computed, and what they have where nothing is said.
use super::Reduction;
use crate::{Backend, Tensor};

/// A struct of options with its defaults.
macro_rules! options {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    )*};
}

options! {
    /// Options of [`Tensor::huber_loss`](crate::Tensor::huber_loss).
    HuberLossOptions {
        /// Where the parabola ends: positive.
        delta: f64 = 1.,
        /// What becomes of the losses of single elements.
        reduction: Reduction = Reduction::Mean,
    }
    /// Options of [`Tensor::smooth_l1_loss`](crate::Tensor::smooth_l1_loss).
    SmoothL1LossOptions {
        /// Where the parabola ends: 0 or more.
        beta: f64 = 1.,
        /// What becomes of the losses of single elements.
        reduction: Reduction = Reduction::Mean,
    }
    /// Options of [`Tensor::kl_div`](crate::Tensor::kl_div).
    KlDivOptions {
        /// Whether the target holds logarithms as well.
        log_target: bool = false,
        /// What becomes of the losses of single elements.
        reduction: Reduction = Reduction::Mean,
    }
    /// Options of [`Tensor::poisson_nll_loss`](crate::Tensor::poisson_nll_loss).
    PoissonNllLossOptions {
        /// Whether the input is the logarithm of the rate.
        log_input: bool = true,
        /// Whether Stirling's term is added.
        full: bool = false,
        /// Added to the rate before its logarithm is taken.
        eps: f64 = 1e-8,
        /// What becomes of the losses of single elements.
        reduction: Reduction = Reduction::Mean,
    }
    /// Options of [`Tensor::gaussian_nll_loss`](crate::Tensor::gaussian_nll_loss).
    GaussianNllLossOptions {
        /// Whether the constant `ln √(2π)` is added.
        full: bool = false,
        /// The least variance.
        eps: f64 = 1e-6,
        /// What becomes of the losses of single elements.
        reduction: Reduction = Reduction::Mean,
    }
    /// Options of [`Tensor::hinge_embedding_loss`](crate::Tensor::hinge_embedding_loss).
    HingeEmbeddingLossOptions {
        /// How far what differs has to be apart.
        margin: f64 = 1.,
        /// What becomes of the losses of single elements.
        reduction: Reduction = Reduction::Mean,
    }
    /// Options of [`Tensor::margin_ranking_loss`](crate::Tensor::margin_ranking_loss) and [`Tensor::cosine_embedding_loss`](crate::Tensor::cosine_embedding_loss).
    MarginLossOptions {
        /// By how much the order has to hold.
        margin: f64 = 0.,
        /// What becomes of the losses of single elements.
        reduction: Reduction = Reduction::Mean,
    }
    /// Options of [`Tensor::triplet_margin_loss`](crate::Tensor::triplet_margin_loss).
    TripletMarginLossOptions {
        /// By how much the negative has to be farther away.
        margin: f64 = 1.,
        /// Which norm.
        p: f64 = 2.,
        /// Added to each difference.
        eps: f64 = 1e-6,
        /// Whether the negative's distance to the positive counts where it is the smaller one.
        swap: bool = false,
        /// What becomes of the losses of single elements.
        reduction: Reduction = Reduction::Mean,
    }
}

/// Options of [`Tensor::binary_cross_entropy`](crate::Tensor::binary_cross_entropy).
#[derive(Clone, Copy, Debug)]
pub struct BinaryCrossEntropyOptions<'a, B: Backend> {
    /// A factor for each element.
    pub weight: Option<&'a Tensor<B>>,
    /// What becomes of the losses of single elements.
    pub reduction: Reduction,
}

impl<B: Backend> Default for BinaryCrossEntropyOptions<'_, B> {
    fn default() -> Self {
        Self { weight: None, reduction: Reduction::Mean }
    }
}

/// Options of [`Tensor::binary_cross_entropy_with_logits`](crate::Tensor::binary_cross_entropy_with_logits).
#[derive(Clone, Copy, Debug)]
pub struct BinaryCrossEntropyWithLogitsOptions<'a, B: Backend> {
    /// A factor for each element.
    pub weight: Option<&'a Tensor<B>>,
    /// A factor for what is true.
    pub pos_weight: Option<&'a Tensor<B>>,
    /// What becomes of the losses of single elements.
    pub reduction: Reduction,
}

impl<B: Backend> Default for BinaryCrossEntropyWithLogitsOptions<'_, B> {
    fn default() -> Self {
        Self { weight: None, pos_weight: None, reduction: Reduction::Mean }
    }
}

// ---- of numbers
