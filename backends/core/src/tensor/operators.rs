//! `Tensor op Tensor`, a `Result` on one side, and a number on one side.
//!
//! Of numbers there are only `f64` and `i64`, so that a literal is one of them and needs no suffix.
//! What the language does not allow (E0117, as neither `f64` nor `Result` is ours): `Result + 1.0`,
//! `1.0 - Result`, `Result + Result`. There a `?`, or an [`Expr`](crate::Expr), helps.
use crate::{Arg, Backend, Result, Tensor};
use std::ops;

macro_rules! operators {
    ($($trait:ident $method:ident)*) => {$(
        operators! { @tensors $trait $method: (Tensor<B>, Tensor<B>) (Tensor<B>, &Tensor<B>)
            (&Tensor<B>, Tensor<B>) (&Tensor<B>, &Tensor<B>) }
        operators! { @results $trait $method: Tensor<B>, &Tensor<B> }
        operators! { @numbers $trait $method: f64 i64 }
    )*};
    (@tensors $trait:ident $method:ident: $(($left:ty, $right:ty))*) => {$(
        impl<B: Backend> ops::$trait<$right> for $left {
            type Output = Result<Tensor<B>>;
            #[track_caller]
            fn $method(self, right: $right) -> Result<Tensor<B>> {
                Tensor::$method(&self, right)
            }
        }
    )*};
    (@results $trait:ident $method:ident: $($tensor:ty),*) => {$(
        impl<B: Backend> ops::$trait<Result<Tensor<B>>> for $tensor {
            type Output = Result<Tensor<B>>;
            #[track_caller]
            fn $method(self, right: Result<Tensor<B>>) -> Result<Tensor<B>> {
                Tensor::$method(&self, right?)
            }
        }
        impl<B: Backend> ops::$trait<$tensor> for Result<Tensor<B>> {
            type Output = Result<Tensor<B>>;
            #[track_caller]
            fn $method(self, right: $tensor) -> Result<Tensor<B>> {
                Tensor::$method(&self?, right)
            }
        }
    )*};
    (@numbers $trait:ident $method:ident: $($number:ty)*) => {$(
        impl<B: Backend> ops::$trait<$number> for Tensor<B> {
            type Output = Result<Tensor<B>>;
            #[track_caller]
            fn $method(self, right: $number) -> Result<Tensor<B>> {
                Tensor::$method(&self, right)
            }
        }
        impl<B: Backend> ops::$trait<$number> for &Tensor<B> {
            type Output = Result<Tensor<B>>;
            #[track_caller]
            fn $method(self, right: $number) -> Result<Tensor<B>> {
                Tensor::$method(self, right)
            }
        }
        impl<B: Backend> ops::$trait<Tensor<B>> for $number {
            type Output = Result<Tensor<B>>;
            #[track_caller]
            fn $method(self, right: Tensor<B>) -> Result<Tensor<B>> {
                ops::$trait::$method(self, &right)
            }
        }
        impl<B: Backend> ops::$trait<&Tensor<B>> for $number {
            type Output = Result<Tensor<B>>;
            #[track_caller]
            fn $method(self, right: &Tensor<B>) -> Result<Tensor<B>> {
                Tensor::$method(&right.beside(Arg::Scalar(self.into()))?, right)
            }
        }
    )*};
}

operators! { Add add Sub sub Mul mul Div div }

impl<B: Backend> ops::Neg for &Tensor<B> {
    type Output = Result<Tensor<B>>;
    #[track_caller]
    fn neg(self) -> Result<Tensor<B>> {
        Tensor::neg(self)
    }
}

impl<B: Backend> ops::Neg for Tensor<B> {
    type Output = Result<Tensor<B>>;
    #[track_caller]
    fn neg(self) -> Result<Tensor<B>> {
        Tensor::neg(&self)
    }
}

impl<B: Backend> Tensor<B> {
    /// A number as a tensor without dims, in the dtype in which it meets this one.
    #[track_caller]
    pub(crate) fn beside(&self, number: Arg<B>) -> Result<Self> {
        let dtype = number.promote(self);
        number.into_tensor(self, dtype)
    }
}
