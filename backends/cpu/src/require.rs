//! What has to hold of numbers that the host has not seen.
use crate::CpuValue;
use firesteel_core::{Requirement, Result};

/// The truths themselves, where they all hold.
pub(crate) fn require(x: &CpuValue, requirement: Requirement) -> Result<CpuValue> {
    let holds = match (x.uniform::<u8>(), x.rows::<u8>()) {
        (Some(truth), _) => truth != 0 || x.meta.numel() == 0,
        (None, Some(truths)) => !truths.contains(&0),
        (None, None) => {
            let truths = x.memory::<u8>();
            x.layout.offsets().all(|at| truths[at] != 0)
        }
    };
    if holds { Ok(x.clone()) } else { Err(requirement.error()) }
}
