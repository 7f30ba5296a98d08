//! Operations that a user added with a kernel for the host.
use crate::{CpuValue, create};
use firesteel_core::{CustomOp, Error, Kernel, Metas, Outputs, Result, TensorData};

pub(crate) fn custom(op: &dyn CustomOp, xs: &[&CpuValue], out: &Metas) -> Result<Outputs<CpuValue>> {
    let Some(Kernel::Host(kernel)) = op.kernel("cpu") else {
        return Err(Error::internal(op.name(), "has no kernel for the host"));
    };
    let xs = xs.iter().map(|x| create::download(x)).collect::<Result<Vec<_>>>()?;
    let results = kernel(op, &xs, out)?;
    if results.len() != out.len() {
        return Err(Error::value(op.name(), format!("gave {} results, not {}", results.len(), out.len())));
    }
    let checked = results.into_iter().zip(out).map(|(data, meta)| {
        let data = TensorData::new(&meta.shape, data)?;
        if data.dtype() != meta.dtype {
            return Err(Error::dtype(
                op.name(),
                format!("gave {}, not the {} it promised", data.dtype(), meta.dtype),
            ));
        }
        create::upload(data)
    });
    checked.collect()
}
