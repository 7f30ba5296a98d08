//! Element-wise operations joined in one pass: a program is interpreted on blocks that stay in the
//! first-level cache, and each line of it is one vectorised loop over the block.
use crate::{
    CpuValue,
    elementwise::{Numbers, Stored, Walk, defined, grain, past, step},
    memory::Block,
    parallel,
    stream::{CacheLine, fence, fetch, stream},
    value::Native,
};
use bytemuck::{Zeroable, cast_slice, cast_slice_mut, try_cast_slice_mut};
use firesteel_core::{Binary, DType, Error, Layout, Meta, Metas, Op, Outputs, Program, Result, Shape};
use smallvec::SmallVec;
use std::{
    cell::Cell,
    ops::Range,
    sync::atomic::{AtomicBool, Ordering},
};

/// Elements of a block.
const BLOCK: usize = 1024;

/// Lines of memory for a block of the widest numbers, on whose boundaries it lies: a vector across two of them is read twice.
const SLOT: usize = BLOCK * size_of::<u64>() / size_of::<CacheLine>();

/// A row of as many elements is worth a block of its own.
const LONG_ROW: usize = 256;

/// Whether a result is so large that no cache would hold it until somebody reads it: then it had better
/// go around the caches, since a line that is written in them is read first.
pub(crate) fn streams(out: &Meta) -> bool {
    out.bytes() >= 32 << 20
}

/// Where the elements of an input are.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// In a value.
    Value(&'a CpuValue),
    /// In this result's memory, before it is written.
    Target(usize),
}

/// Runs a program of element-wise operations.
pub(crate) fn chain(program: &Program, xs: &[&CpuValue], out: &Metas) -> Result<Outputs<CpuValue>> {
    if xs.iter().all(|x| x.is_same()) && out[0].numel() > 1 {
        return uniform(program, xs, out);
    }
    let inputs = xs.iter().map(|&x| Input::Value(x)).collect();
    let plan = Plan::new(program, inputs, out)?;
    let mut blocks = out.iter().map(|meta| Block::new(meta.bytes())).collect::<Result<SmallVec<[_; 1]>>>()?;
    let rows = blocks.iter_mut().zip(out).map(|(block, meta)| &mut block.bytes_mut()[..meta.bytes()]);
    plan.run(rows.collect())?;
    Ok(out.iter().zip(blocks).map(|(meta, block)| CpuValue::from_block(meta.clone(), block)).collect())
}

/// Of numbers that are the same everywhere, one is computed and seen everywhere.
fn uniform(program: &Program, xs: &[&CpuValue], out: &Metas) -> Result<Outputs<CpuValue>> {
    let one = Layout::uniform(Shape::scalar());
    let xs: Vec<CpuValue> = xs.iter().map(|x| x.view(one.clone())).collect();
    let mut single = out.clone();
    single.iter_mut().for_each(|meta| meta.shape = Shape::scalar());
    let results = chain(program, &xs.iter().collect::<Vec<_>>(), &single)?;
    Ok(results.iter().zip(out).map(|(y, meta)| y.view(Layout::uniform(meta.shape.clone()))).collect())
}

/// A line of a program, with what is asked of it for each block.
struct Line {
    op: Op<usize>,
    operands: SmallVec<[usize; 3]>,
    /// Which result it is, where it can be written straight to that.
    result: Option<usize>,
    /// Whether it is one number for all whatever the inputs are, and computed once.
    is_constant: bool,
}

/// A program made ready: where its inputs lie, and where each value goes.
pub(crate) struct Plan<'a> {
    code: Vec<Line>,
    inputs: Vec<Input<'a>>,
    /// For each input, whether it lies in a result's memory and is read for the last time before that is written.
    in_place: SmallVec<[bool; 8]>,
    walk: Walk,
    /// The dtype of each value: inputs, then lines.
    dtypes: SmallVec<[DType; 8]>,
    /// The slot of each value, by which those share one that do not live at the same time.
    slots: SmallVec<[usize; 8]>,
    count: usize,
    results: &'a [usize],
    /// Whether the results go around the caches.
    streams: bool,
}

impl<'a> Plan<'a> {
    /// For results like `out`, over inputs of their shape.
    pub(crate) fn new(program: &'a Program, inputs: Vec<Input<'a>>, out: &Metas) -> Result<Self> {
        let shape = &out[0].shape;
        let fits = |input: &Input| !matches!(input, Input::Value(x) if x.meta.shape != *shape);
        if out.iter().any(|meta| meta.shape != *shape) || !inputs.iter().all(fits) {
            return Err(Error::internal("chain", "its operands and results have to have one shape"));
        }
        let rows = Layout::contiguous(shape.clone());
        let layouts = inputs.iter().map(|input| match input {
            Input::Value(x) => &x.layout,
            Input::Target(_) => &rows,
        });
        let walk = Walk::new(shape, layouts);
        let dtype = |input: &Input| match *input {
            Input::Value(x) => x.meta.dtype,
            Input::Target(i) => out[i].dtype,
        };
        let mut dtypes: SmallVec<[DType; 8]> = inputs.iter().map(dtype).collect();
        for op in &program.code {
            dtypes.push(match op {
                Op::Full(_, _, dtype) | Op::Cast(_, dtype) => *dtype,
                Op::Unary(_, x) | Op::Binary(_, x, _) | Op::Select(_, x, _) => dtypes[*x],
                Op::Compare(..) => DType::Bool,
                _ => return Err(Error::internal("chain", format!("{} is not element-wise", op.name()))),
            });
        }
        let (slots, count) = allot(program);
        // what is read where it is written is in a cache already
        let mut targets = (0..inputs.len()).filter(|&k| matches!(inputs[k], Input::Target(_)));
        let streams = streams(&out[0]) && !targets.any(|k| program.reads(k));
        let last_uses = program.last_uses();
        let mut code: Vec<Line> = vec![];
        for (number, op) in (program.inputs..).zip(rounded_once(program)) {
            let mut operands: SmallVec<[usize; 3]> = SmallVec::new();
            op.clone().each(|x| operands.push(x));
            // a result takes numbers as they are, unless it is rounded
            let is_plain = !dtypes[number].is_half();
            let result = program.results.iter().position(|&r| is_plain && r == number);
            let of_constants = |&x: &usize| x >= program.inputs && code[x - program.inputs].is_constant;
            let is_constant = operands.iter().all(of_constants);
            code.push(Line { op, operands, result, is_constant });
        }
        let in_place = |(k, input): (usize, &Input)| match *input {
            Input::Value(_) => false,
            Input::Target(i) => {
                let written = code.iter().position(|line| line.result == Some(i));
                let is_plain = !dtypes[k].is_half() && !program.results.contains(&k);
                is_plain && written.is_some_and(|line| last_uses[k].is_none_or(|last| last < line))
            }
        };
        let in_place = inputs.iter().enumerate().map(in_place).collect();
        Ok(Plan { code, inputs, in_place, walk, dtypes, slots, count, results: &program.results, streams })
    }

    /// Whether whole numbers are divided, of which one may be zero.
    pub(crate) fn may_fail(&self) -> bool {
        self.code.iter().any(|line| match line.op {
            Op::Binary(Binary::Div | Binary::Remainder | Binary::Fmod, a, _) => !self.dtypes[a].is_float(),
            _ => false,
        })
    }

    /// Writes the results, row-major, to memory of their sizes.
    pub(crate) fn run(&self, results: Vec<&mut [u8]>) -> Result<()> {
        let len = self.walk.len();
        let pieces =
            (len / grain(self.code.iter().map(|line| &line.op))).clamp(1, parallel::num_threads() * 4);
        let size = len.div_ceil(pieces).max(1).next_multiple_of(BLOCK);
        let job = |start| Job { start, len: size.min(len - start), results: vec![] };
        let mut jobs: Vec<Job> = (0..len).step_by(size).map(job).collect();
        for (result, &number) in results.into_iter().zip(self.results) {
            let bytes = size * self.dtypes[number].size();
            jobs.iter_mut().zip(result.chunks_mut(bytes)).for_each(|(job, piece)| job.results.push(piece));
        }
        let is_defined = AtomicBool::new(true);
        parallel::jobs(jobs, |job| {
            if !Worker::new(self, job).run() {
                is_defined.store(false, Ordering::Relaxed);
            }
        });
        defined("chain", is_defined.into_inner())
    }
}

/// A thread's part of the results: `len` from number `start` on, whose memory is `results`.
struct Job<'a> {
    start: usize,
    len: usize,
    results: Vec<&'a mut [u8]>,
}

/// Where the numbers of a block are.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// In an input, or one for all.
    Input(Numbers<'a>),
    /// In the slot with this number.
    Slot(usize),
    /// Where this result is written.
    Result(usize),
}

/// Memory for a block of numbers.
type Slot = Box<[CacheLine]>;

// what a thread has used it uses again
thread_local!(static SLOTS: Cell<Vec<Slot>> = const { Cell::new(Vec::new()) });

/// A thread at work.
struct Worker<'a> {
    plan: &'a Plan<'a>,
    job: Job<'a>,
    slots: Vec<Slot>,
    /// Where each value of the current block is.
    places: SmallVec<[Place<'a>; 8]>,
    /// Which part of the job the current block is.
    block: Range<usize>,
}

impl<'a> Worker<'a> {
    fn new(plan: &'a Plan<'a>, job: Job<'a>) -> Self {
        let mut slots = SLOTS.take();
        slots.resize_with(slots.len().max(plan.count), || vec![CacheLine::zeroed(); SLOT].into_boxed_slice());
        Worker { plan, job, slots, places: SmallVec::new(), block: 0..0 }
    }

    /// Does the job; false where a whole number was divided by zero.
    fn run(mut self) -> bool {
        let is_defined = self.blocks();
        SLOTS.set(self.slots);
        is_defined
    }

    fn blocks(&mut self) -> bool {
        let row = self.plan.walk.row();
        while self.block.end < self.job.len {
            let done = self.block.end;
            let mut n = BLOCK.min(self.job.len - done);
            if row >= LONG_ROW {
                n = n.min(row - (self.job.start + done) % row);
            }
            self.block = done..done + n;
            let inputs = self.plan.inputs.len();
            self.places.resize(inputs + self.plan.code.len(), Place::Input(Numbers::One(0)));
            for k in 0..inputs {
                self.places[k] = native!(self.plan.dtypes[k], T => self.load::<T>(k));
            }
            // loops that go around the caches fetch for themselves
            let ahead = if self.plan.streams { SmallVec::new() } else { self.ahead() };
            for line in 0..self.plan.code.len() {
                ahead.iter().for_each(|x| x.fetch(line, self.plan.code.len()));
                if done > 0 && self.plan.code[line].is_constant {
                    continue; // it is there
                }
                match self.line(line) {
                    Some(place) => self.places[inputs + line] = place,
                    None => return false,
                }
            }
            for (i, &number) in self.plan.results.iter().enumerate() {
                if !matches!(self.places[number], Place::Result(j) if i == j) {
                    native!(self.plan.dtypes[number], T => self.store::<T>(i, number));
                }
            }
        }
        if self.plan.streams {
            fence();
        }
        true
    }

    /// Where the next block will read inputs that lie as the results do.
    fn ahead(&self) -> SmallVec<[Ahead; 8]> {
        let next = self.block.end..self.job.len.min(self.block.end + BLOCK);
        let lies = |k: usize| -> Option<&[u8]> {
            let size = self.plan.dtypes[k].size();
            match self.plan.inputs[k] {
                Input::Target(i) => Some(&self.job.results[i][bytes(&next, size)]),
                Input::Value(x) => match self.plan.walk.seen(k, self.job.start + next.start, next.len())? {
                    (from, false) => native!(self.plan.dtypes[k], T => {
                        Some(cast_slice(&x.memory::<T>()[from..from + next.len()]))
                    }),
                    _ => None,
                },
            }
        };
        let inputs = if next.is_empty() { 0 } else { self.plan.inputs.len() };
        (0..inputs).filter_map(lies).map(|x| Ahead { start: x.as_ptr(), len: x.len() }).collect()
    }

    /// Makes an input's numbers ready.
    fn load<T: Stored>(&mut self, k: usize) -> Place<'a> {
        let (slot, n) = (self.plan.slots[k], self.block.len());
        let y = &mut self.slots[slot];
        let x = match self.plan.inputs[k] {
            Input::Value(x) => x.memory::<T>(),
            Input::Target(i) if self.plan.in_place[k] => return Place::Result(i),
            Input::Target(i) => {
                let x: &[T] = cast_slice(self.job.results[i]);
                T::widen(&x[self.block.clone()], first(y, n));
                return Place::Slot(slot);
            }
        };
        let at = self.job.start + self.block.start;
        match self.plan.walk.seen(k, at, n) {
            Some((from, true)) => {
                T::widen(&x[from..from + 1], first(y, 1));
                Place::Input(Numbers::One(cast_slice(y)[0]))
            }
            Some((from, false)) if !self.plan.dtypes[k].is_half() => {
                Place::Input(Numbers::Many(cast_slice(&x[from..from + n])))
            }
            Some((from, false)) => {
                T::widen(&x[from..from + n], first(y, n));
                Place::Slot(slot)
            }
            None => {
                let mut gathered = [T::default(); BLOCK];
                self.plan.walk.gather(k, x, at, &mut gathered[..n]);
                T::widen(&gathered[..n], first(y, n));
                Place::Slot(slot)
            }
        }
    }

    /// Runs a line, and says where its numbers are; nothing where a whole number was divided by zero.
    fn line(&mut self, line: usize) -> Option<Place<'a>> {
        let number = self.plan.inputs.len() + line;
        let Line { op, operands, result, .. } = &self.plan.code[line];
        let is_one = operands.iter().all(|&x| matches!(self.places[x], Place::Input(Numbers::One(_))));
        if let (false, &Some(i)) = (is_one, result) {
            let memory = std::mem::take(&mut self.job.results[i]);
            let y: &mut [u8] = &mut memory[bytes(&self.block, self.plan.dtypes[number].size())];
            let lines = if self.plan.streams { try_cast_slice_mut(y).ok() } else { None };
            let is_done = match lines {
                Some(lines) => past(op, |x| self.operand(x), lines),
                None if self.plan.streams => false,
                None => step(op, |x| self.operand(x), self.block.len(), y),
            };
            self.job.results[i] = memory;
            if is_done || !self.plan.streams {
                return is_done.then_some(Place::Result(i));
            }
        }
        let slot = self.plan.slots[number];
        let mut memory = std::mem::take(&mut self.slots[slot]);
        let n = if is_one { 1 } else { self.block.len() };
        let is_defined = step(op, |x| self.operand(x), n, cast_slice_mut(&mut memory));
        let place =
            if is_one { Place::Input(Numbers::One(cast_slice(&memory)[0])) } else { Place::Slot(slot) };
        self.slots[slot] = memory;
        is_defined.then_some(place)
    }

    /// A value that is there, with its dtype.
    fn operand(&self, number: usize) -> (DType, Numbers<'_>) {
        let dtype = self.plan.dtypes[number];
        let numbers = match self.places[number] {
            Place::Input(numbers) => numbers,
            Place::Slot(slot) => {
                let width = arithmetic!(dtype, T => size_of::<T>());
                Numbers::Many(&cast_slice(&self.slots[slot])[..self.block.len() * width])
            }
            Place::Result(i) => Numbers::Many(&self.job.results[i][bytes(&self.block, dtype.size())]),
        };
        (dtype, numbers)
    }

    /// Writes a value to a result.
    fn store<T: Stored>(&mut self, i: usize, number: usize) {
        let memory = std::mem::take(&mut self.job.results[i]);
        let y: &mut [T] = &mut cast_slice_mut(memory)[self.block.clone()];
        match self.operand(number) {
            (_, Numbers::One(bits)) => {
                let mut one = [T::default()];
                T::narrow(&cast_slice(&[bits])[..1], &mut one);
                y.fill(one[0]);
            }
            (dtype, Numbers::Many(x)) if self.plan.streams && dtype.is_half() => {
                let mut narrow = [T::default(); BLOCK];
                let narrow = &mut narrow[..y.len()];
                T::narrow(cast_slice(x), narrow);
                stream(cast_slice(narrow), cast_slice_mut(y));
            }
            (_, Numbers::Many(x)) if self.plan.streams => stream(x, cast_slice_mut(y)),
            (_, Numbers::Many(x)) => T::narrow(cast_slice(x), y),
        }
        self.job.results[i] = memory;
    }
}

/// Memory that will be read.
struct Ahead {
    start: *const u8,
    len: usize,
}

impl Ahead {
    /// Has one of `of` parts fetched.
    fn fetch(&self, part: usize, of: usize) {
        let size = self.len.div_ceil(of);
        let part = (part * size)..self.len.min((part + 1) * size);
        part.step_by(size_of::<CacheLine>()).for_each(|at| fetch(self.start.wrapping_add(at)));
    }
}

/// The first `n` numbers of a slot's memory.
fn first<T: Native>(memory: &mut [CacheLine], n: usize) -> &mut [T] {
    &mut cast_slice_mut(memory)[..n]
}

/// Which bytes of the job a block is.
fn bytes(block: &Range<usize>, size: usize) -> Range<usize> {
    block.start * size..block.end * size
}

/// The lines, where one that casts to half precision and is a result, but never read, leaves the rounding
/// to what writes the result.
fn rounded_once(program: &Program) -> Vec<Op<usize>> {
    let is_read = |line: usize| {
        let mut found = false;
        program.code.iter().for_each(|op| op.clone().each(|x| found |= x == program.inputs + line));
        found
    };
    let last = |(line, op): (usize, &Op<usize>)| match *op {
        Op::Cast(x, dtype) if dtype.is_half() && !is_read(line) => Op::Cast(x, DType::F32),
        _ => op.clone(),
    };
    program.code.iter().enumerate().map(last).collect()
}

/// Gives each value of a program a slot, so that none is written while it is read: the slots, and how many.
fn allot(program: &Program) -> (SmallVec<[usize; 8]>, usize) {
    let last_uses = program.last_uses();
    let mut slots: SmallVec<[usize; 8]> = (0..program.inputs).collect();
    let (mut count, mut free) = (program.inputs, vec![]);
    for (line, op) in program.code.iter().enumerate() {
        slots.push(free.pop().unwrap_or_else(|| {
            count += 1;
            count - 1
        }));
        let mut released: SmallVec<[usize; 3]> = SmallVec::new();
        op.clone().each(|x| {
            if last_uses[x] == Some(line) && !released.contains(&slots[x]) {
                released.push(slots[x]);
            }
        });
        free.extend(released);
    }
    (slots, count)
}
