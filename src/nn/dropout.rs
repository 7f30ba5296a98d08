//! What training takes away at random.
use super::{Layer, Mode, Module};
use crate::{Backend, DropoutOptions, Error, Result, Tensor};
use std::marker::PhantomData;

macro_rules! dropouts {
    ($($(#[$doc:meta])* $name:ident $method:ident $shape:tt;)*) => {$(
        $(#[$doc])*
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::{Layer, Module, ", stringify!($name), "}, prelude::*};")]
        #[doc = concat!(
            "let (dropout, x) = (", stringify!($name), "::new(0.5)?, Tensor::ones(", stringify!($shape), ", &Cpu)?);"
        )]
        /// assert!(dropout.forward(&x)?.to_vec::<f32>()?.iter().any(|&y| y != 1.));
        /// dropout.eval();
        /// assert_eq!(dropout.forward(&x)?.to_vec::<f32>()?, x.to_vec::<f32>()?);
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Module)]
        pub struct $name<B: Backend> {
            p: f64,
            training: Mode,
            backend: PhantomData<B>,
        }

        impl<B: Backend> $name<B> {
            /// Takes away with probability `p`, which lies in `[0, 1]`; PyTorch's default is 0.5.
            #[track_caller]
            pub fn new(p: f64) -> Result<Self> {
                if !(0. ..=1.).contains(&p) {
                    let why = format!("a probability lies in [0, 1], and {p} does not");
                    return Err(Error::value(stringify!($method), why));
                }
                Ok(Self { p, training: Mode::default(), backend: PhantomData })
            }
        }

        impl<B: Backend> Layer<B> for $name<B> {
            fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
                x.$method(DropoutOptions { p: self.p, training: self.training.training() })
            }
        }
    )*};
}

dropouts! {
    /// In training, zeroes each element with probability `p` and divides the others by `1 - p`; in evaluation,
    /// nothing.
    Dropout dropout [100];
    /// [`Dropout`] of whole channels of `(n, c, length)` or `(c, length)`.
    Dropout1d dropout1d [1, 100, 2];
    /// [`Dropout`] of whole channels of `(n, c, h, w)`.
    Dropout2d dropout2d [1, 100, 2, 2];
    /// [`Dropout`] of whole channels of `(n, c, d, h, w)` or `(c, d, h, w)`.
    Dropout3d dropout3d [1, 100, 2, 2, 2];
    /// [`Dropout`] that keeps mean 0 and variance 1, for [`SELU`](super::SELU).
    AlphaDropout alpha_dropout [100];
    /// [`AlphaDropout`] of whole channels of `(n, c, ..)`.
    FeatureAlphaDropout feature_alpha_dropout [1, 100, 2];
}
