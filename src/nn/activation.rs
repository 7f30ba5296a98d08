//! Layers without parameters, and so without a backend of their own.
use crate::{Backend, Result, Tensor};

/// Makes a layer of a type without parameters, given what it makes of its input.
macro_rules! stateless {
    ($name:ident |$layer:ident, $x:ident| $forward:expr) => {
        impl<B: Backend> $crate::nn::Module<B> for $name {
            type Over<C: Backend> = $name;
            fn visit<'a>(&'a self, _: &str, _: $crate::nn::Visit<'_, 'a, B>) -> Result<()> {
                Ok(())
            }
            fn visit_mut(&mut self, _: &str, _: $crate::nn::VisitMut<'_, B>) -> Result<()> {
                Ok(())
            }
            fn to<C: Backend>(&self, _: &C) -> Result<$name> {
                Ok(self.clone())
            }
        }

        impl<B: Backend> $crate::nn::Layer<B> for $name {
            fn forward(&self, $x: &Tensor<B>) -> Result<Tensor<B>> {
                let $layer = self;
                $forward
            }
        }
    };
}
pub(super) use stateless;

macro_rules! activations {
    ($($(#[$doc:meta])* $name:ident |$x:ident| $forward:expr;)*) => {$(
        $(#[$doc])*
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::{Layer, ", stringify!($name), "}, prelude::*};")]
        #[doc = concat!("let y = ", stringify!($name), ".forward(&Tensor::new([-1.0, 2.0], &Cpu)?)?;")]
        /// assert_eq!(y.shape(), &[2]);
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;

        stateless! { $name |_layer, $x| $forward }
    )*};
}

activations! {
    /// What comes in.
    Identity |x| Ok(x.clone());
    /// `max(x, 0)`.
    ReLU |x| x.relu();
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid |x| x.sigmoid();
    /// `tanh x`.
    Tanh |x| x.tanh();
    /// `x / (1 + e⁻ˣ)`.
    SiLU |x| x.silu();
}
