//! Operations that a user adds, without touching the enum.
use crate::{Data, Error, Meta, Metas, Outputs, Result, Tensor, TensorData, Trace};
use std::fmt;

/// Tensors without numbers, to write a formula with.
pub type Symbols<'a> = &'a [Tensor<Trace>];
/// A gradient for each operand, or none where it has none.
pub type SymbolicGradients = Vec<Option<Tensor<Trace>>>;

/// An operation that a user adds: what it means, written with the ordinary tensor methods and recorded for
/// all backends, and kernels for the machines that it should be fast on.
pub trait CustomOp: fmt::Debug + Send + Sync {
    /// Its name in errors and profiles.
    fn name(&self) -> &'static str;

    /// Checks the operands and predicts the results.
    fn infer(&self, xs: &[&Meta]) -> Result<Metas>;

    /// How many results it has.
    fn outputs(&self) -> usize {
        1
    }

    /// What it means: its results, written as a formula.
    fn decompose(&self, xs: Symbols) -> Result<Outputs<Tensor<Trace>>>;

    /// One gradient for each of `xs`, given the results `ys` and their gradients `gs`. Where it gives
    /// nothing, the decomposition is differentiated.
    fn gradient(&self, _xs: Symbols, _ys: Symbols, _gs: Symbols) -> Result<Option<SymbolicGradients>> {
        Ok(None)
    }

    /// A kernel for a kind of machine (`"cpu"`, `"wgpu"`, `"cuda"`), where there is one. One for the host serves every
    /// machine: those that are not the host download the operands first.
    fn kernel(&self, _machine: &str) -> Option<Kernel> {
        None
    }
}

/// A kernel of a custom operation.
pub enum Kernel {
    /// A function over host memory: row-major operands to one result each.
    Host(HostKernel),
}

/// A kernel on the host: the operation, its row-major operands, and what its results look like, to the numbers
/// of each result.
pub type HostKernel = fn(&dyn CustomOp, &[TensorData], &Metas) -> Result<Vec<Data>>;

impl Kernel {
    /// Runs it over operands in host memory, and checks what it gives.
    pub fn run(&self, op: &dyn CustomOp, xs: &[TensorData], out: &Metas) -> Result<Vec<TensorData>> {
        let Kernel::Host(kernel) = self;
        let results = kernel(op, xs, out)?;
        if results.len() != out.len() {
            return Err(Error::value(
                op.name(),
                format!("gave {} results, not {}", results.len(), out.len()),
            ));
        }
        let checked = results.into_iter().zip(out).map(|(data, meta)| {
            let data = TensorData::new(&meta.shape, data)?;
            if data.dtype() == meta.dtype {
                return Ok(data);
            }
            let why = format!("gave {}, not the {} it promised", data.dtype(), meta.dtype);
            Err(Error::dtype(op.name(), why))
        });
        checked.collect()
    }
}
