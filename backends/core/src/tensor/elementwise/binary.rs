//! Arithmetic of two elements.
use crate::{Arg, Backend, Binary, Error, Op, Result, Scalar, Tensor};

/// Functions of two tensors, or of a tensor and a number, in the dtype in which both meet (`as it is`), or
/// in a real dtype in any case (`of reals`).
macro_rules! functions {
    ($with:ident: $($(#[$doc:meta])* $method:ident $kind:ident ($a:expr, $b:expr) => $t:ident $y:expr;)*) => {
        impl<B: Backend> Tensor<B> {$(
            $(#[$doc])*
            #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.", stringify!($method), ".html>\n
```
use firesteel::prelude::*;
let a = Tensor::new(", stringify!($a), ", &Cpu::default())?;
assert_eq!(a.", stringify!($method), "(", stringify!($b), ")?.to_vec::<", stringify!($t), ">()?, ", stringify!($y), ");
# Ok::<(), firesteel::Error>(())
```")]
            #[track_caller]
            pub fn $method(&self, other: impl Into<Arg<B>>) -> Result<Self> {
                self.$with(Binary::$kind, other.into())
            }
        )*}
    };
}

functions! { binary:
    /// `a + b`; of Bool, or.
    add Add ([1, 2], 3) => i64 [4, 5];
    /// `a - b`; Bool is an error, as in PyTorch.
    sub Sub ([1, 2], 3) => i64 [-2, -1];
    /// `a b`; of Bool, and.
    mul Mul ([1, 2], 3) => i64 [3, 6];
    /// The larger of both, NaN where one is. Equals share the gradient.
    maximum Maximum ([1, 5], 3) => i64 [3, 5];
    /// The smaller of both, NaN where one is. Equals share the gradient.
    minimum Minimum ([1, 5], 3) => i64 [1, 3];
    /// The remainder with the sign of the divisor: Python's `%`, and ours.
    remainder Remainder ([5, -5], 3) => i64 [2, 1];
    /// The remainder with the sign of the dividend: C's `fmod`.
    fmod Fmod ([5, -5], 3) => i64 [2, -2];
    /// The greatest common divisor of whole numbers, which is not negative; of 0 and `x` it is `|x|`.
    gcd Gcd ([12, -8, 0], 18) => i64 [6, 2, 18];
}

functions! { binary_of_reals:
    /// `a / b`; whole numbers are divided as real ones.
    div Div ([1, 3], 2) => f32 [0.5, 1.5];
    /// [`div`](Self::div) by its longer name.
    true_divide Div ([1, 3], 2) => f32 [0.5, 1.5];
    /// The angle of the point `(b, a)`, in radians.
    atan2 Atan2 ([0.0], 1) => f32 [0.];
    /// `|a|` with the sign of `b`.
    copysign Copysign ([1.0, -2.0], -3) => f32 [-1., -2.];
    /// Hurwitz's zeta function `Σ (b + k)⁻ᵃ` over `k ≥ 0`, PyTorch's `special.zeta`; of `a` it has no gradient.
    zeta Zeta ([3.0], 1) => f32 [1.2020569];
}

/// What becomes of a quotient that is not whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RoundingMode {
    /// Rounded towards zero, as C does with whole numbers.
    #[default]
    Trunc,
    /// Rounded down, as Python's `//` does.
    Floor,
}

impl<B: Backend> Tensor<B> {
    /// The least common multiple of whole numbers, which is not negative; of 0 and `x` it is 0.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.lcm.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([4, -6, 0], &Cpu::default())?;
    /// assert_eq!(x.lcm(10)?.to_vec::<i64>()?, [20, 30, 0]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn lcm(&self, other: impl Into<Arg<B>>) -> Result<Self> {
        let (a, b) = self.meet(other.into(), |dtype| dtype).map_err(|e| e.within("lcm"))?;
        let divisor = a.gcd(&b).map_err(|e| e.within("lcm"))?;
        // of two zeros it is zero, by which nothing is divided
        a.div_rounded(divisor.maximum(1)?, RoundingMode::Trunc)?.mul(b)?.abs()
    }

    /// `a / b` rounded to a whole number; whole numbers stay whole. The gradient is zero.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.div.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// use firesteel::RoundingMode;
    /// let a = Tensor::new([7, -7], &Cpu::default())?;
    /// assert_eq!(a.div_rounded(2, RoundingMode::Trunc)?.to_vec::<i64>()?, [3, -3]);
    /// assert_eq!(a.div_rounded(2, RoundingMode::Floor)?.to_vec::<i64>()?, [3, -4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn div_rounded(&self, other: impl Into<Arg<B>>, mode: RoundingMode) -> Result<Self> {
        let (a, b) = self.meet(other.into(), |dtype| dtype).map_err(|e| e.within("div"))?;
        let quotient = Self::one(Op::Binary(Binary::Div, &a, &b))?;
        match (mode, a.dtype().is_float()) {
            (RoundingMode::Trunc, true) => quotient.trunc(),
            (RoundingMode::Trunc, false) => Ok(quotient),
            (RoundingMode::Floor, true) => floor_of_reals(&a.detach(), &b.detach(), &quotient),
            (RoundingMode::Floor, false) => floor_of_integers(&a, &b, &quotient),
        }
    }

    /// `a / b` rounded down, as Python's `//`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.floor_divide.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([7.0, -7.0], &Cpu::default())?;
    /// assert_eq!(a.floor_divide(2)?.to_vec::<f32>()?, [3., -4.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn floor_divide(&self, other: impl Into<Arg<B>>) -> Result<Self> {
        self.div_rounded(other, RoundingMode::Floor)
    }

    /// `aᵇ`. Whole numbers stay whole, and wrap; a negative number is no exponent for them.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.pow.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([2, 3], &Cpu::default())?;
    /// assert_eq!(a.pow(3)?.to_vec::<i64>()?, [8, 27]);
    /// assert_eq!(a.pow(-1.0)?.to_vec::<f32>()?, [0.5, 1. / 3.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn pow(&self, exponent: impl Into<Arg<B>>) -> Result<Self> {
        let exponent = exponent.into();
        let dtype = exponent.promote(self);
        match exponent {
            Arg::Scalar(Scalar::Int(n)) if n < 0 && !dtype.is_float() => {
                let why = format!("whole numbers have no power {n}: use `{n}.0` or cast with `.float()`");
                Err(Error::value("pow", why))
            }
            // what is exact and faster
            Arg::Scalar(n) if n.to_f64() == 2. && dtype == self.dtype() => self.square(),
            Arg::Scalar(n) if n.to_f64() == 0.5 => self.sqrt(),
            exponent => self.binary(Binary::Pow, exponent),
        }
    }

    /// `baseˣ`: [`pow`](Self::pow) with its operands exchanged (Python's `__rpow__`).
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 4], &Cpu::default())?;
    /// assert_eq!(x.rpow(2)?.to_vec::<i64>()?, [2, 16]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn rpow(&self, base: impl Into<Arg<B>>) -> Result<Self> {
        self.beside(base.into())?.pow(self)
    }

    /// `other - x`: [`sub`](Self::sub) with its operands exchanged.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 4], &Cpu::default())?;
    /// assert_eq!(x.rsub(5)?.to_vec::<i64>()?, [4, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn rsub(&self, other: impl Into<Arg<B>>) -> Result<Self> {
        self.beside(other.into())?.sub(self)
    }
}

/// `⌊a / b⌋` by way of the remainder, since the quotient may have been rounded up to a whole number:
/// `(a - fmod(a, b)) / b` is whole but for its own rounding, and one too large where the remainder and `b`
/// have different signs. By zero it is the quotient.
#[track_caller]
fn floor_of_reals<B: Backend>(a: &Tensor<B>, b: &Tensor<B>, quotient: &Tensor<B>) -> Result<Tensor<B>> {
    let (b, rest) = (b.lazy(), a.lazy().fmod(b));
    let inexact = rest.ne(0) & (rest.lt(0) ^ b.lt(0));
    let whole = ((a.lazy() - &rest) / &b).round();
    b.eq(0).where_(quotient.detach(), &whole - inexact.where_(1, 0)).eval_as("div")
}

/// The quotient towards zero, less one where it is negative and not exact.
#[track_caller]
fn floor_of_integers<B: Backend>(a: &Tensor<B>, b: &Tensor<B>, quotient: &Tensor<B>) -> Result<Tensor<B>> {
    let inexact = a.lazy().fmod(b).ne(0) & (a.lazy().lt(0) ^ b.lazy().lt(0));
    (quotient.lazy() - inexact.where_(1, 0)).eval_as("div")
}
