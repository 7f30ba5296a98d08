//! Normalisation by the neighbouring channels.
use crate::nn::stateless::stateless;
use crate::{Error, LocalResponseNormOptions};

macro_rules! response_norms {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::{Layer, ", stringify!($name), "}, prelude::*};")]
        #[doc = concat!("let norm = ", stringify!($name), "::new(3);")]
        /// assert_eq!(norm.forward(&Tensor::ones([1, 4, 2, 2], &Cpu)?)?.shape(), &[1, 4, 2, 2]);
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name {
            /// How many channels count.
            pub size: usize,
            /// `alpha`, `beta` and `k`.
            pub options: LocalResponseNormOptions,
        }

        impl $name {
            /// Over so many channels, with PyTorch's factors.
            pub fn new(size: usize) -> Self {
                Self { size, options: LocalResponseNormOptions::default() }
            }

            /// The same norm with other factors.
            pub fn options(self, options: LocalResponseNormOptions) -> Self {
                Self { options, ..self }
            }
        }
    )*};
}

response_norms! {
    /// `x / (k + alpha · mean(x²))^beta`, with the mean over `size` neighbouring channels of `(n, c, ..)`.
    LocalResponseNorm;
    /// [`LocalResponseNorm`] of pictures `(n, c, h, w)`, over one channel less where `size` is even. PyTorch's never
    /// lets go of the first channel, a slip of its running sum; this one does.
    CrossMapLRN2d;
}

stateless! { LocalResponseNorm |layer, x| x.local_response_norm(layer.size, layer.options) }

stateless! { CrossMapLRN2d |layer, x| {
    if x.rank() != 4 || layer.size == 0 {
        let why = format!("takes (n, c, h, w) and a size of 1 or more, not {} and {}", x.shape(), layer.size);
        return Err(Error::shape("CrossMapLRN2d", why));
    }
    // as many channels before as after, though the sum of squares is divided by the whole size
    let seen = layer.size - usize::from(layer.size.is_multiple_of(2));
    let alpha = layer.options.alpha * seen as f64 / layer.size as f64;
    x.local_response_norm(seen, LocalResponseNormOptions { alpha, ..layer.options })
} }
