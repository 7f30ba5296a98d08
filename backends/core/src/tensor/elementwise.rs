//! Element by element.
use super::arg::result_type;
use crate::{Arg, Backend, Binary, Compare, DType, Op, Result, Tensor, Unary};

/// Functions of real numbers; whole numbers are cast to F32 first.
macro_rules! float_functions {
    ($($(#[$doc:meta])* $method:ident $kind:ident;)*) => { impl<B: Backend> Tensor<B> {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $method(&self) -> Result<Self> {
            Self::one(Op::Unary(Unary::$kind, &self.to_float()?))
        }
    )*}};
}

/// Functions that whole numbers have too.
macro_rules! functions {
    ($($(#[$doc:meta])* $method:ident $kind:ident;)*) => { impl<B: Backend> Tensor<B> {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $method(&self) -> Result<Self> {
            Self::one(Op::Unary(Unary::$kind, self))
        }
    )*}};
}

/// Functions of two tensors, or a tensor and a number, in the dtype in which both meet.
macro_rules! binary_functions {
    ($($(#[$doc:meta])* $method:ident $kind:ident;)*) => { impl<B: Backend> Tensor<B> {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $method(&self, other: impl Into<Arg<B>>) -> Result<Self> {
            self.binary(Binary::$kind, other.into())
        }
    )*}};
}

/// Comparisons with a tensor or a number.
macro_rules! comparisons {
    ($($(#[$doc:meta])* $method:ident $kind:ident;)*) => { impl<B: Backend> Tensor<B> {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $method(&self, other: impl Into<Arg<B>>) -> Result<Self> {
            let (a, b) = self.meet(other.into(), |dtype| dtype)?;
            Self::one(Op::Compare(Compare::$kind, &a, &b))
        }
    )*}};
}

float_functions! {
    /// `eˣ`.
    exp Exp;
    /// `2ˣ`.
    exp2 Exp2;
    /// `eˣ - 1`, exact near zero.
    expm1 Expm1;
    /// `ln x`.
    log Log;
    /// `log₂ x`.
    log2 Log2;
    /// `log₁₀ x`.
    log10 Log10;
    /// `ln (1 + x)`, exact near zero.
    log1p Log1p;
    /// `√x`.
    sqrt Sqrt;
    /// `1 / √x`.
    rsqrt Rsqrt;
    /// `1 / x`.
    reciprocal Recip;
    /// `sin x`, of radians.
    sin Sin;
    /// `cos x`, of radians.
    cos Cos;
    /// `tan x`, of radians.
    tan Tan;
    /// `arcsin x`, in radians.
    asin Asin;
    /// `arccos x`, in radians.
    acos Acos;
    /// `arctan x`, in radians.
    atan Atan;
    /// `sinh x`.
    sinh Sinh;
    /// `cosh x`.
    cosh Cosh;
    /// `tanh x`.
    tanh Tanh;
    /// `arsinh x`.
    asinh Asinh;
    /// `arcosh x`.
    acosh Acosh;
    /// `artanh x`.
    atanh Atanh;
    /// `1 / (1 + e⁻ˣ)`.
    sigmoid Sigmoid;
    /// `2/√π ∫₀ˣ e^(-t²) dt`.
    erf Erf;
    /// `1 - erf x`.
    erfc Erfc;
    /// The inverse of `erf`.
    erfinv Erfinv;
    /// `ln |Γ(x)|`.
    lgamma Lgamma;
    /// `d ln Γ(x) / dx`.
    digamma Digamma;
}

functions! {
    /// `-x`.
    neg Neg;
    /// `|x|`.
    abs Abs;
    /// `max(x, 0)`.
    relu Relu;
    /// Bits inverted; of Bool, its negation.
    bitwise_not Not;
}

binary_functions! {
    /// `a + b`; of Bool, or.
    add Add;
    /// `a - b`.
    sub Sub;
    /// `a b`; of Bool, and.
    mul Mul;
    /// `aᵇ`.
    pow Pow;
    /// The larger of both, NaN where one is.
    maximum Maximum;
    /// The smaller of both, NaN where one is.
    minimum Minimum;
    /// The remainder with the sign of the divisor.
    remainder Remainder;
    /// The remainder with the sign of the dividend.
    fmod Fmod;
    /// And, of bits.
    bitwise_and BitAnd;
    /// Or, of bits.
    bitwise_or BitOr;
    /// Exclusive or, of bits.
    bitwise_xor BitXor;
    /// Shifted left.
    bitwise_left_shift Shl;
    /// Shifted right, keeping the sign.
    bitwise_right_shift Shr;
}

comparisons! {
    /// `a = b`.
    eq Eq;
    /// `a ≠ b`.
    ne Ne;
    /// `a < b`.
    lt Lt;
    /// `a ≤ b`.
    le Le;
    /// `a > b`.
    gt Gt;
    /// `a ≥ b`.
    ge Ge;
}

impl<B: Backend> Tensor<B> {
    /// `a / b`; whole numbers are divided as real ones.
    #[track_caller]
    pub fn div(&self, other: impl Into<Arg<B>>) -> Result<Self> {
        let (a, b) = self.meet(other.into(), |dtype| if dtype.is_float() { dtype } else { DType::F32 })?;
        Self::one(Op::Binary(Binary::Div, &a, &b))
    }

    /// The angle of the point `(other, self)`, in radians.
    #[track_caller]
    pub fn atan2(&self, other: impl Into<Arg<B>>) -> Result<Self> {
        let (a, b) = self.meet(other.into(), |dtype| if dtype.is_float() { dtype } else { DType::F32 })?;
        Self::one(Op::Binary(Binary::Atan2, &a, &b))
    }

    /// `a` where this Bool tensor is true, else `b`: `torch.where(self, a, b)`.
    #[track_caller]
    pub fn where_(&self, a: impl Into<Arg<B>>, b: impl Into<Arg<B>>) -> Result<Self> {
        let (a, b) = match (a.into(), b.into()) {
            (Arg::Tensor(a), b) => a.meet(b, |dtype| dtype)?,
            (a, Arg::Tensor(b)) => {
                let (b, a) = b.meet(a, |dtype| dtype)?;
                (a, b)
            }
            (Arg::Scalar(a), b) => {
                let dtype = b.promote(&Tensor::full((), a, self.backend())?);
                (Tensor::full((), a, (dtype, self.backend()))?, b.into_tensor(self, dtype)?)
            }
        };
        let shape = self.common_shape("where", &a)?;
        let (c, a, b) = (self.broadcast_to(&shape)?, a.broadcast_to(&shape)?, b.broadcast_to(&shape)?);
        Self::one(Op::Select(&c, &a, &b))
    }

    /// `x²`.
    #[track_caller]
    pub fn square(&self) -> Result<Self> {
        self.mul(self)
    }

    #[track_caller]
    pub(crate) fn binary(&self, kind: Binary, other: Arg<B>) -> Result<Self> {
        let (a, b) = self.meet(other, |dtype| dtype)?;
        Self::one(Op::Binary(kind, &a, &b))
    }

    /// Both operands in one dtype (what `settle` makes of the promoted one) and one shape.
    #[track_caller]
    pub(crate) fn meet(&self, other: Arg<B>, settle: impl Fn(DType) -> DType) -> Result<(Self, Self)> {
        let dtype = settle(other.promote(self));
        let (a, b) = (self.to(dtype)?, other.into_tensor(self, dtype)?);
        if a.shape() == b.shape() {
            return Ok((a, b));
        }
        let shape = a.common_shape("broadcast_tensors", &b)?;
        Ok((a.broadcast_to(&shape)?, b.broadcast_to(&shape)?))
    }

    /// The dtype in which this and another tensor meet.
    pub fn result_type(&self, other: &Self) -> DType {
        result_type(self, other)
    }
}
