//! Operations in place: a target that nobody else holds is written where it lies.
#[cfg(test)]
mod tests;

use crate::{
    Cpu, CpuValue,
    chain::{Input, Plan},
    view,
};
use bytemuck::cast_slice_mut;
use firesteel_core::{Backend, Fused, Layout, Metas, Op, Operand, Program, Result, Spans, infer};

/// Replaces the targets by the results, in their own memory where the operation allows that and nobody else
/// holds it.
pub(crate) fn update(cpu: &Cpu, targets: &mut [&mut CpuValue], op: Op<Operand<&CpuValue>>) -> Result<()> {
    let out = infer(op.clone().map(|x| Cpu::meta(operand(targets, x))))?;
    let stays = out.len() == targets.len() && out.iter().zip(&*targets).all(|(meta, t)| *meta == t.meta);
    if stays && in_place(targets, &op, &out)? {
        return Ok(());
    }
    let results = cpu.dispatch(op.map(|x| operand(targets, x)), &out)?;
    targets.iter_mut().zip(results).for_each(|(target, result)| **target = result);
    Ok(())
}

/// The value that an operand stands for.
fn operand<'a>(targets: &'a [&mut CpuValue], x: Operand<&'a CpuValue>) -> &'a CpuValue {
    match x {
        Operand::Target(i) => targets[i],
        Operand::Value(v) => v,
    }
}

/// Runs the operation in place, or says that it has to run otherwise.
fn in_place(targets: &mut [&mut CpuValue], op: &Op<Operand<&CpuValue>>, out: &Metas) -> Result<bool> {
    match op {
        Op::Write { into: Operand::Target(0), x: Operand::Value(x), spans } => {
            Ok(write(targets[0], x, spans).is_some())
        }
        Op::Unary(..) | Op::Binary(..) | Op::Compare(..) | Op::Select(..) => {
            let mut inputs = vec![];
            let line = op.clone().map(|x| {
                inputs.push(x);
                inputs.len() - 1
            });
            let program = Program { inputs: inputs.len(), code: vec![line], results: vec![inputs.len()] };
            chain(targets, &program, &inputs, out)
        }
        Op::Fused(Fused::Chain(program), inputs) => chain(targets, program, inputs, out),
        _ => Ok(false),
    }
}

/// Writes a part of the target, if nobody else holds its memory.
fn write(target: &mut CpuValue, x: &CpuValue, spans: &Spans) -> Option<()> {
    let part = Layout::contiguous(target.meta.shape.clone()).slice(spans);
    bits!(target.meta.dtype, T => view::copy_into::<T>(x, target.rows_mut()?, &part));
    Some(())
}

/// Runs a chain whose results replace the targets, if nobody else holds their memory.
fn chain(
    targets: &mut [&mut CpuValue],
    program: &Program,
    inputs: &[Operand<&CpuValue>],
    out: &Metas,
) -> Result<bool> {
    let inputs = inputs.iter().map(|&x| match x {
        Operand::Target(i) => Input::Target(i),
        Operand::Value(v) => Input::Value(v),
    });
    let plan = Plan::new(program, inputs.collect(), out)?;
    // what fails halfway would leave half a target
    if plan.may_fail() {
        return Ok(false);
    }
    let rows = |target| -> Option<&mut [u8]> {
        let target: &mut CpuValue = target;
        bits!(target.meta.dtype, T => Some(cast_slice_mut(target.rows_mut::<T>()?)))
    };
    match targets.iter_mut().map(|target| rows(target)).collect::<Option<Vec<_>>>() {
        Some(rows) => plan.run(rows).map(|()| true),
        None => Ok(false),
    }
}
