//! What kernels check on the device, and what is said where that fails.
use firesteel_core::{DType, Error, Requirement};

/// Words of the flags: which check failed first, from 1, on which number, and the size and the dim that it was for.
pub(crate) const FLAGS: usize = 4;

/// What a kernel checks. There are a few for each operation; the sizes that it is about come from the kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Check {
    /// An index that has to lie in `[0, size)` of a dim.
    Index { op: &'static str },
    /// An index that has to lie in `[-size, size)` of a dim that is not known.
    Wrapped { op: &'static str },
    /// A target that has to lie in `[0, size)`.
    Target { op: &'static str },
    /// An index counted from the end, whose place has to be a number of its dtype.
    Narrow { op: &'static str, dtype: DType },
    /// A whole number that something is divided by, which is not zero.
    Divisor { op: &'static str },
    /// What has to hold of truths.
    Required(Requirement),
    /// A whole number that has to fit in 32 bits, since the device has no wider ones.
    Wide { op: &'static str },
}

impl Check {
    /// What the flags say, by the checks that have a number; nothing where none failed.
    pub fn failed(flags: [u32; FLAGS], checks: &[Check]) -> Option<Error> {
        let [number, value, size, dim] = flags;
        let check = checks.get((number as usize).checked_sub(1)?)?;
        Some(check.error(value.cast_signed(), size, dim))
    }

    fn error(self, i: i32, size: u32, dim: u32) -> Error {
        let last = size.saturating_sub(1);
        match self {
            Check::Index { op } => Error::index(
                op,
                match size {
                    0 => format!("index {i} is out of range: dim {dim} has size 0, and so no places"),
                    _ => format!(
                        "index {i} is out of range for dim {dim} of size {size}: it has to lie in [0, {last}]"
                    ),
                },
            ),
            Check::Wrapped { op } => Error::index(
                op,
                match size {
                    0 => format!("index {i} is out of range: the dim has size 0, and so no places"),
                    _ => format!(
                        "index {i} is out of range for a dim of size {size}: it has to lie in [-{size}, {last}]"
                    ),
                },
            ),
            Check::Target { op } => {
                Error::index(op, format!("the target {i} is not one of the {size} classes, 0 to {last}"))
            }
            Check::Narrow { op, dtype } => {
                let why = format!("the place of index {i} is more than {dtype} can hold: cast to int64");
                Error::index(op, why)
            }
            Check::Required(requirement) => requirement.error(),
            Check::Divisor { op } => Error::value(op, "whole numbers cannot be divided by zero"),
            Check::Wide { op } => crate::narrow::lacking(op, "a result does not fit in 32 bits"),
        }
    }
}
