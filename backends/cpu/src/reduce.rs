//! Awaits its kernels.
#![allow(unused_variables)]
use crate::CpuValue;
use firesteel_core::*;

pub(crate) fn reduce(kind: Reduce, x: &CpuValue, axes: &Axes, out: &Meta) -> Result<CpuValue> {
    Err(Error::unsupported("reduce", "has no kernel yet"))
}

pub(crate) fn arg_reduce(kind: ArgReduce, x: &CpuValue, axis: usize, out: &Meta) -> Result<CpuValue> {
    Err(Error::unsupported("arg_reduce", "has no kernel yet"))
}
