//! A program made ready: for each line what is asked of it for each block, and where each value goes.
use crate::elementwise::grain;
use firesteel_core::{Binary, DType, Error, Op, Program, Result};
use smallvec::SmallVec;

/// A line of a program, with what is asked of it for each block.
pub(super) struct Line {
    pub op: Op<usize>,
    pub operands: SmallVec<[usize; 3]>,
    /// Which result it is, where it can be written straight to that.
    pub result: Option<usize>,
    /// Whether it is one number for all whatever the inputs are, and computed once.
    pub is_constant: bool,
}

/// A program made ready for inputs of some dtypes.
pub(crate) struct Steps {
    pub(super) code: Vec<Line>,
    /// For each input, whether it lies in a result's memory and is read for the last time before that is written.
    pub(super) in_place: SmallVec<[bool; 8]>,
    /// Whether any input that lies in a result's memory is read.
    pub(super) reads_targets: bool,
    /// The dtype of each value: inputs, then lines.
    pub(super) dtypes: SmallVec<[DType; 8]>,
    /// The slot of each value, by which those share one that do not live at the same time.
    pub(super) slots: SmallVec<[usize; 8]>,
    pub(super) count: usize,
    pub(super) results: SmallVec<[usize; 4]>,
    /// How many elements are worth another thread.
    pub(super) grain: usize,
}

impl Steps {
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
        let (slots, count) = allot(program);
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
        let in_place = |(k, (dtype, target)): (usize, &(DType, Option<usize>))| {
            target.is_some_and(|target| {
                let written = code.iter().position(|line| line.result == Some(target));
                let is_plain = !dtype.is_half() && !program.results.contains(&k);
                is_plain && written.is_some_and(|line| last_uses[k].is_none_or(|last| last < line))
            })
        };
        let in_place = inputs.iter().enumerate().map(in_place).collect();
        let reads_targets = inputs.iter().enumerate().any(|(k, (_, t))| t.is_some() && program.reads(k));
        let results = program.results.as_slice().into();
        let grain = grain(code.iter().map(|line| &line.op));
        Ok(Steps { code, in_place, reads_targets, dtypes, slots, count, results, grain })
    }

    /// Whether whole numbers are divided, of which one may be zero.
    pub(crate) fn may_fail(&self) -> bool {
        self.code.iter().any(|line| match line.op {
            Op::Binary(Binary::Div | Binary::Remainder | Binary::Fmod, a, _) => !self.dtypes[a].is_float(),
            _ => false,
        })
    }
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
