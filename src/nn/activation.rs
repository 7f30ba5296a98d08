//! Activations as layers: without parameters, and so without a backend of their own.
use super::module::{Layer, Module, Visit, VisitMut};
use crate::{Backend, Result, Tensor};

/// Declares layers without parameters, each a method of tensors.
macro_rules! stateless {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty = $default:expr),* } |$x:ident, $this:ident| $forward:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $(#[doc = concat!("See PyTorch's `", stringify!($field), "`.")] pub $field: $kind),*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default),* }
            }
        }

        stateless! { @layer $name |$x, $this| $forward }
    )*};
    (@layer $name:ident |$x:ident, $this:ident| $forward:expr) => {
        impl<B: Backend> Module<B> for $name {
            type Over<C: Backend> = $name;
            fn visit<'a>(&'a self, _: &str, _: Visit<'_, 'a, B>) -> Result<()> {
                Ok(())
            }
            fn visit_mut(&mut self, _: &str, _: VisitMut<'_, B>) -> Result<()> {
                Ok(())
            }
            fn to<C: Backend>(&self, _: &C) -> Result<$name> {
                Ok(self.clone())
            }
        }

        impl<B: Backend> Layer<B> for $name {
            fn forward(&self, $x: &Tensor<B>) -> Result<Tensor<B>> {
                let $this = self;
                $forward
            }
        }
    };
}

/// `max(x, 0)`. <https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReLU;
stateless! { @layer ReLU |x, _this| x.relu() }
