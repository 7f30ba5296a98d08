//! From nothing, and from and to host memory.
use crate::{CpuValue, memory::Block, value::Output, view};
use bytemuck::NoUninit;
use firesteel_core::{Data, Element, Error, Meta, Result, Scalar, TensorData, with_dtype};

pub(crate) fn upload(data: TensorData) -> Result<CpuValue> {
    let meta = data.meta();
    bits!(meta.dtype, T => {
        let mut y = Output::<T>::new(meta.numel())?;
        bytemuck::cast_slice_mut::<T, u8>(y.slice()).copy_from_slice(data.data().bytes());
        Ok(y.finish(meta.shape, meta.dtype))
    })
}

pub(crate) fn download(x: &CpuValue) -> Result<TensorData> {
    let x = view::contiguous(x)?;
    let bytes: &[u8] = bits!(x.meta.dtype, T => bytemuck::cast_slice(x.rows::<T>().unwrap_or_default()));
    let data = Data::from_bytes(x.meta.dtype, bytes);
    TensorData::new(&x.meta.shape, data.ok_or_else(|| Error::internal("download", "a half element"))?)
}

pub(crate) fn arange(start: Scalar, step: Scalar, out: &Meta) -> Result<CpuValue> {
    with_dtype!(out.dtype, T => match (start, step) {
        (Scalar::Int(start), Scalar::Int(step)) => {
            write(out, |i| T::from_i64(start.wrapping_add(step.wrapping_mul(i as i64))))
        }
        _ => {
            let (start, step) = (start.to_f64(), step.to_f64());
            write(out, |i| T::from_f64(start + i as f64 * step))
        }
    })
}

/// Each element by its place, straight into the pool, which refuses what is too large.
fn write<T: NoUninit>(out: &Meta, element: impl Fn(usize) -> T) -> Result<CpuValue> {
    let mut block = Block::new(out.numel().saturating_mul(size_of::<T>()))?;
    let places = block.bytes_mut().chunks_exact_mut(size_of::<T>());
    places.zip(0..out.numel()).for_each(|(place, i)| place.copy_from_slice(bytemuck::bytes_of(&element(i))));
    Ok(CpuValue::from_block(out, block))
}
