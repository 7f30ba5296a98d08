//! Operations that a user added with a kernel for the host: it waits for their operands.
use crate::{WgpuValue, create, device::Gpu};
use firesteel_core::{CustomOp, Error, Metas, Outputs, Result, block_on};

pub(crate) fn custom(
    gpu: &'static Gpu,
    op: &dyn CustomOp,
    xs: &[&WgpuValue],
    out: &Metas,
) -> Result<Outputs<WgpuValue>> {
    let Some(kernel) = op.kernel("wgpu") else {
        return Err(Error::unsupported(op.name(), "has no kernel for wgpu"));
    };
    let download = |x: &&WgpuValue| block_on(create::download(gpu, (*x).clone()));
    let xs = xs.iter().map(download).collect::<Result<Vec<_>>>()?;
    kernel.run(op, &xs, out)?.into_iter().map(|data| create::upload(gpu, data)).collect()
}
