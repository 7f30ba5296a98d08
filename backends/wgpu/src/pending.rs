//! Small element-wise operations wait for those that follow: what a kernel costs besides its arithmetic is most of what they
//! take. Whatever else is recorded or read comes after them.
//!
//! Those over as many elements become one kernel, which writes only what somebody still holds. A chain that is new runs line
//! by line, as its lines are likely to be compiled already; one that comes again and again is compiled whole.
use crate::{
    WgpuValue,
    chain::{self, Input, Plan},
    create,
    device::Gpu,
    memory::lock,
    value::Memory,
};
use firesteel_core::{Meta, Op, Result, Scalar};
use smallvec::SmallVec;
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

/// Results of more elements are recorded at once: they are worth a kernel of their own.
const SMALL: usize = 1 << 14;
/// A chain has so many lines at most.
const LINES: usize = 64;
/// How often a chain comes before it is compiled.
const TIMES: u32 = 3;
/// So many chains are counted.
const COUNTED: usize = 4096;

/// The chain that waits.
#[derive(Default)]
pub(crate) struct Pending {
    code: Vec<Op<Slot>>,
    inputs: SmallVec<[WgpuValue; 8]>,
    /// The result of each line.
    results: Vec<WgpuValue>,
    /// How often chains came, by their hashes.
    seen: HashMap<u64, u32>,
}

/// An operand of a line.
#[derive(Clone, Copy)]
enum Slot {
    Input(usize),
    Line(usize),
}

/// Runs an element-wise operation, now or with those that follow.
pub(crate) fn single(gpu: &'static Gpu, op: Op<&WgpuValue>, out: &Meta) -> Result<WgpuValue> {
    // a half is rounded where it is written, and what may fail has a kernel that can say so
    let is_exact = !out.dtype.is_half() || matches!(op, Op::Cast(..));
    let n = out.numel();
    if n == 0 || n > SMALL || !is_exact || chain::divides(&op) {
        return chain::single(gpu, op, out);
    }
    let y = create::output(gpu, out)?;
    lock(&gpu.pending).add(gpu, op, &y)?;
    Ok(y)
}

impl Gpu {
    /// Records what waits.
    pub fn flush(&'static self) -> Result<()> {
        lock(&self.pending).flush(self)
    }
}

impl Pending {
    fn add(&mut self, gpu: &'static Gpu, op: Op<&WgpuValue>, y: &WgpuValue) -> Result<()> {
        let n = y.meta.numel();
        let is_other = self.results.first().is_some_and(|first| first.meta.numel() != n);
        if is_other || self.code.len() >= LINES {
            self.flush(gpu)?;
        }
        let mut xs: SmallVec<[&WgpuValue; 3]> = SmallVec::new();
        let op = op.map(|x| {
            xs.push(x);
            xs.len() - 1
        });
        if xs.iter().any(|x| self.is_moved(x)) || !self.has_room(gpu, xs.len()) {
            self.flush(gpu)?;
        }
        let slots: SmallVec<[Slot; 3]> = xs.iter().map(|x| self.slot(x)).collect();
        self.code.push(op.map(|i| slots[i]));
        self.results.push(y.clone());
        Ok(())
    }

    /// The line that makes what is in this buffer: most likely the last.
    fn line(&self, x: &WgpuValue) -> Option<usize> {
        self.results.iter().rposition(|y| is_same(&y.memory, &x.memory))
    }

    /// Whether it is another view of a line's result than its elements in their order.
    fn is_moved(&self, x: &WgpuValue) -> bool {
        self.line(x).is_some_and(|i| !x.is_rows() || x.meta.dtype != self.results[i].meta.dtype)
    }

    /// Whether so many more inputs, and a result, can be bound.
    fn has_room(&self, gpu: &Gpu, more: usize) -> bool {
        let inputs = self.inputs.len() + more;
        inputs <= chain::INPUTS.len() && inputs < gpu.limits.max_storage_buffers_per_shader_stage as usize
    }

    fn slot(&mut self, x: &WgpuValue) -> Slot {
        if let Some(line) = self.line(x) {
            return Slot::Line(line);
        }
        let is_it = |input: &WgpuValue| {
            is_same(&input.memory, &x.memory) && input.meta.dtype == x.meta.dtype && input.layout == x.layout
        };
        let known = self.inputs.iter().position(is_it);
        Slot::Input(known.unwrap_or_else(|| {
            self.inputs.push(x.clone());
            self.inputs.len() - 1
        }))
    }

    fn flush(&mut self, gpu: &'static Gpu) -> Result<()> {
        if self.code.is_empty() {
            return Ok(());
        }
        let inputs = std::mem::take(&mut self.inputs);
        let results = std::mem::take(&mut self.results);
        let number = |slot| match slot {
            Slot::Input(i) => i,
            Slot::Line(i) => inputs.len() + i,
        };
        let code: Vec<Op<usize>> = self.code.drain(..).map(|op| op.map(number)).collect();
        let kept: SmallVec<[usize; 8]> = (0..results.len()).filter(|&i| is_held(&results[i])).collect();
        let buffers = inputs.len() + kept.len();
        let fits = code.len() > 1
            && (1..=chain::RESULTS.len()).contains(&kept.len())
            && buffers <= gpu.limits.max_storage_buffers_per_shader_stage as usize;
        if fits {
            let numbers: SmallVec<[usize; 8]> = kept.iter().map(|&i| inputs.len() + i).collect();
            let xs: SmallVec<[Input; 8]> = inputs.iter().map(Input::Value).collect();
            let ys: SmallVec<[WgpuValue; 8]> = kept.iter().map(|&i| results[i].clone()).collect();
            let plan = Plan::new(&code, &numbers, &xs, &ys)?;
            if self.came_often(&plan) {
                return chain::record(gpu, &plan, &ys);
            }
        }
        let mut needed = vec![false; code.len()];
        kept.iter().for_each(|&i| needed[i] = true);
        for i in (0..code.len()).rev() {
            if needed[i] {
                let lines = |x: usize| x.checked_sub(inputs.len());
                code[i].clone().each(|x| lines(x).into_iter().for_each(|line| needed[line] = true));
            }
        }
        for (i, op) in code.into_iter().enumerate().filter(|(i, _)| needed[*i]) {
            let mut xs: SmallVec<[Input; 3]> = SmallVec::new();
            let line = op.map(|x| {
                xs.push(Input::Value(inputs.get(x).unwrap_or_else(|| &results[x - inputs.len()])));
                xs.len() - 1
            });
            let ys = &results[i..=i];
            chain::record(gpu, &Plan::new(&[line], &[xs.len()], &xs, ys)?, ys)?;
        }
        Ok(())
    }

    /// Whether this chain is worth a shader of its own: now it came once more.
    fn came_often(&mut self, plan: &Plan) -> bool {
        let mut hasher = DefaultHasher::new();
        plan.key().hash(&mut hasher);
        plan.dtypes.hash(&mut hasher);
        if self.seen.len() >= COUNTED {
            self.seen.clear();
        }
        let times = self.seen.entry(hasher.finish()).or_insert(0);
        *times = times.saturating_add(1);
        *times >= TIMES
    }
}

/// Whether both are in one buffer, or the same number.
fn is_same(a: &Memory, b: &Memory) -> bool {
    match (a, b) {
        (Memory::Block(a), Memory::Block(b)) => Arc::ptr_eq(a, b),
        // zero is two numbers
        (Memory::Same(Scalar::Float(a)), Memory::Same(Scalar::Float(b))) => a.to_bits() == b.to_bits(),
        (Memory::Same(a), Memory::Same(b)) => a == b,
        _ => false,
    }
}

/// Whether anybody but the chain holds what a line makes.
fn is_held(y: &WgpuValue) -> bool {
    match &y.memory {
        Memory::Block(block) => Arc::strong_count(block) > 1,
        Memory::Same(_) => false,
    }
}
