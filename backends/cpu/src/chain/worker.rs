//! A thread that writes its part of the results: block by block it finds where the inputs lie, and tile by tile it runs all
//! lines.
use super::{
    Input, Job, Plan, Steps,
    registers::{self, Ahead, Step},
    steps::Line,
};
use crate::{
    elementwise::{Each, Numbers, Stored, past, step},
    stream::{CacheLine, fence, fetch, stream},
    value::Native,
};
use bytemuck::{Zeroable, cast_slice, cast_slice_mut, pod_read_unaligned, try_cast_slice_mut};
use firesteel_core::{Compare, DType};
use smallvec::{SmallVec, smallvec};
use std::{
    cell::Cell,
    mem::take,
    ops::Range,
    slice::{from_raw_parts, from_raw_parts_mut},
};

/// Elements of a block, for which it is found out at once where the inputs lie, where they do not lie as the results do.
pub(super) const BLOCK: usize = 8 * TILE;

/// Elements of a tile. What is between two lines stays in the first cache and, more than that, leaves memory no time to
/// rest: what the last line writes is waited for while the first lines of the next tile are at work.
const TILE: usize = 384;

/// So many inputs are fetched in time by the processor itself; asking for them would only get in its way.
const FORESEEN: usize = 2;

/// Bytes between what is computed and what is fetched meanwhile.
const AHEAD: usize = 8192;

/// A row of as many elements is worth a block of its own.
const LONG_ROW: usize = 256;

/// Where the numbers of a value are.
#[derive(Clone, Copy)]
enum Place {
    /// One for all, in the first bytes.
    One(u64),
    /// One for each.
    Many(Part),
    /// One for each, times this one, which its reader sees to.
    Times(Part, f32),
    /// Whether those of two parts compare so, which its readers see to.
    Compared(Compare, [Part; 2]),
}

/// Memory that tiles lie in: where the block's first does, and how many bytes there are from one to the next.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) start: *mut u8,
    step: usize,
    /// Whether all its numbers are the same, and lie there for all tiles.
    pub(super) is_same: bool,
}

impl Part {
    fn new(start: *mut u8, step: usize) -> Self {
        Self { start, step, is_same: false }
    }

    /// Where the numbers of a tile are.
    pub(super) fn at(self, tile: usize) -> *mut u8 {
        self.start.wrapping_add(tile * self.step)
    }

    /// Has one part of so many fetched of what is read a little later.
    #[inline(always)]
    pub(super) fn fetch(self, tile: usize, [part, parts]: [usize; 2]) {
        let size = self.step.div_ceil(parts).next_multiple_of(size_of::<CacheLine>());
        let start = self.at(tile).wrapping_add(AHEAD);
        let lines = (part * size..self.step.min((part + 1) * size)).step_by(size_of::<CacheLine>());
        lines.for_each(|at| fetch(start.wrapping_add(at)));
    }
}

/// A line to be run on each tile of a block.
struct Run<'a> {
    line: &'a Line,
    /// The number of what it gives.
    number: usize,
    /// What can be run without looking at the operands again, and where these are.
    each: Option<(Each, [Part; 4])>,
    /// Which result it writes, if any.
    result: Option<usize>,
    y: Part,
    /// Whether that is a result's memory that is written around the caches, by way of the slot if need be.
    past: bool,
}

/// Lines that are run one after another on a tile: one in a loop of its own, or more in registers, by these steps.
struct Unit {
    runs: Range<usize>,
    steps: Range<usize>,
}

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
        // one line that goes around the caches leaves nothing in them to be met again
        let tile = if job.plan.streams && job.plan.steps.code.len() == 1 { BLOCK } else { TILE };
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
        let most = if self.plan.lies() { len } else { BLOCK };
        while self.block.end < len {
            let done = self.block.end;
            let mut n = most.min(len - done);
            if row >= LONG_ROW && most == BLOCK {
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

    /// Makes an input's numbers ready.
    fn load<T: Stored>(&mut self, k: usize) -> Place {
        let (n, at) = (self.block.len(), self.start + self.block.start);
        let is_plain = !self.steps.dtypes[k].is_half();
        let target = |i| self.result(i, size_of::<T>());
        let (x, seen): (&[T], _) = match self.plan.inputs[k] {
            Input::Value(x) => (x.memory(), self.plan.walk.seen(k, at, n)),
            Input::Target(i) if self.steps.in_place[k] => return Place::Many(target(i)),
            // SAFETY: that many numbers lie there, and nobody writes them before they are copied.
            Input::Target(i) => (unsafe { from_raw_parts(target(i).start.cast(), n) }, None),
        };
        let y = &mut self.memory.blocks[k];
        match (seen, self.plan.inputs[k]) {
            (Some((from, true)), _) => {
                T::widen(&x[from..from + 1], first(y, 1));
                return Place::One(cast_slice(y)[0]);
            }
            (Some((from, false)), _) if is_plain => {
                let start = x[from..from + n].as_ptr().cast_mut().cast();
                return Place::Many(Part::new(start, self.step * size_of::<T>()));
            }
            (Some((from, false)), _) => T::widen(&x[from..from + n], first(y, n)),
            (None, Input::Target(_)) => T::widen(x, first(y, n)),
            (None, Input::Value(_)) => {
                let mut gathered = [T::default(); BLOCK];
                self.plan.walk.gather(k, x, at, &mut gathered[..n]);
                T::widen(&gathered[..n], first(y, n));
            }
        }
        Place::Many(Part::new(y.as_mut_ptr().cast(), self.step * self.steps.width(k)))
    }

    /// The current block of a result whose numbers have this size.
    fn result(&self, i: usize, size: usize) -> Part {
        Part::new(self.results[i].wrapping_add(self.block.start * size), self.step * size)
    }

    /// Computes what is one number for the whole block, and finds out what is to be run on its tiles.
    fn prepare(&mut self) -> Option<()> {
        self.runs.clear();
        let (steps, streams) = (self.steps, self.plan.streams);
        let mut same = 0;
        for (number, line) in (self.plan.inputs.len()..).zip(&steps.code) {
            if line.is_constant && self.block.start > 0 {
                continue; // it is there
            }
            if line.operands.iter().all(|&x| matches!(self.places[x], Place::One(_))) {
                let mut one = [0u64];
                // SAFETY: no operand is in memory.
                let of = |x: usize| unsafe { self.numbers(x, 0, 1) };
                if !step(&line.op, of, 1, cast_slice_mut(&mut one)) {
                    return None;
                }
                self.places[number] = Place::One(one[0]);
                continue;
            }
            if line.is_left
                && let Some(place) = self.left(line, &mut same)
            {
                self.places[number] = place;
                continue;
            }
            // one line alone has nothing in a cache that it could be computed in
            let past = streams && steps.code.len() == 1 && line.result.is_some();
            let result = line.result.filter(|_| !streams || past);
            let y = match result {
                Some(i) => self.result(i, steps.dtypes[number].size()),
                None => self.slot(line.slot),
            };
            let each = if past { None } else { line.each.map(|each| self.operands(each, line, &mut same)) };
            self.places[number] = Place::Many(y);
            self.runs.push(Run { line, number, each, result, y, past });
        }
        self.join();
        Some(())
    }

    /// Finds out which neighbouring lines are done in registers.
    fn join(&mut self) {
        let (mut units, mut joined) = (take(&mut self.memory.units), take(&mut self.memory.joined));
        units.clear();
        joined.clear();
        let pays = registers::pays(self.block.len());
        for (k, run) in self.runs.iter().enumerate() {
            let before = units.last().filter(|unit| !unit.steps.is_empty()).map(|_| &self.runs[k - 1]);
            let step = run.each.filter(|_| pays);
            let step = step.and_then(|(each, x)| Step::new(each, x, run.y, before.map(|run| run.y)));
            let before = before.filter(|_| step.is_some());
            if before.is_some_and(|before| self.reads_alone(before.number, run.number)) {
                joined.last_mut().into_iter().for_each(Step::keep);
            }
            let start = joined.len();
            joined.extend(step);
            match units.last_mut().filter(|_| before.is_some()) {
                Some(unit) => (unit.runs.end, unit.steps.end) = (k + 1, joined.len()),
                None => units.push(Unit { runs: k..k + 1, steps: start..joined.len() }),
            }
        }
        (self.memory.units, self.memory.joined) = (units, joined);
    }

    /// Whether nothing but this line reads a value, itself or by what is left to it.
    fn reads_alone(&self, value: usize, number: usize) -> bool {
        let (steps, inputs) = (self.steps, self.plan.inputs.len());
        let is_it = |&line: &usize| match self.places[inputs + line] {
            Place::Times(..) | Place::Compared(..) => {
                steps.readers[inputs + line].iter().all(|&reader| reader == number - inputs)
            }
            Place::One(_) | Place::Many(_) => line == number - inputs,
        };
        !steps.results.contains(&value) && steps.readers[value].iter().all(is_it)
    }

    /// What the readers of a line need that is left to them: of a comparison both sides, and of a product a number for each
    /// and one for all.
    fn left(&mut self, line: &Line, same: &mut usize) -> Option<Place> {
        let [a, b] = line.operands[..] else { return None };
        if let Some(Each::Compare(kind)) = line.each {
            return Some(Place::Compared(kind, [a, b].map(|x| self.part(x, same).0)));
        }
        match (self.places[a], self.places[b]) {
            (Place::Many(x), Place::One(bits)) | (Place::One(bits), Place::Many(x)) => {
                Some(Place::Times(x, one(bits)))
            }
            _ => None,
        }
    }

    /// The memory for a tile.
    fn slot(&mut self, slot: usize) -> Part {
        Part::new(self.memory.tiles[slot].as_mut_ptr().cast(), 0)
    }

    /// Where a line's operands are, of which those that are one for all are written out, unless there is a loop for them; so
    /// many were before.
    fn operands(&mut self, each: Each, line: &Line, same: &mut usize) -> (Each, [Part; 4]) {
        let mut parts = [Part::new(std::ptr::null_mut(), 0); 4];
        if let [a, b] = line.operands[..] {
            let with_one = match (self.places[a], self.places[b]) {
                (Place::Many(x), Place::One(bits)) => Some((x, each.with_one(one(bits)))),
                (Place::One(bits), Place::Many(x)) => Some((x, each.after_one(one(bits)))),
                _ => None,
            };
            if let Some((x, Some(each))) = with_one {
                parts[0] = x;
                return (each, parts);
            }
        }
        if let [condition, yes, no] = line.operands[..]
            && let Place::Compared(kind, [a, b]) = self.places[condition]
        {
            return (Each::Choose(kind), [a, b, self.part(yes, same).0, self.part(no, same).0]);
        }
        let mut factors = [1.0; 4];
        // no operation has more than three
        for ((part, factor), &x) in parts.iter_mut().zip(&mut factors).zip(&line.operands) {
            (*part, *factor) = self.part(x, same);
        }
        let each = if factors == [1.0; 4] { each } else { each.of_products([factors[0], factors[1]]) };
        (each, parts)
    }

    /// Where an operand is, and what it is to be multiplied by; one for all is written out, after so many that were before.
    fn part(&mut self, x: usize, same: &mut usize) -> (Part, f32) {
        match self.places[x] {
            Place::Many(part) | Place::Compared(_, [part, _]) => (part, 1.0),
            Place::Times(part, times) => (part, times),
            Place::One(bits) => {
                make_room(&mut self.memory.same, *same + 1, self.tile);
                let slot = &mut self.memory.same[*same];
                *same += 1;
                arithmetic!(self.steps.dtypes[x], T => first(slot, self.tile).fill(one::<T>(bits)));
                (Part { start: slot.as_mut_ptr().cast(), step: 0, is_same: true }, 1.0)
            }
        }
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

/// The first `n` numbers of a slot's memory.
fn first<T: Native>(memory: &mut [CacheLine], n: usize) -> &mut [T] {
    &mut cast_slice_mut(memory)[..n]
}

/// The number in the first bytes.
fn one<T: Native>(bits: u64) -> T {
    pod_read_unaligned(&bits.to_ne_bytes()[..size_of::<T>()])
}
