//! Pixels and channels rearranged, and other sizes.
use super::stateless::stateless;
use crate::{InterpolateOptions, Resize};

/// Declares layers with one whole number.
macro_rules! shuffles {
    ($($(#[$doc:meta])* $name:ident $method:ident $number:ident $what:literal;)*) => {$(
        $(#[$doc])*
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::{Layer, ", stringify!($name), "}, prelude::*};")]
        #[doc = concat!("let layer = ", stringify!($name), "::new(2);")]
        /// assert_eq!(layer.forward(&Tensor::zeros([1, 4, 6, 6], &Cpu)?)?.numel(), 144);
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            #[doc = $what]
            pub $number: usize,
        }

        impl $name {
            #[doc = concat!("A layer with this number. ", $what)]
            pub fn new($number: usize) -> Self {
                Self { $number }
            }
        }

        stateless! { $name |layer, x| x.$method(layer.$number) }
    )*};
}

shuffles! {
    /// `(.., c r², h, w)` to `(.., c, h r, w r)`: channels become pixels.
    PixelShuffle pixel_shuffle upscale_factor "The factor `r`.";
    /// `(.., c, h r, w r)` to `(.., c r², h, w)`: pixels become channels.
    PixelUnshuffle pixel_unshuffle downscale_factor "The factor `r`.";
    /// `(n, groups · k, ..)` with the channels dealt out: channel `i k + j` becomes `j groups + i`.
    ChannelShuffle channel_shuffle groups "How many groups.";
}

/// `(n, c, ..)` with other spatial sizes. <https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html>
///
/// ```
/// use firesteel::{InterpolateMode, nn::{Layer, Upsample}, prelude::*};
/// let layer = Upsample::new(2.0).options(InterpolateMode::Bilinear);
/// assert_eq!(layer.forward(&Tensor::zeros([1, 3, 4, 5], &Cpu)?)?.shape(), &[1, 3, 8, 10]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Upsample {
    /// The new sizes, or how much larger each dim becomes.
    pub to: Resize,
    /// How what lies between elements is found.
    pub options: InterpolateOptions,
}

impl Upsample {
    /// To these sizes (`[64, 48]`) or by these factors (`2.0`), with the nearest element.
    pub fn new(to: impl Into<Resize>) -> Self {
        Self { to: to.into(), options: InterpolateOptions::default() }
    }

    /// The same layer with other options, or in another mode.
    pub fn options(self, options: impl Into<InterpolateOptions>) -> Self {
        Self { options: options.into(), ..self }
    }
}

stateless! { Upsample |layer, x| x.interpolate(layer.to.clone(), layer.options) }

/// Declares [`Upsample`] of pictures in one mode.
macro_rules! upsamplings {
    ($($(#[$doc:meta])* $name:ident $method:ident;)*) => {$(
        $(#[$doc])*
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::{Layer, ", stringify!($name), "}, prelude::*};")]
        #[doc = concat!("let layer = ", stringify!($name), "::new([8, 10]);")]
        /// assert_eq!(layer.forward(&Tensor::zeros([1, 3, 4, 5], &Cpu)?)?.shape(), &[1, 3, 8, 10]);
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            /// The new sizes, or how much larger each dim becomes.
            pub to: Resize,
        }

        impl $name {
            /// To these sizes (`[64, 48]`) or by these factors (`2.0`).
            pub fn new(to: impl Into<Resize>) -> Self {
                Self { to: to.into() }
            }
        }

        stateless! { $name |layer, x| x.$method(layer.to.clone()) }
    )*};
}

upsamplings! {
    /// `(n, c, h, w)` with other spatial sizes, each pixel the nearest old one.
    UpsamplingNearest2d upsample_nearest;
    /// `(n, c, h, w)` with other spatial sizes, along straight lines, the corners staying where they are.
    UpsamplingBilinear2d upsample_bilinear;
}
