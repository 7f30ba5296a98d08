//! Dtypes of few bits, which borrow the kernels of wider ones: so that fewer are compiled.
use crate::{CpuValue, elementwise::cast};
use firesteel_core::{DType, Meta, Result};
use smallvec::SmallVec;

/// The dtype in which elements of this one are joined: halves in F32, as PyTorch does; whole numbers in one that
/// wraps to the same bits.
pub(crate) fn wide(dtype: DType) -> DType {
    match dtype {
        DType::BF16 | DType::F16 => DType::F32,
        DType::I8 => DType::I32,
        DType::U32 => DType::I64,
        DType::F64 | DType::F32 | DType::I64 | DType::I32 | DType::U8 | DType::Bool => dtype,
    }
}

/// Runs a kernel on operands that are widened, and rounds its result once.
pub(crate) fn widened(
    xs: &[&CpuValue],
    out: &Meta,
    kernel: impl FnOnce(&[&CpuValue], &Meta) -> Result<CpuValue>,
) -> Result<CpuValue> {
    if wide(out.dtype) == out.dtype && xs.iter().all(|x| wide(x.meta.dtype) == x.meta.dtype) {
        return kernel(xs, out);
    }
    let xs = xs.iter().map(|x| cast(x, wide(x.meta.dtype))).collect::<Result<SmallVec<[_; 3]>>>()?;
    let y = kernel(&xs.iter().collect::<SmallVec<[_; 3]>>(), &Meta::new(&out.shape, wide(out.dtype)))?;
    cast(&y, out.dtype)
}

/// Runs a body with a type alias bound to the type in memory of a wide dtype; of Bool, that is `u8`.
macro_rules! wide {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            firesteel_core::DType::F64 => native!(@ f64, $t, $body),
            firesteel_core::DType::F32 => native!(@ f32, $t, $body),
            firesteel_core::DType::I64 => native!(@ i64, $t, $body),
            firesteel_core::DType::I32 => native!(@ i32, $t, $body),
            firesteel_core::DType::U8 | firesteel_core::DType::Bool => native!(@ u8, $t, $body),
            narrow => Err(firesteel_core::Error::internal("wide", format!("{narrow} is to be widened"))),
        }
    };
}
