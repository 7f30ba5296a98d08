//! Kernels for operations that have parts, and operations in place.
use crate::{Cpu, CpuValue};
use firesteel_core::{Backend, Error, Fused, Meta, Metas, Op, Operand, Outputs, Result};

/// Whether there is a kernel; else the operation is decomposed.
pub(crate) fn has_kernel(_: &Fused, _: &[&Meta]) -> bool {
    false
}

pub(crate) fn fused(_: &Cpu, fused: &Fused, _: &[&CpuValue], _: &Metas) -> Result<Outputs<CpuValue>> {
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
