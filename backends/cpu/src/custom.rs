//! Operations that a user added with a kernel for the host.
use crate::{CpuValue, create};
use firesteel_core::{CustomOp, Error, Metas, Outputs, Result};

pub(crate) fn custom(op: &dyn CustomOp, xs: &[&CpuValue], out: &Metas) -> Result<Outputs<CpuValue>> {
    let Some(kernel) = op.kernel("cpu") else {
        return Err(Error::internal(op.name(), "has no kernel for the host"));
    };
    let xs = xs.iter().map(|x| create::download(x)).collect::<Result<Vec<_>>>()?;
    kernel.run(op, &xs, out)?.into_iter().map(create::upload).collect()
}
