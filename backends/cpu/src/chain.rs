//! Element-wise operations joined in one pass: a program is interpreted on blocks that stay in the
//! first-level cache, and each line of it is one vectorised loop over the block.
use crate::{
    CpuValue,
    elementwise::{
        convert::{Convert, Stored, To, convert},
        number::{self, Line, Number},
        walk::Walk,
    },
    memory::Block,
    parallel,
    value::Native,
};
use bytemuck::{cast_slice, cast_slice_mut, pod_read_unaligned};
use firesteel_core::{
    Binary, Compare, DType, Error, Layout, Metas, Op, Outputs, Program, Result, Shape, Unary,
};
use half::{bf16, f16};
use smallvec::SmallVec;
use std::{
    ops::Range,
    sync::atomic::{AtomicBool, Ordering},
};

/// Elements of a block.
const BLOCK: usize = 1024;

/// A row of as many elements is worth a block of its own.
const LONG_ROW: usize = 256;

/// Below this many elements another thread is not worth it.
const GRAIN: usize = 16 * 1024;

/// Where a block of an input comes from.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// A value.
    Value(&'a CpuValue),
    /// What this result's memory holds before.
    Target(usize),
}

/// Runs a program of element-wise operations.
pub(crate) fn chain(program: &Program, xs: &[&CpuValue], out: &Metas) -> Result<Outputs<CpuValue>> {
    let shape = &out[0].shape;
    if xs.iter().all(|x| x.is_same()) && shape.numel() > 1 {
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

/// A program made ready: where its inputs lie, and which slot each value takes.
pub(crate) struct Plan<'a> {
    program: &'a Program,
    inputs: SmallVec<[Input<'a>; 4]>,
    walk: Walk,
    /// The dtype of each value: inputs, then lines.
    dtypes: SmallVec<[DType; 8]>,
    /// The slot of each value, by which those share one that do not live at the same time.
    slots: SmallVec<[usize; 8]>,
    count: usize,
}

impl<'a> Plan<'a> {
    /// For results like `out`, over inputs of their shape.
    pub(crate) fn new(program: &'a Program, inputs: SmallVec<[Input<'a>; 4]>, out: &Metas) -> Result<Self> {
        let shape = &out[0].shape;
        let of_shape = |input: &Input| !matches!(input, Input::Value(x) if x.meta.shape != *shape);
        if out.iter().any(|meta| meta.shape != *shape) || !inputs.iter().all(of_shape) {
            return Err(Error::internal("chain", "its operands and results have to have one shape"));
        }
        let rows = Layout::contiguous(shape.clone());
        let layouts = inputs.iter().map(|input| match input {
            Input::Value(x) => &x.layout,
            Input::Target(_) => &rows,
        });
        let walk = Walk::new(shape, layouts);
        let mut dtypes: SmallVec<[DType; 8]> = inputs
            .iter()
            .map(|input| match *input {
                Input::Value(x) => x.meta.dtype,
                Input::Target(i) => out[i].dtype,
            })
            .collect();
        for op in &program.code {
            dtypes.push(match op {
                Op::Full(_, _, dtype) | Op::Cast(_, dtype) => *dtype,
                Op::Unary(_, x) | Op::Binary(_, x, _) | Op::Select(_, x, _) => dtypes[*x],
                Op::Compare(..) => DType::Bool,
                _ => return Err(Error::internal("chain", format!("{} is not element-wise", op.name()))),
            });
        }
        let (slots, count) = allot(program);
        Ok(Plan { program, inputs, walk, dtypes, slots, count })
    }

    /// Writes the results, row-major, to memory of their sizes.
    pub(crate) fn run(&self, results: SmallVec<[&mut [u8]; 1]>) -> Result<()> {
        let len = self.walk.len();
        let pieces = (len / GRAIN).clamp(1, parallel::num_threads() * 4);
        let size = len.div_ceil(pieces).max(1).next_multiple_of(BLOCK);
        let mut jobs: Vec<Job> =
            (0..len).step_by(size).map(|start| Job::new(start, size.min(len - start))).collect();
        for (result, &number) in results.into_iter().zip(&self.program.results) {
            let bytes = size * self.dtypes[number].size();
            jobs.iter_mut().zip(result.chunks_mut(bytes)).for_each(|(job, piece)| job.results.push(piece));
        }
        let is_defined = AtomicBool::new(true);
        parallel::jobs(jobs, |job| {
            if !self.work(job) {
                is_defined.store(false, Ordering::Relaxed);
            }
        });
        if is_defined.into_inner() {
            return Ok(());
        }
        Err(Error::value("chain", "a whole number cannot be divided by zero"))
    }

    /// One thread's part; false where a whole number was divided by zero.
    fn work(&self, mut job: Job) -> bool {
        let row = self.walk.row();
        let mut slots = Slots::new(self.count, job.len.min(BLOCK));
        let mut places: SmallVec<[Place; 8]> = SmallVec::new();
        let mut done = 0;
        while done < job.len {
            let at = job.start + done;
            let mut n = BLOCK.min(job.len - done);
            if row >= LONG_ROW {
                n = n.min(row - at % row);
            }
            places.clear();
            for k in 0..self.inputs.len() {
                places.push(self.load(k, at, &job.results, done..done + n, &mut slots));
            }
            for (line, op) in self.program.code.iter().enumerate() {
                match self.step(op, self.slots[self.inputs.len() + line], n, &places, &mut slots) {
                    Some(place) => places.push(place),
                    None => return false,
                }
            }
            for (result, &number) in job.results.iter_mut().zip(&self.program.results) {
                native!(self.dtypes[number], T => {
                    let y: &mut [T] = cast_slice_mut(result);
                    store(slots.line(places[number], n), &mut y[done..done + n]);
                });
            }
            done += n;
        }
        true
    }

    /// Makes the elements of an input ready that lie beside the results from number `at` on. Those of a
    /// target are `here` in its memory.
    fn load(
        &self,
        k: usize,
        at: usize,
        results: &[&mut [u8]],
        here: Range<usize>,
        slots: &mut Slots,
    ) -> Place<'a> {
        let (slot, n) = (self.slots[k], here.len());
        native!(self.dtypes[k], T => {
            let x = match self.inputs[k] {
                Input::Value(x) => x.memory::<T>(),
                Input::Target(i) => {
                    let x: &[T] = cast_slice(results[i]);
                    T::widen(&x[here], slots.line_mut(slot, n));
                    return Place::Slot(slot);
                }
            };
            match self.walk.seen(k, at, n) {
                Some((first, true)) => {
                    T::widen(&x[first..first + 1], slots.line_mut(slot, 1));
                    slots.one(slot)
                }
                Some((first, false)) if self.dtypes[k].is_half() => {
                    T::widen(&x[first..first + n], slots.line_mut(slot, n));
                    Place::Slot(slot)
                }
                Some((first, false)) => Place::Memory(cast_slice(&x[first..first + n])),
                None => {
                    let mut gathered = [T::default(); BLOCK];
                    self.walk.gather(k, x, at, &mut gathered[..n]);
                    T::widen(&gathered[..n], slots.line_mut(slot, n));
                    Place::Slot(slot)
                }
            }
        })
    }

    /// Runs a line; nothing where a whole number was divided by zero.
    fn step(
        &self,
        op: &Op<usize>,
        slot: usize,
        n: usize,
        places: &[Place],
        slots: &mut Slots,
    ) -> Option<Place<'a>> {
        let mut is_one = true;
        op.clone().each(|x| is_one &= matches!(places[x], Place::One(_)));
        let n = if is_one { 1 } else { n };
        let mut memory = slots.take(slot);
        let is_defined = {
            let (y, of) = (&mut memory[..], &*slots);
            let dtype = |x: usize| self.dtypes[x];
            match *op {
                Op::Full(value, _, dtype) => {
                    arithmetic!(dtype, T => cast_slice_mut(y)[0] = value.round_to(dtype).to::<T>());
                    true
                }
                // Bool is a byte of 0 or 1
                Op::Unary(Unary::Not, x) if dtype(x) == DType::Bool => {
                    u8::binary(Binary::BitXor, of.line(places[x], n), Line::One(1), first(y, n))
                }
                Op::Unary(kind, x) => {
                    arithmetic!(dtype(x), T => T::unary(kind, of.line(places[x], n).as_slice(), first(y, n)));
                    true
                }
                Op::Binary(kind, a, b) => {
                    let kind = match kind {
                        Binary::Add if dtype(a) == DType::Bool => Binary::BitOr,
                        Binary::Mul if dtype(a) == DType::Bool => Binary::BitAnd,
                        kind => kind,
                    };
                    arithmetic!(dtype(a), T => {
                        T::binary(kind, of.line(places[a], n), of.line(places[b], n), first(y, n))
                    })
                }
                Op::Compare(kind, a, b) => {
                    arithmetic!(dtype(a), T => {
                        T::compare(kind, of.line(places[a], n), of.line(places[b], n), first(y, n))
                    });
                    true
                }
                Op::Select(c, a, b) => {
                    arithmetic!(dtype(a), T => number::select(
                        of.line(places[c], n),
                        of.line::<T>(places[a], n),
                        of.line(places[b], n),
                        first(y, n),
                    ));
                    true
                }
                Op::Cast(x, to) => {
                    arithmetic!(dtype(x), T => cast::<T>(of.line(places[x], n), to, y, n));
                    true
                }
                // `new` refused the rest
                _ => true,
            }
        };
        slots.put(slot, memory);
        is_defined.then(|| if is_one { slots.one(slot) } else { Place::Slot(slot) })
    }
}

/// A thread's part of the results: `len` from number `start` on.
struct Job<'a> {
    start: usize,
    len: usize,
    results: SmallVec<[&'a mut [u8]; 1]>,
}

impl Job<'_> {
    fn new(start: usize, len: usize) -> Self {
        Job { start, len, results: SmallVec::new() }
    }
}

/// Where the numbers of a block are.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// In the slot with this number.
    Slot(usize),
    /// As they lie in an input's memory.
    Memory(&'a [u8]),
    /// One for all, in the first bytes.
    One(u64),
}

/// A thread's memory for blocks of numbers.
struct Slots(Vec<Box<[u64]>>);

impl Slots {
    fn new(count: usize, block: usize) -> Self {
        Slots((0..count).map(|_| vec![0; block].into()).collect())
    }

    fn line<'s, T: Number>(&'s self, place: Place<'s>, n: usize) -> Line<'s, T> {
        match place {
            Place::Slot(slot) => Line::Many(&cast_slice(&self.0[slot])[..n]),
            Place::Memory(bytes) => Line::Many(cast_slice(bytes)),
            Place::One(bits) => Line::One(pod_read_unaligned(&bits.to_ne_bytes()[..size_of::<T>()])),
        }
    }

    fn line_mut<T: Number>(&mut self, slot: usize, n: usize) -> &mut [T] {
        first(&mut self.0[slot], n)
    }

    /// The first number of a slot as the one for all.
    fn one(&self, slot: usize) -> Place<'static> {
        Place::One(self.0[slot][0])
    }

    /// Takes a slot's memory out, so that it can be written while others are read.
    fn take(&mut self, slot: usize) -> Box<[u64]> {
        std::mem::take(&mut self.0[slot])
    }

    fn put(&mut self, slot: usize, memory: Box<[u64]>) {
        self.0[slot] = memory;
    }
}

/// The first `n` numbers that lie in a slot's memory.
fn first<T: Native>(memory: &mut [u64], n: usize) -> &mut [T] {
    &mut cast_slice_mut(memory)[..n]
}

/// Numbers to the elements of a result.
fn store<T: Stored>(x: Line<T::Number>, y: &mut [T]) {
    match x {
        Line::Many(x) => T::narrow(x, y),
        Line::One(x) => {
            let mut one = [T::default()];
            T::narrow(&[x], &mut one);
            y.fill(one[0]);
        }
    }
}

/// `n` numbers as those of another dtype.
fn cast<T: Number + Convert>(x: Line<T>, to: DType, y: &mut [u64], n: usize) {
    match to {
        DType::Bool => T::compare(Compare::Ne, x, Line::One(T::default()), first(y, n)),
        DType::BF16 => round::<T, bf16>(x, first(y, n)),
        DType::F16 => round::<T, f16>(x, first(y, n)),
        _ => arithmetic!(to, U => convert::<T, U>(x.as_slice(), first(y, n))),
    }
}

/// Numbers as f32, rounded to what a narrower type can hold.
fn round<T: To<f32> + Number, U: Stored<Number = f32>>(x: Line<T>, y: &mut [f32]) {
    let mut narrow = [U::default(); BLOCK];
    let narrow = &mut narrow[..y.len()];
    convert(x.as_slice(), y);
    U::narrow(y, narrow);
    U::widen(narrow, y);
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
