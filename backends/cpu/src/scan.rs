//! Awaits its kernels.
#![allow(unused_variables)]
use crate::CpuValue;
use firesteel_core::*;

pub(crate) fn scan(kind: Scan, x: &CpuValue, axis: usize) -> Result<CpuValue> {
    Err(Error::unsupported("scan", "has no kernel yet"))
}

pub(crate) fn recurrence(a: &CpuValue, b: &CpuValue, axis: usize) -> Result<CpuValue> {
    Err(Error::unsupported("recurrence", "has no kernel yet"))
}
