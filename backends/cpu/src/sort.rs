//! Awaits its kernels.
#![allow(unused_variables)]
use crate::CpuValue;
use firesteel_core::*;

pub(crate) fn sort(x: &CpuValue, axis: usize, descending: bool) -> Result<Outputs<CpuValue>> {
    Err(Error::unsupported("sort", "has no kernel yet"))
}

pub(crate) fn search_sorted(sorted: &CpuValue, values: &CpuValue, right: bool) -> Result<CpuValue> {
    Err(Error::unsupported("search_sorted", "has no kernel yet"))
}
