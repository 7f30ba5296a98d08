//! Operations in place: a target that nobody else holds is written where it lies.
#[cfg(test)]
mod tests;

use crate::{
    Cpu, CpuValue,
    chain::{self, Input, Plan, Steps},
    view,
};
use bytemuck::cast_slice_mut;
use firesteel_core::{
    Backend, DType, Fused, Layout, Meta, Metas, Op, Operand, Program, Result, Spans, Update, infer,
};
use smallvec::SmallVec;
use std::sync::Arc;

/// Replaces the targets by the results, in their own memory where the operation allows that and nobody else
/// holds it. What goes element by element runs at once for all updates.
pub(crate) fn update(cpu: &Cpu, mut updates: Vec<Update<'_, CpuValue>>) -> Result<()> {
    let (mut plans, mut rows) = (Vec::with_capacity(updates.len()), Vec::with_capacity(updates.len()));
    let mut forms: Vec<Form> = vec![];
    for update in &mut updates {
        let form = match forms.iter().position(|form| form.fits(update)) {
            Some(known) => &forms[known],
            None => {
                forms.push(Form::new(update)?);
                &forms[forms.len() - 1]
            }
        };
        if is_own(update, &form.out) {
            if let Op::Write { into: Operand::Target(0), x: Operand::Value(x), spans } = &update.op {
                write(update.targets[0], x, spans);
                continue;
            }
            if let Some(steps) = &form.steps {
                // all of them are there, as `is_own` saw
                plans.push(Plan::new(steps.clone(), inputs(&update.op), &form.out)?);
                rows.push(update.targets.iter_mut().filter_map(|target| bytes(target)).collect());
                continue;
            }
        }
        let results = cpu.dispatch(update.plain(), &form.out)?;
        update.set(results);
    }
    chain::run(&plans, rows)
}

/// What updates have in common that run one operation on values that look alike.
struct Form {
    /// What it runs, where others may run the same.
    program: Option<Arc<Program>>,
    operands: SmallVec<[(Meta, Option<usize>); 4]>,
    out: Metas,
    /// What goes element by element, and cannot fail halfway: that would leave half a target.
    steps: Option<Arc<Steps>>,
}

impl Form {
    fn new(update: &Update<'_, CpuValue>) -> Result<Self> {
        let out = infer(update.plain().map(Cpu::meta))?;
        let mut operands: SmallVec<[(Meta, Option<usize>); 4]> = SmallVec::new();
        update.op.clone().each(|x| {
            operands.push(match x {
                Operand::Target(i) => (update.targets[i].meta.clone(), Some(i)),
                Operand::Value(v) => (v.meta.clone(), None),
            });
        });
        let inputs: SmallVec<[(DType, _); 4]> = operands.iter().map(|(meta, t)| (meta.dtype, *t)).collect();
        let (program, steps) = match &update.op {
            Op::Fused(Fused::Chain(program), _) => {
                (Some(program.clone()), Some(Steps::new(program, &inputs)?))
            }
            op @ (Op::Unary(..) | Op::Binary(..) | Op::Compare(..) | Op::Select(..)) => {
                let mut numbers = 0..;
                let line = op.clone().map(|_| numbers.next().unwrap_or_default());
                let program = Program { inputs: inputs.len(), code: vec![line], results: vec![inputs.len()] };
                (None, Some(Steps::new(&program, &inputs)?))
            }
            _ => (None, None),
        };
        let steps = steps.filter(|steps| !steps.may_fail()).map(Arc::new);
        Ok(Self { program, operands, out, steps })
    }

    /// Whether an update is of this form.
    fn fits(&self, update: &Update<'_, CpuValue>) -> bool {
        let (Some(known), Op::Fused(Fused::Chain(program), operands)) = (&self.program, &update.op) else {
            return false;
        };
        let is_like = |((meta, target), x): (&(Meta, Option<usize>), &Operand<&CpuValue>)| match *x {
            Operand::Target(i) => *target == Some(i) && update.targets[i].meta == *meta,
            Operand::Value(v) => target.is_none() && v.meta == *meta,
        };
        Arc::ptr_eq(known, program)
            && self.operands.len() == operands.len()
            && self.operands.iter().zip(operands).all(is_like)
    }
}

/// Where the elements of the operands are.
fn inputs<'a>(op: &Op<Operand<&'a CpuValue>>) -> Vec<Input<'a>> {
    let mut inputs = vec![];
    op.clone().each(|x| {
        inputs.push(match x {
            Operand::Target(i) => Input::Target(i),
            Operand::Value(v) => Input::Value(v),
        });
    });
    inputs
}

/// Whether the results look like the targets, whose memory nobody else holds.
fn is_own(update: &mut Update<'_, CpuValue>, out: &Metas) -> bool {
    let stays = update.targets.len() == out.len();
    stays && update.targets.iter_mut().zip(out).all(|(target, meta)| target.meta == *meta && target.is_own())
}

/// The memory of a target.
fn bytes(target: &mut CpuValue) -> Option<&mut [u8]> {
    bits!(target.meta.dtype, T => Some(cast_slice_mut(target.rows_mut::<T>()?)))
}

/// Writes a part of a target.
fn write(target: &mut CpuValue, x: &CpuValue, spans: &Spans) {
    let part = Layout::contiguous(target.meta.shape.clone()).slice(spans);
    bits!(target.meta.dtype, T => if let Some(y) = target.rows_mut() {
        view::copy_into::<T>(x, y, &part);
    });
}
