//! From nothing, and from and to host memory.
use crate::{CpuValue, value::Output, view};
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
    with_dtype!(out.dtype, T => {
        let values: Vec<T> = match (start, step) {
            (Scalar::Int(start), Scalar::Int(step)) => (0..out.numel() as i64)
                .map(|i| T::from_i64(start.wrapping_add(step.wrapping_mul(i))))
                .collect(),
            _ => {
                let (start, step) = (start.to_f64(), step.to_f64());
                (0..out.numel()).map(|i| T::from_f64(start + i as f64 * step)).collect()
            }
        };
        upload(TensorData::new(&out.shape, T::wrap(values))?)
    })
}
