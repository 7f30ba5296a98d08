//! Awaits its kernels.
#![allow(unused_variables)]
use crate::CpuValue;
use firesteel_core::*;

pub(crate) fn gather(x: &CpuValue, index: &CpuValue, axis: usize) -> Result<CpuValue> {
    Err(Error::unsupported("gather", "has no kernel yet"))
}

pub(crate) fn scatter(
    kind: Scatter,
    into: &CpuValue,
    index: &CpuValue,
    x: &CpuValue,
    axis: usize,
) -> Result<CpuValue> {
    Err(Error::unsupported("scatter", "has no kernel yet"))
}

pub(crate) fn index_select(x: &CpuValue, index: &CpuValue, axis: usize, out: &Meta) -> Result<CpuValue> {
    Err(Error::unsupported("index_select", "has no kernel yet"))
}

pub(crate) fn index_put(
    kind: Scatter,
    into: &CpuValue,
    index: &CpuValue,
    x: &CpuValue,
    axis: usize,
) -> Result<CpuValue> {
    Err(Error::unsupported("index_put", "has no kernel yet"))
}

pub(crate) fn wrap_index(index: &CpuValue, len: usize) -> Result<CpuValue> {
    Err(Error::unsupported("wrap_index", "has no kernel yet"))
}
