//! Awaits its kernels.
#![allow(unused_variables)]
use crate::CpuValue;
use firesteel_core::*;

pub(crate) fn concat(xs: &[&CpuValue], axis: usize, out: &Meta) -> Result<CpuValue> {
    Err(Error::unsupported("concat", "has no kernel yet"))
}

pub(crate) fn pad(x: &CpuValue, padding: &[PadAxis], value: Scalar, out: &Meta) -> Result<CpuValue> {
    Err(Error::unsupported("pad", "has no kernel yet"))
}

pub(crate) fn fold(x: &CpuValue, axis: usize, step: usize, out: &Meta) -> Result<CpuValue> {
    Err(Error::unsupported("fold", "has no kernel yet"))
}

pub(crate) fn write(into: &CpuValue, x: &CpuValue, spans: &[Span]) -> Result<CpuValue> {
    Err(Error::unsupported("write", "has no kernel yet"))
}
