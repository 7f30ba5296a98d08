//! The same elements, seen otherwise; copied where no strides describe that.
use crate::{WgpuValue, chain, device::Gpu, value::Memory};
use firesteel_core::{Layout, Op, Result, Shape};

pub(crate) fn reshape(gpu: &'static Gpu, x: &WgpuValue, shape: &Shape) -> Result<WgpuValue> {
    if let Memory::Same(_) = x.memory {
        return Ok(x.view(Layout::uniform(shape.clone())));
    }
    match x.layout.reshape(shape) {
        Some(layout) => Ok(x.view(layout)),
        None => Ok(contiguous(gpu, x)?.view(Layout::contiguous(shape.clone()))),
    }
}

/// The value with its elements row-major from the start of a buffer, copied where they lie otherwise.
pub(crate) fn contiguous(gpu: &'static Gpu, x: &WgpuValue) -> Result<WgpuValue> {
    if x.is_rows() || x.meta.numel() == 0 && matches!(x.memory, Memory::Block(_)) {
        return Ok(x.clone());
    }
    // a cast to the dtype that it has
    let copy = [Op::Cast(0, x.meta.dtype)];
    let mut results = chain::run(gpu, &copy, &[1], &[x], &[&x.meta])?;
    results.pop().ok_or_else(|| firesteel_core::Error::internal("view", "a copy without a result"))
}
