//! Options that are one number for all spatial dims, or one for each.
use crate::{Axes, Error, Result};

/// One number for all spatial dims, or one for each: `3.into()`, `[3, 5].into()`.
///
/// ```
/// use firesteel_core::{ConvOptions, PerDim};
/// let options = ConvOptions { stride: [2, 1].into(), ..Default::default() };
/// assert_eq!(options.stride, PerDim::from([2, 1]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PerDim(Axes);

impl PerDim {
    /// One number for each of `dims` dims; `what` names the option in the error for the operation `op`.
    pub fn resolve(&self, op: &'static str, what: &str, dims: usize) -> Result<Axes> {
        match self.0[..] {
            [n] => Ok(std::iter::repeat_n(n, dims).collect()),
            _ if self.0.len() == dims => Ok(self.0.clone()),
            _ => {
                let why = format!("{what} {:?} has to be one number or {dims} of them", &self.0[..]);
                Err(Error::value(op, why))
            }
        }
    }
}

impl From<usize> for PerDim {
    fn from(n: usize) -> Self {
        Self(Axes::from_slice(&[n]))
    }
}

impl<const N: usize> From<[usize; N]> for PerDim {
    fn from(each: [usize; N]) -> Self {
        Self(Axes::from_slice(&each))
    }
}

impl From<&[usize]> for PerDim {
    fn from(each: &[usize]) -> Self {
        Self(Axes::from_slice(each))
    }
}
