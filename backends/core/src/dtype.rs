//! The types of elements, the Rust types behind them, and PyTorch's promotion between them.
use half::{bf16, f16};
use std::{fmt, str::FromStr};

use crate::Error;

/// What kind of number a dtype holds; the order is that of promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// True or false.
    Bool,
    /// Whole numbers.
    Integer,
    /// Real numbers, which have derivatives.
    Float,
}

/// A Rust type that a tensor can hold.
pub trait Element: Copy + Default + PartialEq + fmt::Debug + Send + Sync + 'static {
    /// Its dtype.
    const DTYPE: DType;
    /// The vector of it, as [`Data`](crate::Data).
    fn wrap(values: Vec<Self>) -> crate::Data;
    /// The slice within, where `data` holds this type.
    fn peek(data: &crate::Data) -> Option<&[Self]>;
    /// The vector within, or the data back where it holds another type.
    fn unwrap(data: crate::Data) -> Result<Vec<Self>, crate::Data>;
    /// The nearest value; integers truncate through i64 and wrap, NaN becomes 0 there.
    fn from_f64(x: f64) -> Self;
    /// The value as f64, exact but for large I64.
    fn to_f64(self) -> f64;
    /// The nearest value; narrower integers wrap.
    fn from_i64(x: i64) -> Self;
    /// The value as i64; floats truncate and saturate.
    fn to_i64(self) -> i64;
}

/// Declares the dtypes: variant, Rust type, PyTorch's name, category.
macro_rules! dtypes {
    ($($(#[$doc:meta])* $variant:ident $rust:ty, $name:literal, $category:ident;)*) => {
        /// The type of a tensor's elements.
        ///
        /// ```
        /// use firesteel_core::DType;
        /// assert_eq!("float32".parse::<DType>()?, DType::F32);
        /// assert_eq!(DType::BF16.size(), 2);
        /// # Ok::<(), firesteel_core::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        pub enum DType { $($(#[$doc])* $variant),* }

        impl DType {
            /// Every dtype.
            pub const ALL: &[DType] = &[$(DType::$variant),*];

            /// PyTorch's name: `float32`.
            pub fn name(self) -> &'static str {
                match self { $(DType::$variant => $name),* }
            }

            /// Bytes of one element.
            pub fn size(self) -> usize {
                match self { $(DType::$variant => size_of::<$rust>()),* }
            }

            /// Whether it holds truth values, whole or real numbers.
            pub fn category(self) -> Category {
                match self { $(DType::$variant => Category::$category),* }
            }
        }

        /// A vector of elements of any dtype, in host memory.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Data { $(#[doc = $name] $variant(Vec<$rust>)),* }

        impl Data {
            /// The dtype of the elements.
            pub fn dtype(&self) -> DType {
                match self { $(Data::$variant(_) => DType::$variant),* }
            }

            /// How many elements there are.
            pub fn len(&self) -> usize {
                match self { $(Data::$variant(v) => v.len()),* }
            }

            /// Whether there is none.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// The elements as bytes, in the machine's order.
            pub fn bytes(&self) -> &[u8] {
                match self { $(Data::$variant(v) => bytemuck::cast_slice(v)),* }
            }

            /// Pieces of one dtype, one after another; pieces of another dtype are left out.
            pub fn concat<'a>(dtype: DType, pieces: impl Iterator<Item = &'a Data>) -> Data {
                match dtype {
                    $(DType::$variant => {
                        Data::$variant(pieces.filter_map(<$rust>::peek).flatten().copied().collect())
                    })*
                }
            }

            /// Elements from bytes in the machine's order, or nothing where the length does not fit.
            /// A byte of a Bool is true unless it is zero.
            pub fn from_bytes(dtype: DType, bytes: &[u8]) -> Option<Data> {
                if !bytes.len().is_multiple_of(dtype.size()) {
                    return None;
                }
                Some(match dtype {
                    $(DType::$variant => Data::$variant(read(bytes)),)*
                })
            }
        }

        /// Runs a body with a type alias bound to the Rust type of a dtype.
        ///
        /// ```
        /// use firesteel_core::{DType, Element, with_dtype};
        /// let zero = with_dtype!(DType::I8, T => T::default().to_f64());
        /// assert_eq!(zero, 0.0);
        /// ```
        #[macro_export]
        macro_rules! with_dtype {
            ($dtype:expr, $t:ident => $body:expr) => {
                match $dtype { $($crate::DType::$variant => { type $t = $crate::rust::$variant; $body })* }
            };
        }

        /// The Rust type of each dtype, by the dtype's name.
        #[allow(missing_docs)]
        pub mod rust {
            use super::*;
            $(pub type $variant = $rust;)*
        }

        $(impl Element for $rust {
            const DTYPE: DType = DType::$variant;
            fn wrap(values: Vec<Self>) -> Data {
                Data::$variant(values)
            }
            fn peek(data: &Data) -> Option<&[Self]> {
                if let Data::$variant(v) = data { Some(v) } else { None }
            }
            fn unwrap(data: Data) -> Result<Vec<Self>, Data> {
                if let Data::$variant(v) = data { Ok(v) } else { Err(data) }
            }
            fn from_f64(x: f64) -> Self {
                Convert::from_f64(x)
            }
            fn to_f64(self) -> f64 {
                Convert::to_f64(self)
            }
            fn from_i64(x: i64) -> Self {
                Convert::from_i64(x)
            }
            fn to_i64(self) -> i64 {
                Convert::to_i64(self)
            }
        })*
    };
}

dtypes! {
    /// Double precision.
    F64 f64, "float64", Float;
    /// Single precision, the default.
    F32 f32, "float32", Float;
    /// The upper half of a single: 8 bits of exponent.
    BF16 bf16, "bfloat16", Float;
    /// IEEE half precision: 5 bits of exponent.
    F16 f16, "float16", Float;
    /// What indices are, where the device has it.
    I64 i64, "int64", Integer;
    /// Signed, 32 bits.
    I32 i32, "int32", Integer;
    /// Signed, 8 bits.
    I8 i8, "int8", Integer;
    /// Unsigned, 32 bits.
    U32 u32, "uint32", Integer;
    /// Unsigned, 8 bits.
    U8 u8, "uint8", Integer;
    /// True or false, a byte each.
    Bool bool, "bool", Bool;
}

impl DType {
    /// Whether it holds real numbers, and so has a derivative.
    pub fn is_float(self) -> bool {
        self.category() == Category::Float
    }

    /// Whether it holds whole numbers (Bool does not).
    pub fn is_integer(self) -> bool {
        self.category() == Category::Integer
    }

    /// Whether negative numbers can be held.
    pub fn is_signed(self) -> bool {
        !matches!(self, DType::U32 | DType::U8 | DType::Bool)
    }

    /// The least number that it holds: -∞ of real ones.
    pub fn lowest(self) -> crate::Scalar {
        use crate::Scalar::{Bool, Float, Int};
        match self {
            DType::F64 | DType::F32 | DType::BF16 | DType::F16 => Float(f64::NEG_INFINITY),
            DType::I64 => Int(i64::MIN),
            DType::I32 => Int(i32::MIN.into()),
            DType::I8 => Int(i8::MIN.into()),
            DType::U32 | DType::U8 => Int(0),
            DType::Bool => Bool(false),
        }
    }

    /// The largest number that it holds: ∞ of real ones.
    ///
    /// ```
    /// use firesteel_core::{DType, Scalar};
    /// assert_eq!(DType::U8.highest(), Scalar::Int(255));
    /// assert_eq!(DType::F16.lowest(), Scalar::Float(f64::NEG_INFINITY));
    /// ```
    pub fn highest(self) -> crate::Scalar {
        use crate::Scalar::{Bool, Float, Int};
        match self {
            DType::F64 | DType::F32 | DType::BF16 | DType::F16 => Float(f64::INFINITY),
            DType::I64 => Int(i64::MAX),
            DType::I32 => Int(i32::MAX.into()),
            DType::I8 => Int(i8::MAX.into()),
            DType::U32 => Int(u32::MAX.into()),
            DType::U8 => Int(u8::MAX.into()),
            DType::Bool => Bool(true),
        }
    }

    /// Whether it is one of the two half precisions, whose sums are kept in F32.
    pub fn is_half(self) -> bool {
        matches!(self, DType::BF16 | DType::F16)
    }

    /// The dtype in which both fit, by
    /// [PyTorch's table](https://docs.pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc).
    /// U32 beside a signed integer gives I64, which PyTorch leaves open.
    ///
    /// ```
    /// use firesteel_core::DType;
    /// assert_eq!(DType::BF16.promote(DType::F16), DType::F32);
    /// assert_eq!(DType::U8.promote(DType::I8), DType::I32);
    /// assert_eq!(DType::I64.promote(DType::F16), DType::F16);
    /// ```
    pub fn promote(self, other: DType) -> DType {
        use DType::*;
        if self == other {
            return self;
        }
        let (low, high) = if self.category() <= other.category() { (self, other) } else { (other, self) };
        if low.category() < high.category() {
            return high;
        }
        match (low, high) {
            (F64, _) | (_, F64) => F64,
            (F32 | BF16 | F16, _) => F32,
            (I64, _) | (_, I64) => I64,
            (U32, U8) | (U8, U32) => U32,
            (U32, _) | (_, U32) => I64,
            // I16 is missing between U8 and I8, so they meet one step further up.
            (I32, _) | (_, I32) | (I8 | U8, _) => I32,
            (Bool, _) => Bool,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for DType {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self, Error> {
        let found = DType::ALL.iter().find(|d| d.name() == name || format!("{d:?}") == name);
        found.copied().ok_or_else(|| {
            let all: Vec<_> = DType::ALL.iter().map(|d| d.name()).collect();
            Error::dtype("dtype", format!("{name:?} is not one of {}", all.join(", ")))
        })
    }
}

/// Elements from bytes that need not be aligned.
fn read<T: FromBytes>(bytes: &[u8]) -> Vec<T> {
    bytes.chunks_exact(size_of::<T>()).map(T::from_bytes).collect()
}

trait FromBytes {
    fn from_bytes(bytes: &[u8]) -> Self;
}

/// What the standard library calls by another name for each type.
trait Convert: Sized {
    fn from_f64(x: f64) -> Self;
    fn to_f64(self) -> f64;
    fn from_i64(x: i64) -> Self;
    fn to_i64(self) -> i64;
}

macro_rules! convert {
    // floats are rounded, integers go through i64 and wrap, as on PyTorch's CPU
    (@narrow f64, $x:expr) => { $x };
    (@narrow f32, $x:expr) => { $x as f32 };
    (@narrow $t:ident, $x:expr) => { $x as i64 as $t };
    ($($t:ident)*) => {$(
        impl FromBytes for $t {
            fn from_bytes(bytes: &[u8]) -> Self {
                bytemuck::pod_read_unaligned(bytes)
            }
        }
        impl Convert for $t {
            fn from_f64(x: f64) -> Self { convert!(@narrow $t, x) }
            fn to_f64(self) -> f64 { self as f64 }
            fn from_i64(x: i64) -> Self { x as $t }
            fn to_i64(self) -> i64 { self as i64 }
        }
    )*};
    (half: $($t:ident)*) => {$(
        impl FromBytes for $t {
            fn from_bytes(bytes: &[u8]) -> Self {
                bytemuck::pod_read_unaligned(bytes)
            }
        }
        impl Convert for $t {
            fn from_f64(x: f64) -> Self { <$t>::from_f64(x) }
            fn to_f64(self) -> f64 { <$t>::to_f64(self) }
            fn from_i64(x: i64) -> Self { <$t>::from_f32(x as f32) }
            fn to_i64(self) -> i64 { self.to_f32() as i64 }
        }
    )*};
}

convert! { f64 f32 i64 i32 i8 u32 u8 }
convert! { half: bf16 f16 }

impl FromBytes for bool {
    fn from_bytes(bytes: &[u8]) -> Self {
        bytes != [0]
    }
}

impl Convert for bool {
    fn from_f64(x: f64) -> Self {
        x != 0.
    }
    fn to_f64(self) -> f64 {
        f64::from(u8::from(self))
    }
    fn from_i64(x: i64) -> Self {
        x != 0
    }
    fn to_i64(self) -> i64 {
        i64::from(self)
    }
}
