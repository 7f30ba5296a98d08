//! Neighbouring lines that are done in registers: a group of vectors goes through all of them before the next does, so that
//! what one line gives the next is not written and read again.
mod vectors;

use super::part::Part;
use crate::{
    elementwise::Each,
    simd::{best, on_vectors},
};
use firesteel_core::{Binary, Compare, Unary};
use vectors::Groups;

/// The vectors of a group: so many are worth finding out what to do with them, and three operands of a choice fill the
/// registers of AVX-512.
const GROUP: usize = 8;

/// An operand's numbers, and what they are multiplied by.
#[derive(Clone, Copy)]
struct Operand {
    numbers: Numbers,
    times: f32,
}

#[derive(Clone, Copy)]
enum Numbers {
    /// What the line before gave.
    Before,
    Many(Part),
    One(f32),
}

/// What there are instructions for.
#[derive(Clone, Copy)]
enum Kind {
    OfOne(OfOne),
    OfTwo(OfTwo),
    /// The third operand where the first two compare so, else the fourth.
    Choose(Comparison),
}

#[derive(Clone, Copy)]
enum OfOne {
    Neg,
    Abs,
    Relu,
    Sqrt,
}

#[derive(Clone, Copy)]
enum OfTwo {
    Add,
    Sub,
    Mul,
    Div,
    Maximum,
    Minimum,
}

#[derive(Clone, Copy)]
enum Comparison {
    Eq,
    Lt,
    Le,
}

/// A line.
#[derive(Clone, Copy)]
pub(super) struct Step {
    kind: Kind,
    operands: [Operand; 4],
    /// Where what it gives is written, if others than the next line read it.
    y: Option<Part>,
}

impl Step {
    /// A line whose operands lie so, if there are instructions for it; the line before gave what lies at `before`.
    pub(super) fn new(each: Each, x: [Part; 4], y: Part, before: Option<Part>) -> Option<Self> {
        let numbers = |x: Part| match before {
            Some(before) if before.start == x.start => Numbers::Before,
            // SAFETY: such a part has one number at least, which was written before.
            _ if x.is_same => Numbers::One(unsafe { x.start.cast::<f32>().read() }),
            _ => Numbers::Many(x),
        };
        let times = |x, times| Operand { numbers: numbers(x), times };
        let of = |x| times(x, 1.0);
        let (kind, operands) = match each {
            Each::Unary(kind) => (of_one(kind)?, [of(x[0]); 4]),
            Each::UnaryOf(kind, factor) => (of_one(kind)?, [times(x[0], factor); 4]),
            Each::Binary(kind) => (of_two(kind)?, [of(x[0]), of(x[1]), of(x[1]), of(x[1])]),
            Each::BinaryOf(kind, [s, t]) => {
                let (a, b) = (times(x[0], s), times(x[1], t));
                (of_two(kind)?, [a, b, b, b])
            }
            Each::WithOne(kind, one) => {
                let one = Operand { numbers: Numbers::One(one), times: 1.0 };
                (of_two(kind)?, [of(x[0]), one, one, one])
            }
            Each::Choose(kind) => {
                let [a, b, yes, no] = x.map(of);
                let (kind, operands) = match kind {
                    Compare::Eq => (Comparison::Eq, [a, b, yes, no]),
                    Compare::Ne => (Comparison::Eq, [a, b, no, yes]),
                    Compare::Lt => (Comparison::Lt, [a, b, yes, no]),
                    Compare::Le => (Comparison::Le, [a, b, yes, no]),
                    Compare::Gt => (Comparison::Lt, [b, a, yes, no]),
                    Compare::Ge => (Comparison::Le, [b, a, yes, no]),
                };
                (Kind::Choose(kind), operands)
            }
            Each::Compare(_) | Each::Select => return None,
        };
        Some(Self { kind, operands, y: Some(y) })
    }

    /// Leaves what it gives to the next line alone.
    pub(super) fn keep(&mut self) {
        self.y = None;
    }
}

fn of_one(kind: Unary) -> Option<Kind> {
    Some(Kind::OfOne(match kind {
        Unary::Neg => OfOne::Neg,
        Unary::Abs => OfOne::Abs,
        Unary::Relu => OfOne::Relu,
        Unary::Sqrt => OfOne::Sqrt,
        _ => return None,
    }))
}

fn of_two(kind: Binary) -> Option<Kind> {
    Some(Kind::OfTwo(match kind {
        Binary::Add => OfTwo::Add,
        Binary::Sub => OfTwo::Sub,
        Binary::Mul => OfTwo::Mul,
        Binary::Div => OfTwo::Div,
        Binary::Maximum => OfTwo::Maximum,
        Binary::Minimum => OfTwo::Minimum,
        _ => return None,
    }))
}

/// Whether vectors are as wide and registers as many as with AVX-512, and so many elements fill a group; with AVX2 loops over
/// tiles are as good, and better for long formulas.
pub(super) fn pays(len: usize) -> bool {
    let lanes = best().lanes();
    lanes >= 16 && len >= GROUP * lanes
}

/// What is to be fetched meanwhile: of a tile of each input that part, of so many.
#[derive(Clone, Copy)]
pub(super) struct Ahead<'a> {
    pub inputs: &'a [Part],
    pub part: [usize; 2],
}

impl Ahead<'_> {
    /// Asks for one part of so many.
    #[inline(always)]
    pub(super) fn fetch(self, tile: usize, [k, parts]: [usize; 2]) {
        let [part, count] = self.part;
        self.inputs.iter().for_each(|x| x.fetch(tile, [part * parts + k, count * parts]));
    }
}

/// Runs lines on as many of the first `len` numbers of a tile as fill groups of vectors, and gives how many these are.
///
/// # Safety
/// `len` numbers lie at each operand in `f32`, and nobody writes them but these lines; so do those where lines write, and nobody
/// else looks at these.
pub(super) unsafe fn run(steps: &[Step], ahead: Ahead, tile: usize, len: usize) -> usize {
    if steps.len() < 2 {
        ahead.fetch(tile, [0, 1]);
        return 0; // the loop of one line is as good
    }
    on_vectors(Groups { steps, ahead, tile, len })
}
