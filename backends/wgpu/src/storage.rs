//! How each dtype lies in a buffer, and what kernels compute in: decided here and nowhere else.
//!
//! WebGPU's buffers are made of 32-bit words, so that what is narrower is packed: two halves or four bytes
//! to a word, in the order of memory. Halves are computed in `f32`, bytes in 32 bits, and a Bool is the
//! number 0 or 1. Halves are decoded by arithmetic on their bits: WGSL lets `unpack2x16float` drop subnormal
//! ones (lavapipe does not), and a product of halves takes about as long as one of F32 as it is. Words of 64 bits
//! need a feature of the device: without it, I64 is computed in 32 bits (`narrow.rs`), and F64 is an error.
use firesteel_core::{DType, Error, Result};
use wgpu::Features;

/// How a dtype is stored and computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Storage {
    /// What a buffer is an array of, in WGSL.
    pub word: &'static str,
    /// Elements in a word: 1, 2 or 4.
    pub lanes: u32,
    /// What an element becomes when it is loaded.
    pub number: &'static str,
    /// The function that makes a number of the low bits of a word; none where a word is the number.
    pub decode: &'static str,
    /// The function that makes the low bits of a word of a number.
    pub encode: &'static str,
}

impl Storage {
    /// Of a dtype.
    pub fn of(dtype: DType) -> Self {
        let plain = |word| Storage { word, lanes: 1, number: word, decode: "", encode: "" };
        let packed = |lanes, number, decode, encode| Storage { word: "u32", lanes, number, decode, encode };
        match dtype {
            DType::F64 => plain("f64"),
            DType::F32 => plain("f32"),
            DType::I64 => plain("i64"),
            DType::I32 => plain("i32"),
            DType::U32 => plain("u32"),
            DType::F16 => packed(2, "f32", "f16_decode", "f16_encode"),
            DType::BF16 => packed(2, "f32", "bf16_decode", "bf16_encode"),
            DType::I8 => packed(4, "i32", "i8_decode", "i8_encode"),
            DType::U8 | DType::Bool => packed(4, "u32", "u8_decode", "u8_encode"),
        }
    }

    /// Bits of an element.
    pub fn bits(self) -> u32 {
        if self.word.ends_with("64") { 64 } else { 32 / self.lanes }
    }
}

/// The dtype of indices that a device with these features makes.
pub(crate) fn index(features: Features) -> DType {
    if features.contains(Features::SHADER_INT64) { DType::I64 } else { DType::I32 }
}

/// Whether a device with these features holds this dtype, or an error that names what is missing.
pub(crate) fn check(op: &'static str, dtype: DType, features: Features) -> Result<()> {
    let (needed, other) = match dtype {
        // its functions are made of its bits
        DType::F64 => (Features::SHADER_F64 | Features::SHADER_INT64, DType::F32),
        DType::I64 => (Features::SHADER_INT64, DType::I32),
        DType::F32
        | DType::BF16
        | DType::F16
        | DType::I32
        | DType::I8
        | DType::U32
        | DType::U8
        | DType::Bool => return Ok(()),
    };
    let missing = needed - features;
    if missing.is_empty() {
        return Ok(());
    }
    let why = format!("{dtype} needs {missing:?}, which this device lacks: cast to {other}");
    Err(Error::unsupported(op, why))
}
