//! One operation on a run of elements whose dtype only the program knows.
use super::{
    convert::{convert, round},
    float::{self, Functions},
    number::{self, Line, Number, in_pairs},
};
use crate::{CpuValue, parallel, stream::CacheLine, value::Native};
use bytemuck::{cast_slice, cast_slice_mut, pod_read_unaligned};
use firesteel_core::{Binary, Compare, DType, Op, Unary};

/// An operand's elements beside a run of results, in the type that arithmetic is done in.
#[derive(Clone, Copy)]
pub(crate) enum Numbers<'a> {
    /// One for each.
    Many(&'a [u8]),
    /// One for all, in the first bytes.
    One(u64),
}

impl<'a> Numbers<'a> {
    /// All of a value's, where they lie so.
    #[inline]
    pub(super) fn all(x: &'a CpuValue) -> Option<Self> {
        if x.meta.dtype.is_half() {
            return None;
        }
        if x.is_same() {
            return arithmetic!(x.meta.dtype, T => x.uniform::<T>().map(Numbers::one));
        }
        x.row_bytes().map(Numbers::Many)
    }

    /// One for all.
    fn one<T: Number>(x: T) -> Self {
        let mut bits = [0u64];
        cast_slice_mut(&mut bits)[0] = x;
        Numbers::One(bits[0])
    }

    /// Those beside `len` results from number `start` on.
    pub(super) fn part(self, dtype: DType, start: usize, len: usize) -> Self {
        match self {
            Numbers::Many(bytes) => Numbers::Many(&bytes[start * dtype.size()..][..len * dtype.size()]),
            one => one,
        }
    }

    fn line<T: Native>(self) -> Line<'a, T> {
        match self {
            Numbers::Many(bytes) => Line::Many(cast_slice(bytes)),
            Numbers::One(bits) => Line::One(pod_read_unaligned(&bits.to_ne_bytes()[..size_of::<T>()])),
        }
    }
}

/// Below how many elements these operations, done together, are not worth another thread.
pub(crate) fn grain<'a>(ops: impl IntoIterator<Item = &'a Op<usize>>) -> usize {
    parallel::GRAIN / ops.into_iter().map(cost).sum::<usize>().max(1)
}

/// How long an operation takes, in additions.
fn cost(op: &Op<usize>) -> usize {
    use {Binary::*, Unary::*};
    match op {
        Op::Unary(Neg | Abs | Sign | Relu | Not | Floor | Ceil | Round | Trunc | Sqrt | Rsqrt | Recip, _) => {
            1
        }
        Op::Unary(..) | Op::Binary(Pow | Atan2 | Fmod | Remainder | Zeta, ..) => 8,
        _ => 1,
    }
}

/// Runs an operation on a run of `n` results; false where a whole number was divided by zero. `of` gives
/// the operands with their dtypes.
#[inline]
pub(crate) fn step<'s>(
    op: &Op<usize>,
    of: impl Fn(usize) -> (DType, Numbers<'s>),
    n: usize,
    y: &mut [u8],
) -> bool {
    match *op {
        Op::Unary(kind, x) => unary(kind, of(x), n, y),
        Op::Binary(kind, a, b) => return binary(kind, of(a), of(b).1, n, y),
        Op::Compare(kind, a, b) => compare(kind, of(a), of(b).1, n, y),
        Op::Select(c, a, b) => select(of(c).1, of(a), of(b).1, n, y),
        Op::Cast(x, to) => cast(of(x), to, n, y),
        Op::Full(value, _, dtype) => {
            arithmetic!(dtype, T => first(y, n).fill(value.round_to(dtype).to::<T>()))
        }
        // `chain` refuses the rest
        _ => (),
    }
    true
}

/// An operation in F32 on one number of each operand for each result: what takes no time to find the loop of.
#[derive(Clone, Copy)]
pub(crate) enum Each {
    Unary(Unary),
    /// Of an operand times this.
    UnaryOf(Unary, f32),
    Binary(Binary),
    /// Of operands times these.
    BinaryOf(Binary, [f32; 2]),
    /// The second operand is this one for all.
    WithOne(Binary, f32),
    Compare(Compare),
    Select,
    /// Of the last two operands, by comparing the first two.
    Choose(Compare),
}

impl Each {
    /// As which an operation on operands of these dtypes can run, if on any.
    pub(crate) fn of<X>(op: &Op<X>, dtype: impl Fn(&X) -> DType) -> Option<Self> {
        let (each, x) = match op {
            Op::Unary(kind, x) => (Each::Unary(*kind), x),
            // it has loops of its own for an exponent that all share
            Op::Binary(Binary::Pow, ..) => return None,
            Op::Binary(kind, x, _) => (Each::Binary(*kind), x),
            Op::Compare(kind, x, _) => (Each::Compare(*kind), x),
            Op::Select(_, x, _) => (Each::Select, x),
            _ => return None,
        };
        matches!(dtype(x), DType::F32 | DType::BF16 | DType::F16).then_some(each)
    }

    /// Whether it can take its operands times one number each; of two operands, there is a loop for one that is one for all
    /// too.
    pub(crate) fn takes_factors(self) -> bool {
        match self {
            Each::Unary(kind) => float::takes_factor(kind),
            Each::Binary(kind) => matches!(kind, Binary::Add | Binary::Sub | Binary::Mul | Binary::Div),
            _ => false,
        }
    }

    /// The same of operands times these, if it [takes](Self::takes_factors) any.
    pub(crate) fn of_products(self, factors: [f32; 2]) -> Self {
        match self {
            Each::Unary(kind) => Each::UnaryOf(kind, factors[0]),
            Each::Binary(kind) => Each::BinaryOf(kind, factors),
            other => other,
        }
    }

    /// The same where the second operand is one for all, if there is a loop for that.
    pub(crate) fn with_one(self, one: f32) -> Option<Self> {
        match self {
            Each::Binary(kind) if self.takes_factors() => Some(Each::WithOne(kind, one)),
            _ => None,
        }
    }

    /// The same where the first operand is one for all and the second the only other, if there is a loop for that.
    pub(crate) fn after_one(self, one: f32) -> Option<Self> {
        let commutes = matches!(self, Each::Binary(Binary::Add | Binary::Mul));
        commutes.then_some(self).and_then(|each| each.with_one(one))
    }

    /// Runs it.
    ///
    /// # Safety
    /// `n` numbers lie at each operand, in `f32` or for a condition in `u8`, and nobody writes them; so do those at `y`, and nobody
    /// else looks at these.
    #[inline]
    pub(crate) unsafe fn run(self, x: [*const u8; 4], y: *mut u8, n: usize) {
        use std::slice::{from_raw_parts as from, from_raw_parts_mut as from_mut};
        let [a, b, c, d] = x;
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Each::Unary(kind) => f32::unary(kind, from(a.cast(), n), from_mut(y.cast(), n)),
                Each::Binary(kind) => {
                    // always defined
                    let _ = f32::binary(kind, from(a.cast(), n), from(b.cast(), n), from_mut(y.cast(), n));
                }
                Each::UnaryOf(kind, factor) => {
                    f32::function(kind, from(a.cast(), n), factor, from_mut(y.cast(), n));
                }
                Each::BinaryOf(kind, factors) => {
                    let (a, b) = (from(a.cast(), n), from(b.cast(), n));
                    // there is a loop, or it would not take factors
                    let _ = float::of_products(kind, a, b, factors, from_mut(y.cast(), n));
                }
                Each::WithOne(kind, one) => {
                    // there is a loop, or it would be `Binary`
                    let _ = f32::with_one(
                        kind,
                        Line::Many(from(a.cast(), n)),
                        Line::One(one),
                        from_mut(y.cast(), n),
                    );
                }
                Each::Compare(kind) => {
                    f32::compare(kind, from(a.cast(), n), from(b.cast(), n), from_mut(y, n))
                }
                Each::Select => {
                    let (yes, no) = (Line::Many(from(b.cast(), n)), Line::Many(from(c.cast(), n)));
                    number::select::<u32>(Line::Many(from(a, n)), yes, no, from_mut(y.cast(), n));
                }
                Each::Choose(kind) => {
                    let compared = [a, b].map(|x| from(x.cast(), n));
                    number::choose(kind, compared, [c, d].map(|x| from(x.cast(), n)), from_mut(y.cast(), n));
                }
            }
        }
    }
}

/// [`step`] into lines of memory, around the caches, where there is a loop for that; else false.
pub(crate) fn past<'s>(
    op: &Op<usize>,
    of: impl Fn(usize) -> (DType, Numbers<'s>),
    y: &mut [CacheLine],
) -> bool {
    let Op::Binary(kind, a, b) = *op else { return false };
    let ((dtype, a), (_, b)) = (of(a), of(b));
    match dtype {
        DType::F32 => f32::past(kind, a.line(), b.line(), y),
        DType::F64 => f64::past(kind, a.line(), b.line(), y),
        _ => false,
    }
}

pub(super) fn unary(kind: Unary, (dtype, x): (DType, Numbers), n: usize, y: &mut [u8]) {
    if dtype == DType::Bool {
        // the only one that Bool has is `Not`, of a byte of 0 or 1
        return number::map(x.line::<u8>().as_slice(), first(y, n), |x| x ^ 1);
    }
    arithmetic!(dtype, T => T::unary(kind, x.line().as_slice(), first(y, n)))
}

/// False where a whole number was divided by zero.
pub(super) fn binary(kind: Binary, (dtype, a): (DType, Numbers), b: Numbers, n: usize, y: &mut [u8]) -> bool {
    let kind = match kind {
        Binary::Add if dtype == DType::Bool => Binary::BitOr,
        Binary::Mul if dtype == DType::Bool => Binary::BitAnd,
        kind => kind,
    };
    arithmetic!(dtype, T => {
        let (a, b, y) = (a.line::<T>(), b.line(), first::<T>(y, n));
        if let (Binary::Pow, Line::Many(a), Line::One(b)) = (kind, a, b)
            && T::power(a, b, y)
        {
            return true;
        }
        if let (Line::Many(a), Line::Many(b)) = (a, b) {
            return T::binary(kind, a, b, y);
        }
        if T::with_one(kind, a, b, y) {
            return true;
        }
        let mut is_defined = true;
        in_pairs(a, b, y, |a, b, y| is_defined &= T::binary(kind, a, b, y));
        is_defined
    })
}

fn compare(kind: Compare, (dtype, a): (DType, Numbers), b: Numbers, n: usize, y: &mut [u8]) {
    arithmetic!(dtype, T => in_pairs(a.line(), b.line(), first(y, n), |a, b, y| T::compare(kind, a, b, y)))
}

fn select(c: Numbers, (dtype, a): (DType, Numbers), b: Numbers, n: usize, y: &mut [u8]) {
    // which numbers they are does not matter, only how wide
    match arithmetic!(dtype, T => size_of::<T>()) {
        1 => number::select::<u8>(c.line(), a.line(), b.line(), first(y, n)),
        4 => number::select::<u32>(c.line(), a.line(), b.line(), first(y, n)),
        _ => number::select::<i64>(c.line(), a.line(), b.line(), first(y, n)),
    }
}

fn cast((dtype, x): (DType, Numbers), to: DType, n: usize, y: &mut [u8]) {
    arithmetic!(dtype, T => match to {
        DType::Bool => compare(Compare::Ne, (dtype, x), Numbers::one(T::default()), n, y),
        DType::BF16 => round::<T, half::bf16>(x.line().as_slice(), first(y, n)),
        DType::F16 => round::<T, half::f16>(x.line().as_slice(), first(y, n)),
        _ => arithmetic!(to, U => convert::<T, U>(x.line().as_slice(), first(y, n))),
    })
}

/// The first `n` numbers of a run's memory.
fn first<T: Native>(y: &mut [u8], n: usize) -> &mut [T] {
    &mut cast_slice_mut(y)[..n]
}
