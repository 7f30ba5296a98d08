//! Element-wise operations joined in one pass: a program is interpreted on blocks that stay in the
//! first-level cache, and each line of it is one vectorised loop over the block.
mod steps;

pub(crate) use steps::Steps;

use crate::{
    CpuValue,
    elementwise::{Numbers, Stored, Walk, defined, past, step},
    memory::Block,
    parallel,
    stream::{CacheLine, fence, fetch, stream},
    value::Native,
};
use bytemuck::{Zeroable, cast_slice, cast_slice_mut, try_cast_slice_mut};
use firesteel_core::{DType, Error, Layout, Meta, Metas, Outputs, Program, Result, Shape};
use smallvec::SmallVec;
use std::{
    cell::Cell,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Elements of a block.
const BLOCK: usize = 2048;

/// Lines of memory for a block of the widest numbers, on whose boundaries it lies: a vector across two of them is read twice.
const SLOT: usize = BLOCK * size_of::<u64>() / size_of::<CacheLine>();

/// So many inputs are fetched in time by the processor itself; asking for them would only get in its way.
const FORESEEN: usize = 2;

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
    let dtypes: SmallVec<[_; 4]> = xs.iter().map(|x| (x.meta.dtype, None)).collect();
    let steps = Arc::new(Steps::new(program, &dtypes)?);
    let plan = Plan::new(steps, xs.iter().map(|&x| Input::Value(x)).collect(), out)?;
    let mut blocks = out.iter().map(|meta| Block::new(meta.bytes())).collect::<Result<SmallVec<[_; 1]>>>()?;
    let rows = blocks.iter_mut().zip(out).map(|(block, meta)| &mut block.bytes_mut()[..meta.bytes()]);
    run(&[plan], vec![rows.collect()])?;
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

/// Steps, the inputs that they read, and how results are walked through.
pub(crate) struct Plan<'a> {
    steps: Arc<Steps>,
    inputs: Vec<Input<'a>>,
    walk: Walk,
    /// Whether the results go around the caches.
    streams: bool,
}

impl<'a> Plan<'a> {
    /// For results like `out`, over inputs of their shape, which are those that the steps were made for.
    pub(crate) fn new(steps: Arc<Steps>, inputs: Vec<Input<'a>>, out: &Metas) -> Result<Self> {
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
        // what is read where it is written is in a cache already
        let streams = streams(&out[0]) && !steps.reads_targets;
        Ok(Plan { steps, inputs, walk, streams })
    }

    /// How much there is to do, in parts of what is worth another thread.
    fn work(&self) -> f64 {
        self.walk.len() as f64 / self.steps.grain as f64
    }

    /// The jobs of writing the results to their memory, in about so many pieces.
    fn jobs<'r>(&'r self, results: Results<'r>, pieces: f64) -> impl Iterator<Item = Job<'r>> {
        let len = self.walk.len();
        let size = (len as f64 / pieces.max(1.0)).ceil().max(1.0) as usize;
        let size = size.next_multiple_of(BLOCK);
        let mut pieces: SmallVec<[_; 4]> = SmallVec::new();
        for (result, &number) in results.into_iter().zip(&self.steps.results) {
            pieces.push(result.chunks_mut(size * self.steps.dtypes[number].size()));
        }
        (0..len).step_by(size).map(move |start| {
            let results = pieces.iter_mut().map(|pieces| pieces.next().unwrap_or_default()).collect();
            Job { plan: self, start, len: size.min(len - start), results }
        })
    }
}

/// The memory of a plan's results, each of its size.
type Results<'a> = Vec<&'a mut [u8]>;

/// Writes the results of plans, row-major: of all at once.
pub(crate) fn run<'a>(plans: &'a [Plan<'a>], results: Vec<Results<'a>>) -> Result<()> {
    let work: f64 = plans.iter().map(Plan::work).sum();
    let pieces = work.clamp(1.0, (parallel::num_threads() * 4) as f64);
    let jobs = plans.iter().zip(results);
    let jobs = jobs.flat_map(|(plan, results)| plan.jobs(results, plan.work() / work * pieces.floor()));
    let is_defined = AtomicBool::new(true);
    let run = |job| {
        if !Worker::new(job).run() {
            is_defined.store(false, Ordering::Relaxed);
        }
    };
    // many small plans may be too little for another thread
    if pieces < 2.0 {
        jobs.for_each(run)
    } else {
        parallel::jobs(jobs.collect(), run)
    }
    defined("chain", is_defined.into_inner())
}

/// A thread's part of the results: `len` from number `start` on, whose memory is `results`.
struct Job<'a> {
    plan: &'a Plan<'a>,
    start: usize,
    len: usize,
    results: Results<'a>,
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
    steps: &'a Steps,
    job: Job<'a>,
    slots: Vec<Slot>,
    /// Where each value of the current block is.
    places: SmallVec<[Place<'a>; 8]>,
    /// Which part of the job the current block is.
    block: Range<usize>,
}

impl<'a> Worker<'a> {
    fn new(job: Job<'a>) -> Self {
        let mut slots = SLOTS.take();
        slots.resize_with(slots.len().max(job.plan.steps.count), || {
            vec![CacheLine::zeroed(); SLOT].into_boxed_slice()
        });
        Worker { plan: job.plan, steps: &job.plan.steps, job, slots, places: SmallVec::new(), block: 0..0 }
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
            self.places.resize(inputs + self.steps.code.len(), Place::Input(Numbers::One(0)));
            for k in 0..inputs {
                self.places[k] = native!(self.steps.dtypes[k], T => self.load::<T>(k));
            }
            // loops that go around the caches fetch for themselves
            let ahead = if self.plan.streams { SmallVec::new() } else { self.ahead() };
            for line in 0..self.steps.code.len() {
                ahead.iter().for_each(|x| x.fetch(line));
                if done > 0 && self.steps.code[line].is_constant {
                    continue; // it is there
                }
                match self.line(line) {
                    Some(place) => self.places[inputs + line] = place,
                    None => return false,
                }
            }
            for (i, &number) in self.steps.results.iter().enumerate() {
                if !matches!(self.places[number], Place::Result(j) if i == j) {
                    native!(self.steps.dtypes[number], T => self.store::<T>(i, number));
                }
            }
        }
        if self.plan.streams {
            fence();
        }
        true
    }

    /// Where the next block will read inputs that lie as the results do, where they are so many that the processor does not
    /// foresee it.
    fn ahead(&self) -> SmallVec<[Ahead; 8]> {
        let next = self.block.end..self.job.len.min(self.block.end + BLOCK);
        if next.is_empty() || self.plan.inputs.len() <= FORESEEN {
            return SmallVec::new();
        }
        let lies = |k: usize| -> Option<&[u8]> {
            let size = self.steps.dtypes[k].size();
            match self.plan.inputs[k] {
                Input::Target(i) => Some(&self.job.results[i][bytes(&next, size)]),
                Input::Value(x) => match self.plan.walk.seen(k, self.job.start + next.start, next.len())? {
                    (from, false) => native!(self.steps.dtypes[k], T => {
                        Some(cast_slice(&x.memory::<T>()[from..from + next.len()]))
                    }),
                    _ => None,
                },
            }
        };
        let inputs = (0..self.plan.inputs.len()).filter_map(lies);
        inputs.map(|x| Ahead::new(x, self.steps.code.len())).collect()
    }

    /// Makes an input's numbers ready.
    fn load<T: Stored>(&mut self, k: usize) -> Place<'a> {
        let (slot, n) = (self.steps.slots[k], self.block.len());
        let y = &mut self.slots[slot];
        let x = match self.plan.inputs[k] {
            Input::Value(x) => x.memory::<T>(),
            Input::Target(i) if self.steps.in_place[k] => return Place::Result(i),
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
            Some((from, false)) if !self.steps.dtypes[k].is_half() => {
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
        let steps::Line { op, operands, result, .. } = &self.steps.code[line];
        let is_one = operands.iter().all(|&x| matches!(self.places[x], Place::Input(Numbers::One(_))));
        if let (false, &Some(i)) = (is_one, result) {
            let memory = std::mem::take(&mut self.job.results[i]);
            let y: &mut [u8] = &mut memory[bytes(&self.block, self.steps.dtypes[number].size())];
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
        let slot = self.steps.slots[number];
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
        let dtype = self.steps.dtypes[number];
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

/// Memory that will be read, of which each line of a program has a part fetched.
struct Ahead {
    start: *const u8,
    len: usize,
    part: usize,
}

impl Ahead {
    fn new(memory: &[u8], lines: usize) -> Self {
        let part = memory.len().div_ceil(lines.max(1)).next_multiple_of(size_of::<CacheLine>());
        Self { start: memory.as_ptr(), len: memory.len(), part }
    }

    fn fetch(&self, line: usize) {
        let part = (line * self.part)..self.len.min((line + 1) * self.part);
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
