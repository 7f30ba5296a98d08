//! Teams: the invocations of a workgroup that make one result together.
use crate::{
    device::Gpu,
    kernel::{Kernel, WORKGROUP},
    storage::Storage,
};
use firesteel_core::DType;

/// Elements that an invocation takes at least, before another helps it.
const DEPTH: usize = 16;

/// How the invocations of a workgroup are divided.
#[derive(Clone, Copy)]
pub(crate) struct Team {
    /// How many make one result: a power of two.
    pub size: usize,
    /// Whether they stand side by side; else members of neighbouring teams do.
    in_rows: bool,
    /// How many neighbours of one team exchange registers. Where a device has subgroups of several sizes, the least.
    lanes: usize,
}

impl Team {
    /// A team for results of so many elements each, which are computed in this dtype.
    pub fn new(gpu: &Gpu, elements: usize, in_rows: bool, dtype: DType) -> Team {
        let size = size(elements);
        let is_wide = Storage::of(dtype).number.ends_with("64");
        let lanes = if in_rows && !is_wide { gpu.lanes.min(size) } else { 1 };
        Team { size, in_rows, lanes }
    }

    /// Declares it, and says how many workgroups so many results take.
    pub fn declare(self, kernel: &mut Kernel, results: usize) -> usize {
        kernel.constant("TEAM", self.size as u32).constant("LANES", self.lanes as u32);
        kernel.constant("IN_ROWS", self.in_rows.into());
        results.div_ceil(WORKGROUP / self.size)
    }

    /// The shader of a family that works in teams, with a function `team_` of each of these names for one that joins two
    /// vectors. `$` stands for the type that is computed in.
    pub fn shader(self, body: &str, joins: &[&str], dtype: DType) -> String {
        let among = |lanes: usize| -> String {
            let apart = (0..lanes.ilog2()).map(|bit| 1 << bit);
            apart.map(|n| format!("acc = JOIN(acc, vec4<T>(subgroupShuffleXor(acc.x, {n}u)));\n")).collect()
        };
        let join = include_str!("../shaders/team_join.wgsl").replace("// neighbours\n", &among(self.lanes));
        let fewer = self.lanes.min(self.size / self.lanes);
        let join = join.replace("// what neighbours made\n", &among(fewer));
        let joins: String = joins.iter().map(|name| join.replace("JOIN", name)).collect();
        typed(&[include_str!("../shaders/team.wgsl"), body, &joins].concat(), dtype)
    }
}

/// How many invocations make one result of so many elements: a power of two.
pub(crate) fn size(elements: usize) -> usize {
    (elements / DEPTH).next_power_of_two().clamp(1, WORKGROUP)
}

/// A shader in which `$` stands for the type that a dtype is computed in.
pub(crate) fn typed(text: &str, dtype: DType) -> String {
    text.replace('$', &format!("{}_", Storage::of(dtype).number))
}
