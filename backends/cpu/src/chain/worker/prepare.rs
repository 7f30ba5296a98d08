//! What is found out before the tiles of a block are run: where its values are, and how each line is run.
use super::{BLOCK, Worker, make_room};
use crate::{
    chain::{
        Input,
        part::Part,
        registers::{self, Step},
        steps::Line,
    },
    elementwise::{Each, Stored, step},
    stream::CacheLine,
    value::Native,
};
use bytemuck::{cast_slice, cast_slice_mut, pod_read_unaligned};
use firesteel_core::Compare;
use std::{mem::take, ops::Range, slice::from_raw_parts};

/// Where the numbers of a value are.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// One for all, in the first bytes.
    One(u64),
    /// One for each.
    Many(Part),
    /// One for each, times this one, which its reader sees to.
    Times(Part, f32),
    /// Whether those of two parts compare so, which its readers see to.
    Compared(Compare, [Part; 2]),
}

/// A line to be run on each tile of a block.
pub(super) struct Run<'a> {
    pub line: &'a Line,
    /// The number of what it gives.
    pub number: usize,
    /// What can be run without looking at the operands again, and where these are.
    pub each: Option<(Each, [Part; 4])>,
    /// Which result it writes, if any.
    pub result: Option<usize>,
    pub y: Part,
    /// Whether that is a result's memory that is written around the caches, by way of the slot if need be.
    pub past: bool,
}

/// Lines that are run one after another on a tile: one in a loop of its own, or more in registers, by these steps.
pub(super) struct Unit {
    pub runs: Range<usize>,
    pub steps: Range<usize>,
}

impl<'a> Worker<'a> {
    /// Makes an input's numbers ready.
    pub(super) fn load<T: Stored>(&mut self, k: usize) -> Place {
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

    /// Computes what is one number for the whole block, and finds out what is to be run on its tiles.
    pub(super) fn prepare(&mut self) -> Option<()> {
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
        let pays = self.runs.len() > 1 && registers::pays(self.block.len());
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
    pub(super) fn slot(&mut self, slot: usize) -> Part {
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
}

/// The first `n` numbers of a slot's memory.
fn first<T: Native>(memory: &mut [CacheLine], n: usize) -> &mut [T] {
    &mut cast_slice_mut(memory)[..n]
}

/// The number in the first bytes.
fn one<T: Native>(bits: u64) -> T {
    pod_read_unaligned(&bits.to_ne_bytes()[..size_of::<T>()])
}
