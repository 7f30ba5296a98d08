//! Bit by bit, and logic.
use crate::{Arg, Backend, Binary, DType, Result, Tensor};

macro_rules! bitwise {
    ($($(#[$doc:meta])* $method:ident $kind:ident ($a:expr, $b:expr) => $y:expr;)*) => { impl<B: Backend> Tensor<B> {$(
        $(#[$doc])*
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.", stringify!($method), ".html>\n
```
use firesteel::prelude::*;
let a = Tensor::new(", stringify!($a), ", &Cpu::default())?;
assert_eq!(a.", stringify!($method), "(", stringify!($b), ")?.to_vec::<i64>()?, ", stringify!($y), ");
# Ok::<(), firesteel::Error>(())
```")]
        #[track_caller]
        pub fn $method(&self, other: impl Into<Arg<B>>) -> Result<Self> {
            self.binary(Binary::$kind, other.into())
        }
    )*}};
}

bitwise! {
    /// And, bit by bit: `a & b`. Of whole numbers and Bool.
    bitwise_and BitAnd ([0b1100, 0b1010], 0b0110) => [0b0100, 0b0010];
    /// Or, bit by bit: `a | b`. Of whole numbers and Bool.
    bitwise_or BitOr ([0b1100, 0b1010], 0b0110) => [0b1110, 0b1110];
    /// Exclusive or, bit by bit: `a ^ b`. Of whole numbers and Bool.
    bitwise_xor BitXor ([0b1100, 0b1010], 0b0110) => [0b1010, 0b1100];
    /// Shifted left: `a << b`. Of whole numbers; zero where `b` is not in `[0, bits)`.
    bitwise_left_shift Shl ([1, 3], 2) => [4, 12];
    /// Shifted right, keeping the sign: `a >> b`. Of whole numbers; all sign where `b` is not in `[0, bits)`.
    bitwise_right_shift Shr ([4, -8], 2) => [1, -2];
}

/// Of whether elements are zero; what is not zero (NaN too) is true.
macro_rules! logical {
    ($($(#[$doc:meta])* $method:ident $kind:ident => $y:expr;)*) => { impl<B: Backend> Tensor<B> {$(
        $(#[$doc])*
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.", stringify!($method), ".html>\n
```
use firesteel::prelude::*;
let cpu = Cpu::default();
let (a, b) = (Tensor::new([0.0, 0.0, 2.0, 2.0], &cpu)?, Tensor::new([0, 1, 0, 1], &cpu)?);
assert_eq!(a.", stringify!($method), "(&b)?.to_vec::<bool>()?, ", stringify!($y), ");
# Ok::<(), firesteel::Error>(())
```")]
        #[track_caller]
        pub fn $method(&self, other: impl Into<Arg<B>>) -> Result<Self> {
            let other = match other.into() {
                Arg::Tensor(t) => Arg::Tensor(t.to(DType::Bool)?),
                Arg::Scalar(x) => (x.to_f64() != 0.).into(),
            };
            self.to(DType::Bool)?.binary(Binary::$kind, other).map_err(|e| e.within(stringify!($method)))
        }
    )*}};
}

logical! {
    /// Whether both are true, as Bool: what is not zero (NaN too) is true.
    logical_and BitAnd => [false, false, false, true];
    /// Whether one is true, as Bool: what is not zero (NaN too) is true.
    logical_or BitOr => [false, true, true, true];
    /// Whether exactly one is true, as Bool: what is not zero (NaN too) is true.
    logical_xor BitXor => [false, true, true, false];
}

impl<B: Backend> Tensor<B> {
    /// Whether an element is zero, as Bool.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.logical_not.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([0.0, 2.0], &Cpu::default())?;
    /// assert_eq!(x.logical_not()?.to_vec::<bool>()?, [true, false]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn logical_not(&self) -> Result<Self> {
        self.to(DType::Bool)?.bitwise_not()
    }
}
