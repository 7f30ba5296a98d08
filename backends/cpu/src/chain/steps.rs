//! A program made ready: for each line what is asked of it for each block, and where each value goes.
use crate::elementwise::{Each, grain};
use firesteel_core::{Binary, DType, Error, Op, Program, Result};
use smallvec::SmallVec;
use std::{cell::RefCell, sync::Arc};

/// A line of a program, with what is asked of it for each block.
pub(super) struct Line {
    pub op: Op<usize>,
    pub operands: SmallVec<[usize; 3]>,
    /// What it is where its numbers are in F32.
    pub each: Option<Each>,
    /// The size of a number that it gives.
    pub size: usize,
    /// By which those share memory that do not live at the same time.
    pub slot: usize,
    /// Which result it is, where it can be written straight to that.
    pub result: Option<usize>,
    /// Whether it is a product or a comparison that those lines that read it may do for themselves.
    pub is_left: bool,
    /// Whether it is one number for all whatever the inputs are, and computed once.
    pub is_constant: bool,
}

/// A program made ready for inputs of some dtypes.
pub(crate) struct Steps {
    pub(super) code: Vec<Line>,
    /// For each input, whether it lies in a result's memory and is read there.
    pub(super) in_place: SmallVec<[bool; 8]>,
    /// Whether any input that lies in a result's memory is read.
    pub(super) reads_targets: bool,
    /// The dtype of each value: inputs, then lines.
    pub(super) dtypes: SmallVec<[DType; 8]>,
    pub(super) count: usize,
    pub(super) results: SmallVec<[usize; 4]>,
    /// The lines that read each value.
    pub(super) readers: Vec<Readers>,
    /// How many elements are worth another thread.
    pub(super) grain: usize,
}

/// Steps that a thread made lately, with what spells out for what.
type Recent = Vec<(SmallVec<[u64; 64]>, Arc<Steps>)>;

// a program runs the same formulas over and over
thread_local!(static RECENT: RefCell<Recent> = RefCell::default());

impl Steps {
    /// How many a thread keeps.
    const KEPT: usize = 16;

    /// [`new`](Self::new), or what it gave for the same a little while ago.
    pub(crate) fn recent(program: &Program, inputs: &[(DType, Option<usize>)]) -> Result<Arc<Self>> {
        let Some(mut words) = program.spelled() else { return Self::new(program, inputs).map(Arc::new) };
        words.extend(
            inputs.iter().map(|(dtype, target)| *dtype as u64 | (target.map_or(0, |i| i as u64 + 1) << 8)),
        );
        RECENT.with_borrow_mut(|recent| {
            if let Some((_, steps)) = recent.iter().find(|(spelled, _)| *spelled == words) {
                return Ok(steps.clone());
            }
            let steps = Arc::new(Self::new(program, inputs)?);
            if recent.len() == Self::KEPT {
                recent.remove(0);
            }
            recent.push((words, steps.clone()));
            Ok(steps)
        })
    }

    /// For inputs of these dtypes, of which some are the results with these numbers before they are written.
    pub(crate) fn new(program: &Program, inputs: &[(DType, Option<usize>)]) -> Result<Self> {
        let mut dtypes: SmallVec<[DType; 8]> = inputs.iter().map(|(dtype, _)| *dtype).collect();
        for op in &program.code {
            dtypes.push(match op {
                Op::Full(_, _, dtype) | Op::Cast(_, dtype) => *dtype,
                Op::Unary(_, x) | Op::Binary(_, x, _) | Op::Select(_, x, _) => dtypes[*x],
                Op::Compare(..) => DType::Bool,
                _ => return Err(Error::internal("chain", format!("{} is not element-wise", op.name()))),
            });
        }
        let readers = readers(program);
        let left = left(program, &dtypes, &readers);
        let last_uses = last_uses(program, &readers, &left);
        let (slots, count) = allot(program, &last_uses);
        let mut code: Vec<Line> = vec![];
        for (number, op) in (program.inputs..).zip(rounded_once(program, &readers)) {
            let mut operands: SmallVec<[usize; 3]> = SmallVec::new();
            op.clone().each(|x| operands.push(x));
            // a result takes numbers as they are, unless it is rounded, once nobody reads what was there
            let line = number - program.inputs;
            let is_there = |result: usize| {
                let mut targets =
                    inputs.iter().enumerate().filter(|(_, (_, target))| *target == Some(result));
                targets.any(|(k, _)| last_uses[k].is_some_and(|last| last >= line))
            };
            let result = program.results.iter().position(|&r| r == number);
            let result = result.filter(|&i| !dtypes[number].is_half() && !is_there(i));
            let of_constants = |&x: &usize| x >= program.inputs && code[x - program.inputs].is_constant;
            let is_constant = operands.iter().all(of_constants);
            let is_left = left[line];
            let (each, size) = (Each::of(&op, |&x| dtypes[x]), width(dtypes[number]));
            let slot = slots[line];
            code.push(Line { op, operands, each, size, slot, result, is_left, is_constant });
        }
        let in_place = |(k, (dtype, target)): (usize, &(DType, Option<usize>))| {
            target.is_some() && !dtype.is_half() && !program.results.contains(&k)
        };
        let in_place = inputs.iter().enumerate().map(in_place).collect();
        let reads_targets = inputs.iter().enumerate().any(|(k, (_, t))| t.is_some() && program.reads(k));
        let results = program.results.as_slice().into();
        let grain = grain(code.iter().map(|line| &line.op));
        Ok(Steps { code, in_place, reads_targets, dtypes, count, results, readers, grain })
    }

    /// The size of the type that a value's arithmetic is done in.
    pub(super) fn width(&self, number: usize) -> usize {
        width(self.dtypes[number])
    }

    /// Whether whole numbers are divided, of which one may be zero.
    pub(crate) fn may_fail(&self) -> bool {
        self.code.iter().any(|line| match line.op {
            Op::Binary(Binary::Div | Binary::Remainder | Binary::Fmod, a, _) => !self.dtypes[a].is_float(),
            _ => false,
        })
    }
}

/// The size of the type that a dtype's arithmetic is done in.
fn width(dtype: DType) -> usize {
    arithmetic!(dtype, T => size_of::<T>())
}

/// For each line whether it is left to those that read it, which can do so in F32: a product to a single one, a comparison to
/// choices.
fn left(program: &Program, dtypes: &[DType], readers: &[Readers]) -> Vec<bool> {
    let each = |op: &Op<usize>| Each::of(op, |&x| dtypes[x]);
    let is_left = |(line, op): (usize, &Op<usize>)| {
        let number = program.inputs + line;
        let readers = &readers[number];
        let all = |does: fn(Each) -> bool| {
            readers.iter().all(|&reader| each(&program.code[reader]).is_some_and(does))
        };
        let is_product = matches!(op, Op::Binary(Binary::Mul, a, b) if a != b) && readers.len() == 1;
        let is_taken = is_product && all(Each::takes_factors)
            || matches!(op, Op::Compare(..)) && all(|by| matches!(by, Each::Select));
        each(op).is_some() && is_taken && !program.results.contains(&number)
    };
    program.code.iter().enumerate().map(is_left).collect()
}

/// The lines that read a value, each as often as it does.
type Readers = SmallVec<[usize; 2]>;

/// For each value.
fn readers(program: &Program) -> Vec<Readers> {
    let mut readers = vec![SmallVec::new(); program.inputs + program.code.len()];
    for (line, op) in program.code.iter().enumerate() {
        op.clone().each(|x| readers[x].push(line));
    }
    readers
}

/// The line after which each value is read no more; what is multiplied or compared may still be by those that this is left to.
fn last_uses(program: &Program, readers: &[Readers], left: &[bool]) -> Vec<Option<usize>> {
    let mut last = program.last_uses();
    let lines = program.code.iter().zip(&readers[program.inputs..]).zip(left);
    for ((op, readers), _) in lines.filter(|(_, is_left)| **is_left) {
        op.clone().each(|x| last[x] = last[x].map(|last| readers.iter().copied().fold(last, usize::max)));
    }
    last
}

/// The lines, where one that casts to half precision and is a result, but never read, leaves the rounding
/// to what writes the result.
fn rounded_once(program: &Program, readers: &[Readers]) -> Vec<Op<usize>> {
    let last = |(line, op): (usize, &Op<usize>)| match *op {
        Op::Cast(x, dtype) if dtype.is_half() && readers[program.inputs + line].is_empty() => {
            Op::Cast(x, DType::F32)
        }
        _ => op.clone(),
    };
    program.code.iter().enumerate().map(last).collect()
}

/// Gives each line of a program a slot, so that none is written while it is read: the slots, and how many.
fn allot(program: &Program, last_uses: &[Option<usize>]) -> (SmallVec<[usize; 8]>, usize) {
    let mut ends = vec![SmallVec::<[usize; 2]>::new(); program.code.len()];
    for (line, last) in last_uses[program.inputs..].iter().enumerate() {
        last.iter().for_each(|&last| ends[last].push(line));
    }
    let mut slots: SmallVec<[usize; 8]> = SmallVec::new();
    let (mut count, mut free) = (0, vec![]);
    for ends in ends {
        slots.push(free.pop().unwrap_or_else(|| {
            count += 1;
            count - 1
        }));
        free.extend(ends.into_iter().map(|line| slots[line]));
    }
    (slots, count)
}
