//! Kernels for operations that have parts, and operations in place.
use crate::{Cpu, CpuValue, chain};
use firesteel_core::{Backend, Error, Fused, Meta, Metas, Op, Operand, Outputs, Result};

/// Whether there is a kernel; else the operation is decomposed.
pub(crate) fn has_kernel(fused: &Fused, _: &[&Meta]) -> bool {
    matches!(fused, Fused::Chain(_))
}

pub(crate) fn fused(_: &Cpu, fused: &Fused, xs: &[&CpuValue], out: &Metas) -> Result<Outputs<CpuValue>> {
    if let Fused::Chain(program) = fused {
        return chain::chain(program, xs, out);
    }
    Err(Error::internal(fused.name(), "has no kernel here: it is decomposed"))
}

/// Replaces the targets by the results.
pub(crate) fn update(cpu: &Cpu, targets: &mut [&mut CpuValue], op: Op<Operand<&CpuValue>>) -> Result<()> {
    let results = cpu.run(op.map(|x| match x {
        Operand::Target(i) => &*targets[i],
        Operand::Value(v) => v,
    }))?;
    targets.iter_mut().zip(results).for_each(|(target, result)| **target = result);
    Ok(())
}
