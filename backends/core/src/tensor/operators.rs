//! `Tensor op Tensor`, a `Result` on one side, and a number on one side.
//!
//! Of numbers there are only `f64` and `i64`, so that a literal is one of them and needs no suffix.
//! `%` is [`remainder`](Tensor::remainder), `& | ^ << >> !` go bit by bit (on Bool they are logic).
//! What the language does not allow (E0117, as neither `f64` nor `Result` is ours): `Result + 1.0`,
//! `1.0 - Result`, `Result + Result`. There a `?`, or an [`Expr`](crate::Expr), helps.
use crate::{Arg, Backend, Result, Tensor};
use std::ops;

macro_rules! operators {
    ($($trait:ident $operator:ident $method:ident)*) => {$(
        operators! { @tensors $trait $operator $method: (Tensor<B>, Tensor<B>) (Tensor<B>, &Tensor<B>)
            (&Tensor<B>, Tensor<B>) (&Tensor<B>, &Tensor<B>) }
        operators! { @results $trait $operator $method: Tensor<B>, &Tensor<B> }
        operators! { @numbers $trait $operator $method: f64 i64 }
    )*};
    (@tensors $trait:ident $operator:ident $method:ident: $(($left:ty, $right:ty))*) => {$(
        impl<B: Backend> ops::$trait<$right> for $left {
            type Output = Result<Tensor<B>>;
            #[track_caller]
            fn $operator(self, right: $right) -> Result<Tensor<B>> {
                Tensor::$method(&self, right)
            }
        }
    )*};
    (@results $trait:ident $operator:ident $method:ident: $($tensor:ty),*) => {$(
        impl<B: Backend> ops::$trait<Result<Tensor<B>>> for $tensor {
            type Output = Result<Tensor<B>>;
            #[track_caller]
            fn $operator(self, right: Result<Tensor<B>>) -> Result<Tensor<B>> {
                Tensor::$method(&self, right?)
            }
        }
        impl<B: Backend> ops::$trait<$tensor> for Result<Tensor<B>> {
            type Output = Result<Tensor<B>>;
            #[track_caller]
            fn $operator(self, right: $tensor) -> Result<Tensor<B>> {
                Tensor::$method(&self?, right)
            }
        }
    )*};
    (@numbers $trait:ident $operator:ident $method:ident: $($number:ty)*) => {$(
        impl<B: Backend> ops::$trait<$number> for Tensor<B> {
            type Output = Result<Tensor<B>>;
            #[track_caller]
            fn $operator(self, right: $number) -> Result<Tensor<B>> {
                Tensor::$method(&self, right)
            }
        }
        impl<B: Backend> ops::$trait<$number> for &Tensor<B> {
            type Output = Result<Tensor<B>>;
            #[track_caller]
            fn $operator(self, right: $number) -> Result<Tensor<B>> {
                Tensor::$method(self, right)
            }
        }
        impl<B: Backend> ops::$trait<Tensor<B>> for $number {
            type Output = Result<Tensor<B>>;
            #[track_caller]
            fn $operator(self, right: Tensor<B>) -> Result<Tensor<B>> {
                ops::$trait::$operator(self, &right)
            }
        }
        impl<B: Backend> ops::$trait<&Tensor<B>> for $number {
            type Output = Result<Tensor<B>>;
            #[track_caller]
            fn $operator(self, right: &Tensor<B>) -> Result<Tensor<B>> {
                Tensor::$method(&right.beside(Arg::Scalar(self.into()))?, right)
            }
        }
    )*};
}

operators! {
    Add add add
    Sub sub sub
    Mul mul mul
    Div div div
    Rem rem remainder
    BitAnd bitand bitwise_and
    BitOr bitor bitwise_or
    BitXor bitxor bitwise_xor
    Shl shl bitwise_left_shift
    Shr shr bitwise_right_shift
}

macro_rules! prefixes {
    ($($trait:ident $operator:ident $method:ident: $($tensor:ty),*;)*) => {$($(
        impl<B: Backend> ops::$trait for $tensor {
            type Output = Result<Tensor<B>>;
            #[track_caller]
            fn $operator(self) -> Result<Tensor<B>> {
                Tensor::$method(&self)
            }
        }
    )*)*};
}

prefixes! {
    Neg neg neg: Tensor<B>, &Tensor<B>;
    Not not bitwise_not: Tensor<B>, &Tensor<B>;
}

impl<B: Backend> Tensor<B> {
    /// A number as a tensor without dims, in the dtype in which it meets this one.
    #[track_caller]
    pub(crate) fn beside(&self, number: Arg<B>) -> Result<Self> {
        let dtype = number.promote(self);
        number.into_tensor(self, dtype)
    }
}
