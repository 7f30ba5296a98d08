//! Functions of one element that are primitives.
use crate::{Backend, DType, Op, Result, Tensor, Unary};

/// The link and the example that every function has.
macro_rules! functions {
    // of real numbers; whole numbers are cast to F32 first
    (of reals: $($(#[$doc:meta])* $method:ident $kind:ident $x:literal => $y:literal;)*) => {
        impl<B: Backend> Tensor<B> {$(
            $(#[$doc])*
            #[doc = "\nWhole numbers are cast to F32 first."]
            #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.", stringify!($method), ".html>\n
```
use firesteel::prelude::*;
let x = Tensor::new(", stringify!($x), ", &Cpu::default())?;
assert_eq!(format!(\"{:.4}\", x.", stringify!($method), "()?.item::<f32>()?), ", stringify!($y), ");
# Ok::<(), firesteel::Error>(())
```")]
            #[track_caller]
            pub fn $method(&self) -> Result<Self> {
                let x = self.to_float()?;
                Self::make(&x.backend, Op::Unary(Unary::$kind, &x.value))
            }
        )*}
    };
    // of all numbers; `$same` says of which dtypes it changes nothing
    (of all: $($(#[$doc:meta])* $method:ident $kind:ident ($same:expr) $x:expr => $t:ident $y:expr;)*) => {
        impl<B: Backend> Tensor<B> {$(
            $(#[$doc])*
            #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.", stringify!($method), ".html>\n
```
use firesteel::prelude::*;
let x = Tensor::new(", stringify!($x), ", &Cpu::default())?;
assert_eq!(x.", stringify!($method), "()?.to_vec::<", stringify!($t), ">()?, ", stringify!($y), ");
# Ok::<(), firesteel::Error>(())
```")]
            #[track_caller]
            pub fn $method(&self) -> Result<Self> {
                let same: fn(DType) -> bool = $same;
                if same(self.dtype()) {
                    return Ok(self.clone());
                }
                Self::make(&self.backend, Op::Unary(Unary::$kind, &self.value))
            }
        )*}
    };
}

functions! { of reals:
    /// `eˣ`.
    exp Exp 1.0 => "2.7183";
    /// `2ˣ`.
    exp2 Exp2 0.5 => "1.4142";
    /// `eˣ - 1`, exact near zero.
    expm1 Expm1 1.0 => "1.7183";
    /// `ln x`.
    log Log 2.0 => "0.6931";
    /// `log₂ x`.
    log2 Log2 3.0 => "1.5850";
    /// `log₁₀ x`.
    log10 Log10 2.0 => "0.3010";
    /// `ln (1 + x)`, exact near zero.
    log1p Log1p 1.0 => "0.6931";
    /// `√x`.
    sqrt Sqrt 2.0 => "1.4142";
    /// `1 / √x`.
    rsqrt Rsqrt 2.0 => "0.7071";
    /// `1 / x`.
    reciprocal Recip 3.0 => "0.3333";
    /// `sin x`, of radians.
    sin Sin 1.0 => "0.8415";
    /// `cos x`, of radians.
    cos Cos 1.0 => "0.5403";
    /// `tan x`, of radians.
    tan Tan 1.0 => "1.5574";
    /// `arcsin x`, in radians.
    asin Asin 1.0 => "1.5708";
    /// `arccos x`, in radians.
    acos Acos 0.0 => "1.5708";
    /// `arctan x`, in radians.
    atan Atan 1.0 => "0.7854";
    /// `sinh x`.
    sinh Sinh 1.0 => "1.1752";
    /// `cosh x`.
    cosh Cosh 1.0 => "1.5431";
    /// `tanh x`.
    tanh Tanh 1.0 => "0.7616";
    /// `arsinh x`.
    asinh Asinh 1.0 => "0.8814";
    /// `arcosh x`.
    acosh Acosh 2.0 => "1.3170";
    /// `artanh x`.
    atanh Atanh 0.5 => "0.5493";
    /// `1 / (1 + e⁻ˣ)`.
    sigmoid Sigmoid 1.0 => "0.7311";
    /// `2/√π ∫₀ˣ e^(-t²) dt`.
    erf Erf 1.0 => "0.8427";
    /// `1 - erf x`.
    erfc Erfc 1.0 => "0.1573";
    /// The inverse of `erf`.
    erfinv Erfinv 0.5 => "0.4769";
    /// `ln |Γ(x)|`.
    lgamma Lgamma 4.0 => "1.7918";
    /// `d ln Γ(x) / dx`.
    digamma Digamma 2.0 => "0.4228";
}

functions! { of all:
    /// `-x`.
    neg Neg (|_| false) [1, -2] => i64 [-1, 2];
    /// `|x|`.
    abs Abs (|_| false) [1, -2] => i64 [1, 2];
    /// `max(x, 0)`.
    relu Relu (|_| false) [1, -2] => i64 [1, 0];
    /// -1, 0 or 1; NaN for NaN. Bool stays as it is.
    sign Sign (|dtype| dtype == DType::Bool) [0.5, 0.0, -3.0] => f32 [1., 0., -1.];
    /// The largest whole number not above `x`.
    floor Floor (DType::is_integer) [1.5, -1.5] => f32 [1., -2.];
    /// The smallest whole number not below `x`.
    ceil Ceil (DType::is_integer) [1.5, -1.5] => f32 [2., -1.];
    /// The nearest whole number, halves to the even one.
    round Round (DType::is_integer) [0.5, 1.5, -1.2] => f32 [0., 2., -1.];
    /// The whole part: towards zero.
    trunc Trunc (DType::is_integer) [1.5, -1.5] => f32 [1., -1.];
    /// Bits inverted; of Bool, its negation.
    bitwise_not Not (|_| false) [0, 5] => i64 [-1, -6];
}

impl<B: Backend> Tensor<B> {
    /// -1, 0 or 1: [`sign`](Self::sign), as there are no complex numbers.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.sgn.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([0.5, -3.0], &Cpu::default())?;
    /// assert_eq!(x.sgn()?.to_vec::<f32>()?, [1., -1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn sgn(&self) -> Result<Self> {
        self.sign()
    }

    /// `+x`: numbers as they are; Bool is an error, as in PyTorch.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.positive.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, -2], &Cpu::default())?;
    /// assert_eq!(x.positive()?.to_vec::<i64>()?, [1, -2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn positive(&self) -> Result<Self> {
        if self.dtype() == DType::Bool {
            return Err(crate::Error::dtype("positive", "has no meaning for bool: cast first"));
        }
        Ok(self.clone())
    }

    /// To the nearest multiple of 10⁻ᵈ, halves to the even one; with negative `decimals`, of tens, hundreds
    /// and so on. Whole numbers stay as they are where `decimals` is not negative, and are an error else.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.round.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1234.567], &Cpu::default())?;
    /// assert_eq!(x.round_to(1)?.to_vec::<f32>()?, [1234.6]);
    /// assert_eq!(x.round_to(-2)?.to_vec::<f32>()?, [1200.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn round_to(&self, decimals: i32) -> Result<Self> {
        if decimals == 0 || (decimals > 0 && self.dtype().is_integer()) {
            return self.round();
        }
        if !self.dtype().is_float() {
            let why = format!("needs real numbers for {decimals} decimals, not {}", self.dtype());
            return Err(crate::Error::dtype("round", why));
        }
        let ten = 10f64.powi(decimals.saturating_abs());
        let x = self.lazy();
        if decimals > 0 { (x * ten).round() / ten } else { (x / ten).round() * ten }.eval_as("round")
    }

    /// `x²`; Bool gives I64.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.square.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([3, -2], &Cpu::default())?;
    /// assert_eq!(x.square()?.to_vec::<i64>()?, [9, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn square(&self) -> Result<Self> {
        let x = if self.dtype() == DType::Bool { &self.to(DType::I64)? } else { self };
        x.mul(x)
    }
}
