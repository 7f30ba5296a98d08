//! Awaits its kernels.
#![allow(unused_variables)]
use crate::CpuValue;
use firesteel_core::*;

pub(crate) fn unary(kind: Unary, x: &CpuValue) -> Result<CpuValue> {
    Err(Error::unsupported("unary", "has no kernel yet"))
}

pub(crate) fn binary(kind: Binary, a: &CpuValue, b: &CpuValue) -> Result<CpuValue> {
    Err(Error::unsupported("binary", "has no kernel yet"))
}

pub(crate) fn compare(kind: Compare, a: &CpuValue, b: &CpuValue) -> Result<CpuValue> {
    Err(Error::unsupported("compare", "has no kernel yet"))
}

pub(crate) fn select(c: &CpuValue, a: &CpuValue, b: &CpuValue) -> Result<CpuValue> {
    Err(Error::unsupported("select", "has no kernel yet"))
}

pub(crate) fn cast(x: &CpuValue, dtype: DType) -> Result<CpuValue> {
    Err(Error::unsupported("cast", "has no kernel yet"))
}
