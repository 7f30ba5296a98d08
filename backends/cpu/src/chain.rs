//! Element-wise operations joined in one pass: a program is interpreted on tiles that stay in the
//! first-level cache, and each line of it is one vectorised loop over the tile.
mod part;
mod registers;
mod steps;
#[cfg(test)]
mod tests;
mod worker;

pub(crate) use steps::Steps;

use crate::{
    CpuValue,
    elementwise::{Walk, defined},
    gemm::MatrixMut,
    memory::Block,
    parallel,
};
use firesteel_core::{Error, Layout, Meta, Metas, Outputs, Program, Result, Shape};
use smallvec::{SmallVec, smallvec};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use worker::{BLOCK, Worker};

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
    let steps = Steps::recent(program, &dtypes)?;
    let plan = Plan::new(steps, xs.iter().map(|&x| Input::Value(x)).collect(), out)?;
    let mut blocks = out.iter().map(|meta| Block::new(meta.bytes())).collect::<Result<SmallVec<[_; 1]>>>()?;
    let rows = blocks.iter_mut().zip(out).map(|(block, meta)| &mut block.bytes_mut()[..meta.bytes()]);
    run(&[plan], vec![rows.collect()])?;
    Ok(out.iter().zip(blocks).map(|(meta, block)| CpuValue::from_block(meta, block)).collect())
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

    /// Whether all inputs can be read where they lie, as the results do, or are one number for all.
    fn lies(&self) -> bool {
        self.all_lie(Walk::sees_all)
    }

    /// Whether those of a row can.
    fn rows_lie(&self) -> bool {
        self.all_lie(Walk::sees_rows)
    }

    fn all_lie(&self, sees: impl Fn(&Walk, usize) -> bool) -> bool {
        let lies = |(k, input): (usize, &Input)| match input {
            Input::Value(_) => !self.steps.dtypes[k].is_half() && sees(&self.walk, k),
            Input::Target(_) => self.steps.in_place[k],
        };
        self.inputs.iter().enumerate().all(lies)
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
        if !Worker::run(job) {
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

/// A formula of what a product gives, run where that lies as soon as some of its rows are there.
pub(crate) struct Epilogue<'a>(Plan<'a>);

impl<'a> Epilogue<'a> {
    /// Over the product, `out`, and what stands beside it; nothing where the formula has to have the product whole.
    pub(crate) fn new(program: &Program, beside: &[&'a CpuValue], out: &Meta) -> Result<Option<Self>> {
        let dtypes = [(out.dtype, Some(0))].into_iter().chain(beside.iter().map(|x| (x.meta.dtype, None)));
        let steps = Steps::recent(program, &dtypes.collect::<Vec<_>>())?;
        if steps.may_fail() || steps.results.len() != 1 {
            return Ok(None);
        }
        let inputs = [Input::Target(0)].into_iter().chain(beside.iter().map(|&x| Input::Value(x)));
        let plan = Plan::new(steps, inputs.collect(), &smallvec![out.clone()])?;
        Ok(plan.lies().then_some(Self(Plan { streams: false, ..plan })))
    }

    /// Runs it on a part of the product that begins at this row and column.
    pub(crate) fn run(&self, [row, column]: [usize; 2], mut part: MatrixMut<f32>) {
        if part.size.contains(&0) {
            return;
        }
        let (size, step) = (part.size, part.stride());
        // SAFETY: `part` is the only way to those numbers, and the inputs lie as the product does, whose rows are so far apart.
        // It cannot fail.
        unsafe { Worker::rows(&self.0, row * step + column, part.pointer(0, 0).cast(), size, step) };
    }
}
