//! Losses of a choice among classes, with a factor for each class or element.
use crate::nn::{Buffer, Module, stateless::leafless};
use crate::{
    Backend, BinaryCrossEntropyOptions, BinaryCrossEntropyWithLogitsOptions, CrossEntropyOptions,
    MultiMarginLossOptions, MultilabelSoftMarginLossOptions, NllLossOptions, Reduction, Result, Tensor,
};

/// Declares losses over a method of the tensor: its factors, which are buffers, and its settings.
macro_rules! losses {
    ($(
        $(#[$doc:meta])*
        $name:ident $method:ident $options:ident [$($factor:ident),*] { $($field:ident: $type:ty),* }
        ($x:literal, $target:literal);
    )*) => {$(
        $(#[$doc])*
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::", stringify!($name), ", prelude::*};")]
        #[doc = concat!("let (x, target) = (Tensor::new(", $x, ", &Cpu)?, Tensor::new(", $target, ", &Cpu)?);")]
        #[doc = concat!("let loss = ", stringify!($name), "::default().forward(&x, &target)?;")]
        /// assert!(loss.item::<f32>()? > 0.);
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Module)]
        pub struct $name<B: Backend> {
            $(
                #[doc = concat!("As [`", stringify!($options), "::", stringify!($factor), "`].")]
                pub $factor: Option<Buffer<B>>,
            )*
            $(
                #[doc = concat!("As [`", stringify!($options), "::", stringify!($field), "`].")]
                pub $field: $type,
            )*
            /// What becomes of the losses of a batch.
            pub reduction: Reduction,
        }

        impl<B: Backend> Default for $name<B> {
            fn default() -> Self {
                let options = $options::<B>::default();
                Self { $($factor: None,)* $($field: options.$field,)* reduction: options.reduction }
            }
        }

        impl<B: Backend> $name<B> {
            /// The loss of a prediction beside what it should be.
            pub fn forward(&self, x: &Tensor<B>, target: &Tensor<B>) -> Result<Tensor<B>> {
                $(let $factor = self.$factor.as_ref().map(Buffer::get);)*
                let options = $options {
                    $($factor: $factor.as_ref(),)*
                    $($field: self.$field,)*
                    reduction: self.reduction,
                };
                x.$method(target, options)
            }
        }
    )*};
}

losses! {
    /// `-ln softmax(x)[target]` of logits `(n, c, ..)` and classes `(n, ..)` or probabilities `(n, c, ..)`.
    CrossEntropyLoss cross_entropy CrossEntropyOptions [weight] { ignore_index: i64, label_smoothing: f64 }
        ("[[0.0, 1.0], [2.0, 0.0]]", "[0, 1]");
    /// `-x[target]` of logs of probabilities `(n, c, ..)` and classes `(n, ..)`.
    NLLLoss nll_loss NllLossOptions [weight] { ignore_index: i64 } ("[[-0.5, -1.0], [-2.0, -0.2]]", "[0, 1]");
    /// `-(target · ln x + (1 - target) ln (1 - x))` of probabilities; a log is no less than -100.
    BCELoss binary_cross_entropy BinaryCrossEntropyOptions [weight] {} ("[0.2, 0.9]", "[0.0, 1.0]");
    /// [`BCELoss`] of `σ(x)`, without overflow.
    BCEWithLogitsLoss binary_cross_entropy_with_logits BinaryCrossEntropyWithLogitsOptions [weight, pos_weight] {}
        ("[-1.0, 3.0]", "[0.0, 1.0]");
    /// `Σ max(0, margin - x[target] + x[i])ᵖ / c` over the other classes `i`, of `(n, c)` and classes `(n)`.
    MultiMarginLoss multi_margin_loss MultiMarginLossOptions [weight] { p: u32, margin: f64 }
        ("[[0.5, 0.2], [0.1, 0.7]]", "[0, 1]");
    /// The mean over the classes of [`BCEWithLogitsLoss`], of `(n, c)`.
    MultiLabelSoftMarginLoss multilabel_soft_margin_loss MultilabelSoftMarginLossOptions [weight] {}
        ("[[0.5, -0.2]]", "[[1.0, 0.0]]");
}

/// `Σ max(0, 1 - x[j] + x[i]) / c` over the classes `j` that the target names, up to its first -1, and the others `i`:
/// of `(n, c)` and whole numbers `(n, c)`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelMarginLoss.html>
///
/// ```
/// use firesteel::{nn::MultiLabelMarginLoss, prelude::*};
/// let (x, target) = (Tensor::new([0.5, 0.0], &Cpu)?, Tensor::new([0, -1], &Cpu)?);
/// assert_eq!(MultiLabelMarginLoss::default().forward(&x, &target)?.item::<f32>()?, 0.25);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MultiLabelMarginLoss {
    /// What becomes of the losses of a batch.
    pub reduction: Reduction,
}

impl MultiLabelMarginLoss {
    /// The loss of a prediction beside the classes that it should choose.
    pub fn forward<B: Backend>(&self, x: &Tensor<B>, target: &Tensor<B>) -> Result<Tensor<B>> {
        x.multilabel_margin_loss(target, self.reduction)
    }
}

leafless! { MultiLabelMarginLoss }
