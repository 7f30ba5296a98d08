//! Families of operations that differ only in their arithmetic.
use crate::{DType, Scalar};

/// Declares a family of operations that differ only in their arithmetic, with their names.
macro_rules! kinds {
    ($($(#[$doc:meta])* $family:ident { $($(#[$kind_doc:meta])* $kind:ident $name:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        pub enum $family { $($(#[$kind_doc])* $kind),* }

        impl $family {
            /// Every member of the family.
            pub const ALL: &[$family] = &[$($family::$kind),*];

            /// The operation's name in errors and tables: PyTorch's.
            pub fn name(self) -> &'static str {
                match self { $($family::$kind => $name),* }
            }
        }
    )*};
}

kinds! {
    /// Functions of one element. Those from `Neg` to `Not` take integers too; the rest take floats.
    Unary {
        /// `-x`
        Neg "neg",
        /// `|x|`
        Abs "abs",
        /// -1, 0 or 1; NaN for NaN
        Sign "sign",
        /// `max(x, 0)`
        Relu "relu",
        /// Bits inverted; of Bool, its negation
        Not "bitwise_not",
        /// The largest whole number not above `x`
        Floor "floor",
        /// The smallest whole number not below `x`
        Ceil "ceil",
        /// To the nearest whole number, halves to the even one
        Round "round",
        /// Towards zero
        Trunc "trunc",
        /// `√x`
        Sqrt "sqrt",
        /// `1 / √x`
        Rsqrt "rsqrt",
        /// `1 / x`
        Recip "reciprocal",
        /// `eˣ`
        Exp "exp",
        /// `2ˣ`
        Exp2 "exp2",
        /// `eˣ - 1`
        Expm1 "expm1",
        /// `ln x`
        Log "log",
        /// `log₂ x`
        Log2 "log2",
        /// `log₁₀ x`
        Log10 "log10",
        /// `ln (1 + x)`
        Log1p "log1p",
        /// `sin x`
        Sin "sin",
        /// `cos x`
        Cos "cos",
        /// `tan x`
        Tan "tan",
        /// `arcsin x`
        Asin "asin",
        /// `arccos x`
        Acos "acos",
        /// `arctan x`
        Atan "atan",
        /// `sinh x`
        Sinh "sinh",
        /// `cosh x`
        Cosh "cosh",
        /// `tanh x`
        Tanh "tanh",
        /// `arsinh x`
        Asinh "asinh",
        /// `arcosh x`
        Acosh "acosh",
        /// `artanh x`
        Atanh "atanh",
        /// `1 / (1 + e⁻ˣ)`
        Sigmoid "sigmoid",
        /// `2/√π ∫₀ˣ e^(-t²) dt`
        Erf "erf",
        /// `1 - erf x`
        Erfc "erfc",
        /// The inverse of `erf`
        Erfinv "erfinv",
        /// `ln |Γ(x)|`
        Lgamma "lgamma",
        /// `d ln Γ(x) / dx`
        Digamma "digamma",
    }
    /// Functions of two elements of one dtype.
    Binary {
        /// `a + b`; of Bool, or
        Add "add",
        /// `a - b`
        Sub "sub",
        /// `a b`; of Bool, and
        Mul "mul",
        /// `a / b`; of integers, towards zero
        Div "div",
        /// `aᵇ`; integers wrap
        Pow "pow",
        /// The remainder with the sign of `b` (Python's `%`)
        Remainder "remainder",
        /// The remainder with the sign of `a` (C's `fmod`)
        Fmod "fmod",
        /// The larger; NaN where one is
        Maximum "maximum",
        /// The smaller; NaN where one is
        Minimum "minimum",
        /// The angle of the point `(b, a)`
        Atan2 "atan2",
        /// `|a|` with the sign of `b`
        Copysign "copysign",
        /// Hurwitz's zeta function `Σ (b + k)⁻ᵃ` over `k ≥ 0`; `ζ(2, x)` is the derivative of `digamma`
        Zeta "zeta",
        /// Of integers and Bool
        BitAnd "bitwise_and",
        /// Of integers and Bool
        BitOr "bitwise_or",
        /// Of integers and Bool
        BitXor "bitwise_xor",
        /// The greatest common divisor of integers
        Gcd "gcd",
        /// Of integers; zero where `b` is not in `[0, bits)`
        Shl "bitwise_left_shift",
        /// Of integers, keeping the sign; all sign where `b` is not in `[0, bits)`
        Shr "bitwise_right_shift",
    }
    /// Comparisons of two elements of one dtype, which give Bool.
    Compare {
        /// `a = b`
        Eq "eq",
        /// `a ≠ b`
        Ne "ne",
        /// `a < b`
        Lt "lt",
        /// `a ≤ b`
        Le "le",
        /// `a > b`
        Gt "gt",
        /// `a ≥ b`
        Ge "ge",
    }
    /// Functions of all elements along some axes, which stay with size one. Of no elements: 0, 1 and NaN
    /// for the first three; `Max` and `Min` need one.
    Reduce {
        /// `Σ x`; half precision is summed in F32
        Sum "sum",
        /// `Π x`
        Prod "prod",
        /// `Σ x / n`, of floats
        Mean "mean",
        /// The largest, NaN where one is; of Bool, any
        Max "amax",
        /// The smallest, NaN where one is; of Bool, all
        Min "amin",
    }
    /// Where along one axis, which stays with size one; the first of equals, NaN before all.
    ArgReduce {
        /// Of the largest
        Max "argmax",
        /// Of the smallest
        Min "argmin",
    }
    /// Running functions along one axis.
    Scan {
        /// `yᵢ = Σ x₀..xᵢ`
        Sum "cumsum",
        /// `yᵢ = Π x₀..xᵢ`
        Prod "cumprod",
    }
    /// How what is written joins what is there.
    Scatter {
        /// The new value; which of several, where an index repeats, is the last on the Cpu
        Set "set",
        /// The sum
        Add "add",
        /// The product
        Mul "prod",
        /// The larger
        Max "amax",
        /// The smaller
        Min "amin",
    }
    /// What random numbers look like.
    Distribution {
        /// Even in `[0, 1)`: 53 bits for F64, 24 for F32, 11 for F16 and 8 for BF16
        Uniform "rand",
        /// Mean 0, variance 1, by Box and Muller's transform
        Normal "randn",
        /// Every value of an integer dtype, even
        Bits "random",
    }
}

impl Reduce {
    /// What joins one element to those before it; a mean is their sum, divided.
    pub fn join(self) -> Binary {
        match self {
            Reduce::Sum | Reduce::Mean => Binary::Add,
            Reduce::Prod => Binary::Mul,
            Reduce::Max => Binary::Maximum,
            Reduce::Min => Binary::Minimum,
        }
    }

    /// What the first element is joined to.
    ///
    /// ```
    /// use firesteel_core::{DType, Reduce, Scalar};
    /// assert_eq!(Reduce::Min.start(DType::U8), Scalar::Int(255));
    /// ```
    pub fn start(self, dtype: DType) -> Scalar {
        match self {
            Reduce::Sum | Reduce::Mean => Scalar::Int(0).round_to(dtype),
            Reduce::Prod => Scalar::Int(1).round_to(dtype),
            Reduce::Max => dtype.lowest(),
            Reduce::Min => dtype.highest(),
        }
    }
}

impl Scan {
    /// What joins one element to those before it.
    pub fn join(self) -> Binary {
        match self {
            Scan::Sum => Binary::Add,
            Scan::Prod => Binary::Mul,
        }
    }

    /// What the first element is joined to.
    pub fn start(self) -> Scalar {
        match self {
            Scan::Sum => Scalar::Int(0),
            Scan::Prod => Scalar::Int(1),
        }
    }
}

impl Scatter {
    /// What joins the new value to the one that is there, or nothing where it takes its place.
    pub fn join(self) -> Option<Binary> {
        match self {
            Scatter::Set => None,
            Scatter::Add => Some(Binary::Add),
            Scatter::Mul => Some(Binary::Mul),
            Scatter::Max => Some(Binary::Maximum),
            Scatter::Min => Some(Binary::Minimum),
        }
    }
}
