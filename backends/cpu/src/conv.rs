//! Awaits its kernels.
#![allow(unused_variables)]
use crate::CpuValue;
use firesteel_core::*;

pub(crate) fn conv(conv: &Conv, x: &CpuValue, w: &CpuValue, out: &Meta) -> Result<CpuValue> {
    Err(Error::unsupported("conv", "has no kernel yet"))
}

pub(crate) fn input_grad(conv: &Conv, g: &CpuValue, w: &CpuValue, out: &Meta) -> Result<CpuValue> {
    Err(Error::unsupported("input_grad", "has no kernel yet"))
}

pub(crate) fn weight_grad(conv: &Conv, g: &CpuValue, x: &CpuValue, out: &Meta) -> Result<CpuValue> {
    Err(Error::unsupported("weight_grad", "has no kernel yet"))
}
