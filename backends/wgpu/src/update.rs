//! Operations in place: a target that nobody else holds is written where it lies.
use crate::{
    Wgpu, WgpuValue,
    chain::{self, Input},
    join,
    value::Memory,
};
use firesteel_core::{Backend, Fused, Metas, Op, Operand, Result, Update, infer};
use smallvec::SmallVec;
use std::sync::Arc;

/// Replaces the targets by the results, in their own memory where the operation allows that and nobody else
/// holds it.
pub(crate) fn update(wgpu: &Wgpu, mut update: Update<'_, WgpuValue>) -> Result<()> {
    let out = infer(update.plain().map(Wgpu::meta))?;
    // what waits holds what it reads
    wgpu.0.flush()?;
    let Update { targets, op } = &mut update;
    let stays = out.len() == targets.len() && out.iter().zip(&*targets).all(|(meta, t)| *meta == t.meta);
    if stays && targets.iter_mut().all(|target| is_own(target)) && in_place(wgpu, targets, op, &out)? {
        return Ok(());
    }
    let results = wgpu.dispatch(update.plain(), &out)?;
    update.set(results);
    Ok(())
}

/// Whether a target is row-major in a buffer that nobody else holds.
fn is_own(target: &mut WgpuValue) -> bool {
    let is_rows = target.is_rows();
    match &mut target.memory {
        Memory::Block(block) => is_rows && Arc::get_mut(block).is_some(),
        Memory::Same(_) => false,
    }
}

/// Runs the operation in place, or says that it has to run otherwise.
fn in_place(
    wgpu: &Wgpu,
    targets: &mut [&mut WgpuValue],
    op: &Op<Operand<&WgpuValue>>,
    out: &Metas,
) -> Result<bool> {
    let input = |x: Operand<_>| match x {
        Operand::Target(i) => Input::Target(i),
        Operand::Value(v) => Input::Value(v),
    };
    let ys: SmallVec<[WgpuValue; 3]> = targets.iter().map(|target| (**target).clone()).collect();
    match op {
        Op::Unary(..) | Op::Binary(..) | Op::Compare(..) | Op::Select(..) => {
            let mut inputs: SmallVec<[Input; 3]> = SmallVec::new();
            let line = op.clone().map(|x| {
                inputs.push(input(x));
                inputs.len() - 1
            });
            chain::run_into(wgpu.0, &[line], &[inputs.len()], &inputs, &ys)?;
        }
        Op::Fused(Fused::Chain(program), inputs) if chain::fits(wgpu.0, program) => {
            let inputs: SmallVec<[Input; 6]> = inputs.iter().map(|x| input(*x)).collect();
            chain::run_into(wgpu.0, &program.code, &program.results, &inputs, &ys)?;
        }
        // a cache that grows: only what is new moves
        Op::Write { into: Operand::Target(0), x: Operand::Value(x), spans }
            if spans.iter().all(|span| span.step != 0 || span.len < 2) =>
        {
            join::copy(wgpu.0, x, &ys[0], &ys[0].layout.slice(spans))?;
        }
        _ => return Ok(false),
    }
    debug_assert_eq!(out.len(), ys.len());
    Ok(true)
}
