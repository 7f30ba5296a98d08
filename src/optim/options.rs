//! The options of optimizers: each said once, with its default.
use crate::{Differentiable, Error, Expr, Result};
use std::{fmt::Debug, ops::RangeBounds};

/// The options of an optimizer for one group of parameters.
pub trait Options: Clone + Debug + Default + Send + Sync + 'static {
    /// The optimizer's name, for errors.
    const NAME: &'static str;

    /// The learning rate.
    fn lr(&self) -> f64;

    /// The learning rate, to be changed.
    fn lr_mut(&mut self) -> &mut f64;
}

/// Declares an optimizer by its options: a struct of them, each with its default, and for each a method of
/// the optimizer that sets it.
macro_rules! optimizer {
    (
        $(#[$doc:meta])*
        $name:ident $options:ident { lr: $lr:expr, $($(#[$field_doc:meta])* $field:ident: $ty:ty = $default:expr,)* }
    ) => {
        $(#[$doc])*
        #[doc = concat!("\n<https://docs.pytorch.org/docs/stable/generated/torch.optim.", stringify!($name), ".html>")]
        pub type $name<D> = $crate::optim::Descent<$options, D>;

        #[doc = concat!("The options of [`", stringify!($name), "`] for one group of parameters.")]
        #[derive(Clone, Debug, PartialEq)]
        pub struct $options {
            /// The learning rate, from 0 on.
            pub lr: f64,
            $($(#[$field_doc])* pub $field: $ty,)*
        }

        impl Default for $options {
            fn default() -> Self {
                Self { lr: $lr, $($field: $default,)* }
            }
        }

        impl $crate::optim::Options for $options {
            const NAME: &'static str = stringify!($name);

            fn lr(&self) -> f64 {
                self.lr
            }
            fn lr_mut(&mut self) -> &mut f64 {
                &mut self.lr
            }
        }

        impl<D: $crate::Differentiable> $crate::optim::Descent<$options, D> {
            $(
                $(#[$field_doc])*
                pub fn $field(self, $field: $ty) -> Self {
                    self.with(|options| options.$field = $field)
                }
            )*
        }
    };
}
pub(super) use optimizer;

/// An error for the first of the numbers that is not in the range, NaN among them.
pub fn check<const N: usize>(
    name: &'static str,
    numbers: [(&str, f64); N],
    range: impl RangeBounds<f64> + Debug,
) -> Result<()> {
    match numbers.iter().find(|(_, x)| !range.contains(x)) {
        Some((what, x)) => Err(Error::value(name, format!("{what} is {x}, and has to lie in {range:?}"))),
        None => Ok(()),
    }
}

/// The gradient as the formulas of most optimizers take it: of what is minimised, with weight decay `λ` on
/// `p` added.
pub fn descent<D: Differentiable>(p: &Expr<D>, g: Expr<D>, maximize: bool, weight_decay: f64) -> Expr<D> {
    let g = uphill(g, maximize);
    if weight_decay == 0. { g } else { g + p.clone() * weight_decay }
}

/// The gradient of what is minimised: `-g` where `g` belongs to what is maximised.
pub fn uphill<D: Differentiable>(g: Expr<D>, maximize: bool) -> Expr<D> {
    if maximize { -g } else { g }
}
