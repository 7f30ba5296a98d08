//! Numbers for groups of parameters.
use crate::{Error, Result};

/// One number for all groups of parameters, or one for each.
///
/// ```
/// use firesteel::optim::lr_scheduler::PerGroup;
/// assert_eq!(PerGroup::from(0.1).of(3), 0.1);
/// assert_eq!(PerGroup::from([0.1, 0.2]).of(1), 0.2);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum PerGroup {
    /// For all groups.
    All(f64),
    /// For each group, the main one first.
    Each(Vec<f64>),
}

impl PerGroup {
    /// The number of a group; NaN where there is none.
    pub fn of(&self, group: usize) -> f64 {
        match self {
            PerGroup::All(x) => *x,
            PerGroup::Each(xs) => xs.get(group).copied().unwrap_or(f64::NAN),
        }
    }

    /// An error where there is not a number from 0 on for each group.
    pub(super) fn check(&self, name: &'static str, what: &str, groups: usize) -> Result<()> {
        let numbers = match self {
            PerGroup::All(x) => std::slice::from_ref(x),
            PerGroup::Each(xs) if xs.len() == groups => xs,
            PerGroup::Each(xs) => {
                let why = format!("{what} has {} numbers for {groups} groups of parameters", xs.len());
                return Err(Error::value(name, why));
            }
        };
        numbers.iter().try_for_each(|x| crate::optim::options::check(name, [(what, *x)], 0.0..))
    }
}

impl From<f64> for PerGroup {
    fn from(x: f64) -> Self {
        PerGroup::All(x)
    }
}

impl From<Vec<f64>> for PerGroup {
    fn from(xs: Vec<f64>) -> Self {
        PerGroup::Each(xs)
    }
}

impl<const N: usize> From<[f64; N]> for PerGroup {
    fn from(xs: [f64; N]) -> Self {
        PerGroup::Each(xs.into())
    }
}
