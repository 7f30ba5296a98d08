//! Pooling layers.
use super::activation::stateless;
use crate::{AvgPoolOptions, Backend, MaxPoolOptions, PerDim, Result, Tensor};

macro_rules! pools {
    ($($name:ident $method:ident $options:ident $what:literal $dims:literal;)*) => {$(
        #[doc = concat!("The ", $what, " of each window over ", $dims, " dims.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::{Layer, ", stringify!($name), "}, prelude::*};")]
        #[doc = concat!("let x = Tensor::ones([1, 3].into_iter().chain([4; ", $dims, "]).collect::<Shape>(), &Cpu)?;")]
        #[doc = concat!("assert_eq!(", stringify!($name), "::new(2).forward(&x)?.shape()[..3], [1, 3, 2]);")]
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            /// The size of the window.
            pub kernel_size: PerDim,
            /// How the window moves.
            pub options: $options,
        }

        impl $name {
            /// Windows of this size, side by side.
            pub fn new(kernel_size: impl Into<PerDim>) -> Self {
                Self::with_options(kernel_size, $options::default())
            }

            /// Windows of this size that move as the options say.
            pub fn with_options(kernel_size: impl Into<PerDim>, options: $options) -> Self {
                Self { kernel_size: kernel_size.into(), options }
            }
        }

        stateless! { $name |layer, x| x.$method(layer.kernel_size.clone(), layer.options.clone()) }
    )*};
}

pools! {
    MaxPool1d max_pool1d MaxPoolOptions "largest" 1;
    MaxPool2d max_pool2d MaxPoolOptions "largest" 2;
    MaxPool3d max_pool3d MaxPoolOptions "largest" 3;
    AvgPool1d avg_pool1d AvgPoolOptions "mean" 1;
    AvgPool2d avg_pool2d AvgPoolOptions "mean" 2;
    AvgPool3d avg_pool3d AvgPoolOptions "mean" 3;
}
