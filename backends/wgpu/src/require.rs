//! What has to hold of numbers that the host has not seen: reported when numbers are read.
use crate::{WgpuValue, check::Check, create, device::Gpu, kernel::Kernel};
use firesteel_core::{Requirement, Result};

pub(crate) fn require(gpu: &'static Gpu, x: &WgpuValue, requirement: Requirement) -> Result<WgpuValue> {
    let y = create::output(gpu, &x.meta)?;
    let mut kernel = Kernel::new(gpu, "require");
    kernel.read("x", x).check(Check::Required(requirement), 0, 0);
    kernel.each(&y, false, || include_str!("../shaders/require.wgsl").to_owned())?;
    Ok(y)
}
