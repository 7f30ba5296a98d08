//! A number beside tensors: it keeps its kind, and takes no memory on any device.
use crate::{Category, DType, Element};
use std::{cmp::Ordering, fmt};

/// A number of one of three kinds, so that integers stay exact and promotion knows what it met.
///
/// ```
/// use firesteel_core::{DType, Scalar};
/// assert_eq!(Scalar::from(3).dtype(), DType::I64);
/// assert_eq!(Scalar::from(2.5f32).to_i64(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Scalar {
    /// A real number.
    Float(#[cfg_attr(feature = "serde", serde(with = "written"))] f64),
    /// A whole number.
    Int(i64),
    /// A truth value.
    Bool(bool),
}

impl Scalar {
    /// The dtype that a tensor made of it alone has, as in `torch.tensor(x)`.
    pub fn dtype(self) -> DType {
        match self {
            Scalar::Float(_) => DType::F32,
            Scalar::Int(_) => DType::I64,
            Scalar::Bool(_) => DType::Bool,
        }
    }

    /// What kind of number it is.
    pub fn category(self) -> Category {
        self.dtype().category()
    }

    /// The value as f64.
    pub fn to_f64(self) -> f64 {
        match self {
            Scalar::Float(x) => x,
            Scalar::Int(x) => x as f64,
            Scalar::Bool(x) => x.to_f64(),
        }
    }

    /// The value as i64; real numbers truncate.
    pub fn to_i64(self) -> i64 {
        match self {
            Scalar::Float(x) => x as i64,
            Scalar::Int(x) => x,
            Scalar::Bool(x) => x.to_i64(),
        }
    }

    /// The value as an element.
    pub fn to<T: Element>(self) -> T {
        match self {
            Scalar::Float(x) => T::from_f64(x),
            Scalar::Int(x) => T::from_i64(x),
            Scalar::Bool(x) => T::from_i64(x.to_i64()),
        }
    }

    /// The nearest value that `dtype` can hold.
    pub fn round_to(self, dtype: DType) -> Scalar {
        with_dtype!(dtype, T => Scalar::of(self.to::<T>()))
    }

    /// An element as a number.
    pub fn of<T: Element>(x: T) -> Scalar {
        match T::DTYPE.category() {
            Category::Float => Scalar::Float(x.to_f64()),
            Category::Integer => Scalar::Int(x.to_i64()),
            Category::Bool => Scalar::Bool(x.to_i64() != 0),
        }
    }
}

/// Numbers of one kind compare as they do in Rust; those of different kinds, and NaN, do not.
impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Scalar::Float(a), Scalar::Float(b)) => a.partial_cmp(b),
            (Scalar::Int(a), Scalar::Int(b)) => a.partial_cmp(b),
            (Scalar::Bool(a), Scalar::Bool(b)) => a.partial_cmp(b),
            (Scalar::Float(_) | Scalar::Int(_) | Scalar::Bool(_), _) => None,
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Scalar::Float(x) => fmt::Display::fmt(x, f),
            Scalar::Int(x) => fmt::Display::fmt(x, f),
            Scalar::Bool(x) => fmt::Display::fmt(x, f),
        }
    }
}

macro_rules! from_elements {
    ($($t:ty)*) => {$(
        impl From<$t> for Scalar {
            fn from(x: $t) -> Self {
                Scalar::of(x)
            }
        }
    )*};
}

from_elements! { f64 f32 half::bf16 half::f16 i64 i32 i8 u32 u8 bool }

impl From<usize> for Scalar {
    fn from(x: usize) -> Self {
        // nothing that has a size reaches 2^63
        Scalar::Int(i64::try_from(x).unwrap_or(i64::MAX))
    }
}

/// Real numbers in formats without infinities and NaN, as JSON is: these are words there.
#[cfg(feature = "serde")]
pub(crate) mod written {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if x.is_finite() { serializer.serialize_f64(*x) } else { serializer.collect_str(x) }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Word(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(x) => Ok(x),
            Written::Word(word) => {
                word.parse().map_err(|_| D::Error::custom(format!("{word:?} is no number")))
            }
        }
    }
}
