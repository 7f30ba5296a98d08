//! Pooling: what a window makes of its elements.
use super::stateless::{leafless, stateless};
use crate::{
    AdaptiveSize, AvgPoolOptions, Backend, LpPoolOptions, MaxPoolOptions, MaxUnpoolOptions, PerDim, Result,
    Tensor,
};

/// Declares layers with a window and options.
macro_rules! pools {
    ($($name:ident $method:ident $options:ident $what:literal $dims:literal $(, places $places:ident)?;)*) => {$(
        #[doc = concat!($what, " of each window over ", $dims, " dims.")]
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

            $(
                /// What PyTorch gives with `return_indices=True`: the largest, and where they stood, as I64 numbers
                /// of elements in the flattened spatial dims, for the unpooling layers.
                pub fn forward_with_indices<B: Backend>(&self, x: &Tensor<B>) -> Result<(Tensor<B>, Tensor<B>)> {
                    x.$places(self.kernel_size.clone(), self.options.clone())
                }
            )?
        }

        stateless! { $name |layer, x| x.$method(layer.kernel_size.clone(), layer.options.clone()) }
    )*};
}

pools! {
    MaxPool1d max_pool1d MaxPoolOptions "The largest" 1, places max_pool1d_with_indices;
    MaxPool2d max_pool2d MaxPoolOptions "The largest" 2, places max_pool2d_with_indices;
    MaxPool3d max_pool3d MaxPoolOptions "The largest" 3, places max_pool3d_with_indices;
    AvgPool1d avg_pool1d AvgPoolOptions "The mean" 1;
    AvgPool2d avg_pool2d AvgPoolOptions "The mean" 2;
    AvgPool3d avg_pool3d AvgPoolOptions "The mean" 3;
}

/// Declares layers of `(Σ xᵖ)^(1/p)`.
macro_rules! lp_pools {
    ($($name:ident $method:ident $dims:literal;)*) => {$(
        #[doc = concat!("`(Σ xᵖ)^(1/p)` of each window over ", $dims, " dims.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::{Layer, ", stringify!($name), "}, prelude::*};")]
        #[doc = concat!("let x = Tensor::ones([1, 3].into_iter().chain([4; ", $dims, "]).collect::<Shape>(), &Cpu)?;")]
        #[doc = concat!("let y = ", stringify!($name), "::new(1.0, 2).forward(&x)?;")]
        #[doc = concat!("assert_eq!(y.to_vec::<f32>()?[0], 2f32.powi(", $dims, "));")]
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            /// The power `p`; infinity is the largest.
            pub norm_type: f64,
            /// The size of the window.
            pub kernel_size: PerDim,
            /// How the window moves.
            pub options: LpPoolOptions,
        }

        impl $name {
            /// Windows of this size, side by side.
            pub fn new(norm_type: f64, kernel_size: impl Into<PerDim>) -> Self {
                Self { norm_type, kernel_size: kernel_size.into(), options: LpPoolOptions::default() }
            }

            /// The same layer with windows that move as the options say.
            pub fn options(self, options: LpPoolOptions) -> Self {
                Self { options, ..self }
            }
        }

        stateless! { $name |layer, x| x.$method(layer.norm_type, layer.kernel_size.clone(), layer.options.clone()) }
    )*};
}

lp_pools! {
    LPPool1d lp_pool1d 1;
    LPPool2d lp_pool2d 2;
    LPPool3d lp_pool3d 3;
}

/// Declares layers that make a given size.
macro_rules! adaptive_pools {
    ($($name:ident $method:ident $what:literal $dims:literal $(, places $places:ident)?;)*) => {$(
        #[doc = concat!($what, " of windows of nearly equal size, as many as `output_size` says, over ", $dims, " dims.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::{Layer, ", stringify!($name), "}, prelude::*};")]
        #[doc = concat!("let x = Tensor::ones([1, 3].into_iter().chain([5; ", $dims, "]).collect::<Shape>(), &Cpu)?;")]
        #[doc = concat!("assert_eq!(", stringify!($name), "::new(2).forward(&x)?.shape()[..3], [1, 3, 2]);")]
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            /// The size that is made: one number for all dims, or one for each, where `None` keeps what comes.
            pub output_size: AdaptiveSize,
        }

        impl $name {
            /// Windows that make this size.
            pub fn new(output_size: impl Into<AdaptiveSize>) -> Self {
                Self { output_size: output_size.into() }
            }

            $(
                /// What PyTorch gives with `return_indices=True`: the largest, and where they stood, as I64 numbers
                /// of elements in the flattened spatial dims.
                pub fn forward_with_indices<B: Backend>(&self, x: &Tensor<B>) -> Result<(Tensor<B>, Tensor<B>)> {
                    x.$places(self.output_size.clone())
                }
            )?
        }

        stateless! { $name |layer, x| x.$method(layer.output_size.clone()) }
    )*};
}

adaptive_pools! {
    AdaptiveMaxPool1d adaptive_max_pool1d "The largest" 1, places adaptive_max_pool1d_with_indices;
    AdaptiveMaxPool2d adaptive_max_pool2d "The largest" 2, places adaptive_max_pool2d_with_indices;
    AdaptiveMaxPool3d adaptive_max_pool3d "The largest" 3, places adaptive_max_pool3d_with_indices;
    AdaptiveAvgPool1d adaptive_avg_pool1d "The mean" 1;
    AdaptiveAvgPool2d adaptive_avg_pool2d "The mean" 2;
    AdaptiveAvgPool3d adaptive_avg_pool3d "The mean" 3;
}

/// Declares layers that undo max pooling.
macro_rules! unpools {
    ($($name:ident $pool:ident $method:ident $dims:literal;)*) => {$(
        #[doc = concat!("Puts what [`", stringify!($pool), "`] took out back to its place, over ", $dims, " dims; zeros elsewhere.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::{", stringify!($pool), ", ", stringify!($name), "}, prelude::*};")]
        #[doc = concat!("let x = Tensor::ones([1, 3].into_iter().chain([4; ", $dims, "]).collect::<Shape>(), &Cpu)?;")]
        #[doc = concat!("let (y, places) = ", stringify!($pool), "::new(2).forward_with_indices(&x)?;")]
        #[doc = concat!("assert_eq!(", stringify!($name), "::new(2).forward(&y, &places)?.shape(), x.shape());")]
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            /// The size of the window.
            pub kernel_size: PerDim,
            /// Those of the pooling, and the size of the result where several fit.
            pub options: MaxUnpoolOptions,
        }

        impl $name {
            /// Windows of this size, side by side.
            pub fn new(kernel_size: impl Into<PerDim>) -> Self {
                Self::with_options(kernel_size, MaxUnpoolOptions::default())
            }

            /// Windows of this size that moved as the options say.
            pub fn with_options(kernel_size: impl Into<PerDim>, options: MaxUnpoolOptions) -> Self {
                Self { kernel_size: kernel_size.into(), options }
            }

            /// What was pooled, at its places.
            pub fn forward<B: Backend>(&self, x: &Tensor<B>, places: &Tensor<B>) -> Result<Tensor<B>> {
                x.$method(places, self.kernel_size.clone(), self.options.clone())
            }
        }

        leafless! { $name }
    )*};
}

unpools! {
    MaxUnpool1d MaxPool1d max_unpool1d 1;
    MaxUnpool2d MaxPool2d max_unpool2d 2;
    MaxUnpool3d MaxPool3d max_unpool3d 3;
}
