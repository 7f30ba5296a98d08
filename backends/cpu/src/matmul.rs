//! Awaits its kernels.
#![allow(unused_variables)]
use crate::CpuValue;
use firesteel_core::*;

pub(crate) fn matmul(a: &CpuValue, b: &CpuValue, out: &Meta) -> Result<CpuValue> {
    Err(Error::unsupported("matmul", "has no kernel yet"))
}
