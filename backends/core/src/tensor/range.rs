//! Ranges along a dim, as Python writes them.
use crate::{Error, Result, Span};
use std::ops;

/// Every `step`-th element from `start` to `stop`, which is not included; negative numbers count from the
/// end. Made of any range of Rust's, or by [`slice()`].
///
/// ```
/// use firesteel::prelude::*;
/// assert_eq!(Slice::from(-3..), slice(-3, None, 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The first, or where nothing is said 0.
    pub start: Option<i64>,
    /// The first that is out, or where nothing is said the size of the dim.
    pub stop: Option<i64>,
    /// The distance between neighbours, 1 or more.
    pub step: i64,
}

/// Python's `start:stop:step`; `None` where Python has nothing.
///
/// ```
/// use firesteel::prelude::*;
/// let x = Tensor::new([0, 1, 2, 3, 4, 5], &Cpu::default())?;
/// assert_eq!(x.index(slice(None, -1, 2))?.to_vec::<i64>()?, [0, 2, 4]);
/// # Ok::<(), firesteel::Error>(())
/// ```
pub fn slice(start: impl Into<Option<i64>>, stop: impl Into<Option<i64>>, step: i64) -> Slice {
    Slice { start: start.into(), stop: stop.into(), step }
}

impl Slice {
    /// What it names of a dim of this size; what lies outside is cut off.
    pub(crate) fn span(self, op: &'static str, size: usize) -> Result<Span> {
        if self.step < 1 {
            let why = format!("a step of {} does not go forwards: use `.flip(dim)` to go back", self.step);
            return Err(Error::value(op, why));
        }
        let bound = |i: i64| {
            let from_start = if i < 0 { i.saturating_add_unsigned(size as u64) } else { i };
            usize::try_from(from_start).unwrap_or(0).min(size)
        };
        let (start, stop) = (self.start.map_or(0, bound), self.stop.map_or(size, bound));
        let step = isize::try_from(self.step).unwrap_or(isize::MAX);
        let len = stop.saturating_sub(start).div_ceil(step.unsigned_abs());
        // an empty span starts anywhere, and one of a single element need not move
        Ok(Span { start, step: if len > 1 { step } else { 1 }, len })
    }
}

impl From<ops::RangeFull> for Slice {
    fn from(_: ops::RangeFull) -> Self {
        slice(None, None, 1)
    }
}

macro_rules! from_ranges {
    ($($t:ty)*) => {$(
        impl From<ops::Range<$t>> for Slice {
            fn from(range: ops::Range<$t>) -> Self {
                slice(wide(range.start), wide(range.end), 1)
            }
        }
        impl From<ops::RangeFrom<$t>> for Slice {
            fn from(range: ops::RangeFrom<$t>) -> Self {
                slice(wide(range.start), None, 1)
            }
        }
        impl From<ops::RangeTo<$t>> for Slice {
            fn from(range: ops::RangeTo<$t>) -> Self {
                slice(None, wide(range.end), 1)
            }
        }
        impl From<ops::RangeInclusive<$t>> for Slice {
            fn from(range: ops::RangeInclusive<$t>) -> Self {
                slice(wide(*range.start()), after(wide(*range.end())), 1)
            }
        }
        impl From<ops::RangeToInclusive<$t>> for Slice {
            fn from(range: ops::RangeToInclusive<$t>) -> Self {
                slice(None, after(wide(range.end)), 1)
            }
        }
    )*};
}

from_ranges! { i32 i64 isize usize }

/// A number too large to be an index stays too large.
fn wide(i: impl TryInto<i64>) -> i64 {
    i.try_into().unwrap_or(i64::MAX)
}

/// The end that includes `last`: after -1, the last element of all, comes the end of the dim.
fn after(last: i64) -> Option<i64> {
    if last == -1 { None } else { Some(last.saturating_add(1)) }
}
