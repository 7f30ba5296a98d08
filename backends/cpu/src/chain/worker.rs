//! A thread that writes its part of the results: block by block it finds where the inputs lie, and tile by tile it runs all
//! lines.
mod prepare;

use super::{
    Job, Plan, Steps,
    part::Part,
    registers::{self, Ahead, Step},
};
use crate::{
    elementwise::{Numbers, Stored, past, step},
    stream::{CacheLine, fence, stream},
};
use bytemuck::{Zeroable, cast_slice, cast_slice_mut, try_cast_slice_mut};
use firesteel_core::DType;
use prepare::{Place, Run, Unit};
use smallvec::{SmallVec, smallvec};
use std::{
    cell::Cell,
    mem::take,
    ops::Range,
    slice::{from_raw_parts, from_raw_parts_mut},
};

/// Elements of a block, for which it is found out at once where the inputs lie. Where they can be read as they lie, alongside all
/// results or a row of them, that many are a block.
pub(super) const BLOCK: usize = 8 * TILE;

/// Elements of a tile. What is between two lines stays in the first cache and, more than that, leaves memory no time to
/// rest: what the last line writes is waited for while the first lines of the next tile are at work.
const TILE: usize = 384;

/// So many inputs are fetched in time by the processor itself; asking for them would only get in its way.
const FORESEEN: usize = 2;

/// A row of as many elements is worth a block of its own.
const LONG_ROW: usize = 256;

/// Memory for numbers of the widest type, on a boundary of lines: a vector across two of them is read twice.
type Slot = Vec<CacheLine>;

/// Sees that there are so many slots, each for as many numbers.
fn make_room(slots: &mut Vec<Slot>, count: usize, len: usize) {
    let lines = len * size_of::<u64>() / size_of::<CacheLine>();
    slots.resize_with(slots.len().max(count), Slot::new);
    slots[..count].iter_mut().for_each(|slot| slot.resize(slot.len().max(lines), CacheLine::zeroed()));
}

/// What a thread works in.
#[derive(Default)]
struct Memory {
    /// For the inputs' blocks.
    blocks: Vec<Slot>,
    /// For the lines' tiles.
    tiles: Vec<Slot>,
    /// For tiles of numbers that are the same.
    same: Vec<Slot>,
    units: Vec<Unit>,
    /// The steps of all units.
    joined: Vec<Step>,
}

// what a thread has used it uses again
thread_local!(static MEMORY: Cell<Memory> = Cell::default());

/// A thread at work.
pub(super) struct Worker<'a> {
    plan: &'a Plan<'a>,
    steps: &'a Steps,
    /// Where the job begins.
    start: usize,
    /// Where the job's results begin.
    results: SmallVec<[*mut u8; 4]>,
    /// The most elements of a tile.
    tile: usize,
    /// Elements from one tile to the next.
    step: usize,
    memory: Memory,
    /// Where each value of the current block is.
    places: SmallVec<[Place; 16]>,
    /// What is run on each of its tiles.
    runs: Vec<Run<'a>>,
    /// Which part of the job the current block is.
    block: Range<usize>,
}

impl<'a> Worker<'a> {
    /// Does a job; false where a whole number was divided by zero.
    pub(super) fn run(job: Job<'a>) -> bool {
        let results = job.results.into_iter().map(<[u8]>::as_mut_ptr).collect();
        // one line leaves nothing in a cache that another would meet there
        let tile = if job.plan.steps.code.len() == 1 { BLOCK } else { TILE };
        let is_defined =
            Self::with(job.plan, job.start, results, [tile, tile], |worker| worker.blocks(job.len));
        if job.plan.streams {
            fence();
        }
        is_defined.is_some()
    }

    /// Computes some columns of some rows, and one at least, where the inputs [lie](Plan::lies) as the result does; false where
    /// a whole number was divided by zero.
    ///
    /// # Safety
    /// They begin at `y`, rows lie `step` elements apart, and nobody else looks at them meanwhile. Element number `start` of the
    /// inputs is beside the first.
    pub(super) unsafe fn rows(
        plan: &'a Plan<'a>,
        start: usize,
        y: *mut u8,
        [rows, columns]: [usize; 2],
        step: usize,
    ) -> bool {
        if columns == step {
            let blocks = |worker: &mut Self| worker.blocks(rows * columns);
            return Self::with(plan, start, smallvec![y], [TILE, TILE], blocks).is_some();
        }
        let size = plan.steps.dtypes[plan.steps.results[0]].size();
        let even = columns.div_ceil(columns.div_ceil(TILE));
        (0..columns).step_by(even).all(|column| {
            let len = even.min(columns - column);
            let results = smallvec![y.wrapping_add(column * size)];
            let tiles = |worker: &mut Self| {
                worker.find(0..(rows - 1) * step + len)?;
                worker.tiles(rows, |_| len)
            };
            Self::with(plan, start + column, results, [TILE, step], tiles).is_some()
        })
    }

    fn with<R>(
        plan: &'a Plan<'a>,
        start: usize,
        results: SmallVec<[*mut u8; 4]>,
        [tile, step]: [usize; 2],
        work: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let steps = &*plan.steps;
        let mut memory = MEMORY.take();
        let inputs = plan.inputs.len();
        make_room(&mut memory.blocks, inputs, BLOCK);
        make_room(&mut memory.tiles, steps.count, tile);
        let places = SmallVec::from_elem(Place::One(0), inputs + steps.code.len());
        let runs = Vec::with_capacity(steps.code.len());
        let mut worker =
            Worker { plan, steps, start, results, tile, step, memory, places, runs, block: 0..0 };
        let result = work(&mut worker);
        MEMORY.set(worker.memory);
        result
    }

    /// Nothing where a whole number was divided by zero; so are the others.
    fn blocks(&mut self, len: usize) -> Option<()> {
        let row = self.plan.walk.row();
        let in_rows = row >= LONG_ROW && !self.plan.lies();
        let most = if self.plan.lies() || in_rows && self.plan.rows_lie() { len } else { BLOCK };
        while self.block.end < len {
            let done = self.block.end;
            let mut n = most.min(len - done);
            if in_rows {
                n = n.min(row - (self.start + done) % row);
            }
            self.find(done..done + n)?;
            let most = self.tile;
            self.tiles(n.div_ceil(most), |tile| most.min(n - tile * most))?;
        }
        Some(())
    }

    /// Finds out where the values of a block are, and what is to be run on its tiles.
    fn find(&mut self, block: Range<usize>) -> Option<()> {
        self.block = block;
        for k in 0..self.plan.inputs.len() {
            self.places[k] = native!(self.steps.dtypes[k], T => self.load::<T>(k));
        }
        self.prepare()
    }

    /// The current block of a result whose numbers have this size.
    fn result(&self, i: usize, size: usize) -> Part {
        Part::new(self.results[i].wrapping_add(self.block.start * size), self.step * size)
    }

    /// Runs all lines on each of so many tiles, of so many elements.
    fn tiles(&mut self, count: usize, len: impl Fn(usize) -> usize) -> Option<()> {
        let runs = take(&mut self.runs);
        let (units, joined) = (take(&mut self.memory.units), take(&mut self.memory.joined));
        let is_left = |&i: &usize| !runs.iter().any(|run| run.result == Some(i));
        let left: SmallVec<[usize; 4]> = (0..self.steps.results.len()).filter(is_left).collect();
        let ahead = self.ahead();
        for tile in 0..count {
            let len = len(tile);
            for (number, unit) in units.iter().enumerate() {
                // SAFETY: the memory of results and slots is this worker's own, nothing else looks at it meanwhile, and
                // `prepare` gave each line places with that many numbers.
                unsafe {
                    let ahead = Ahead { inputs: &ahead, part: [number, units.len()] };
                    let done = registers::run(&joined[unit.steps.clone()], ahead, tile, len);
                    if done < len
                        && !runs[unit.runs.clone()].iter().all(|run| self.line(run, tile, done..len))
                    {
                        return None;
                    }
                }
            }
            for &i in &left {
                let number = self.steps.results[i];
                native!(self.steps.dtypes[number], T => self.store::<T>(i, number, tile, len));
            }
        }
        (self.runs, self.memory.units, self.memory.joined) = (runs, units, joined);
        Some(())
    }

    /// Inputs that are read where they lie, to be fetched, where they are so many that the processor does not foresee it.
    fn ahead(&self) -> SmallVec<[Part; 8]> {
        let inputs = self.plan.inputs.len();
        // loops that go around the caches fetch for themselves, and what a product gave is in a cache
        if self.plan.streams || inputs <= FORESEEN || self.step != self.tile {
            return SmallVec::new();
        }
        let many = |place: &Place| match *place {
            Place::Many(part) => Some(part),
            Place::One(_) | Place::Times(..) | Place::Compared(..) => None,
        };
        self.places[..inputs].iter().filter_map(many).collect()
    }

    /// Runs a line on a part of a tile, which is the whole unless all its numbers are in F32; false where a whole number was
    /// divided by zero.
    ///
    /// # Safety
    /// Operands are there, nobody writes them, and nobody else looks at what is written.
    unsafe fn line(&mut self, run: &Run<'a>, tile: usize, part: Range<usize>) -> bool {
        let len = part.len();
        if let Some((each, xs)) = run.each {
            let at = |x: Part| x.at(tile).wrapping_add(part.start * size_of::<f32>());
            // SAFETY: the caller's promise; a line reads nothing that it writes.
            unsafe { each.run(xs.map(|x| at(x).cast_const()), at(run.y), len) };
            return true;
        }
        let aside = self.slot(run.line.slot);
        // SAFETY: the caller's promise.
        let of = |x: usize| unsafe { self.numbers(x, tile, len) };
        // SAFETY: the caller's promise.
        let bytes = |y: Part| unsafe { from_raw_parts_mut(y.at(tile), len * run.line.size) };
        let y = bytes(run.y);
        if !run.past {
            return step(&run.line.op, of, len, y);
        }
        if let Ok(lines) = try_cast_slice_mut(y)
            && past(&run.line.op, of, lines)
        {
            return true;
        }
        let is_defined = step(&run.line.op, of, len, bytes(aside));
        stream(bytes(aside), y);
        is_defined
    }

    /// A value's numbers for a tile.
    ///
    /// # Safety
    /// They are there, and nobody writes them meanwhile.
    unsafe fn numbers<'s>(&self, number: usize, tile: usize, len: usize) -> (DType, Numbers<'s>) {
        let numbers = match self.places[number] {
            Place::One(bits) => Numbers::One(bits),
            Place::Many(x) | Place::Times(x, _) | Place::Compared(_, [x, _]) => {
                debug_assert!(matches!(self.places[number], Place::Many(_)), "has a reader that sees to it");
                // SAFETY: the caller's promise.
                Numbers::Many(unsafe { from_raw_parts(x.at(tile), len * self.steps.width(number)) })
            }
        };
        (self.steps.dtypes[number], numbers)
    }

    /// Writes a value to a result.
    fn store<T: Stored>(&mut self, i: usize, number: usize, tile: usize, len: usize) {
        let y = self.result(i, size_of::<T>()).at(tile);
        // SAFETY: that many numbers of the result lie there, and no value does, or it would not have to be written.
        let y: &mut [T] = unsafe { from_raw_parts_mut(y.cast(), len) };
        // SAFETY: as in `tiles`.
        match unsafe { self.numbers(number, tile, len) } {
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
    }
}
