//! Teams: the invocations of a workgroup that make one result together.
use crate::{
    kernel::{Kernel, WORKGROUP},
    storage::Storage,
};
use firesteel_core::DType;

/// Elements that an invocation takes at least, before another helps it.
const DEPTH: usize = 16;

/// How many invocations make one result of so many elements: a power of two.
pub(crate) fn size(elements: usize) -> usize {
    (elements / DEPTH).next_power_of_two().clamp(1, WORKGROUP)
}

/// Declares teams of this size, whose members stand side by side or not, and says how many workgroups so many results take.
pub(crate) fn declare(kernel: &mut Kernel, size: usize, in_rows: bool, results: usize) -> usize {
    kernel.constant("TEAM", size as u32).constant("IN_ROWS", in_rows.into());
    results.div_ceil(WORKGROUP / size)
}

/// The shader of a family that works in teams, with a function `team_` of each of these names for one that joins two vectors.
/// `$` stands for the type that is computed in.
pub(crate) fn shader(body: &str, joins: &[&str], dtype: DType) -> String {
    let join = include_str!("../shaders/team_join.wgsl");
    let joins: String = joins.iter().map(|name| join.replace("JOIN", name)).collect();
    typed(&[include_str!("../shaders/team.wgsl"), body, &joins].concat(), dtype)
}

/// A shader in which `$` stands for the type that a dtype is computed in.
pub(crate) fn typed(text: &str, dtype: DType) -> String {
    text.replace('$', &format!("{}_", Storage::of(dtype).number))
}
