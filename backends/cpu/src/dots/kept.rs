//! Matrices that stay packed beside the memory that they were packed from: a layer's weights are the same in many products.
use super::{Kernel, pack::Packed};
use crate::CpuValue;
use firesteel_core::{Layout, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So few numbers are packed whenever they are asked for.
const FEW: usize = 64 * 1024;
/// In how many ways a memory is kept, at most.
const WAYS: usize = 4;

/// What is kept beside a memory; the memory lets go of it when it changes.
#[derive(Default)]
struct Kept(Mutex<Vec<Way>>);

/// A matrix in that memory that was packed for a kernel; what is asked for once may never be asked for again, and is not
/// kept.
struct Way {
    layout: Layout,
    kernel: Kernel,
    packed: Option<Arc<Packed>>,
}

impl Kept {
    fn ways(&self) -> MutexGuard<'_, Vec<Way>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What `pack` makes of a matrix, which a later product with the same memory finds again.
pub(super) fn packed(
    x: &CpuValue,
    kernel: Kernel,
    pack: impl FnOnce() -> Result<Option<Packed>>,
) -> Result<Option<Arc<Packed>>> {
    let Some(kept) = x.kept::<Kept>().filter(|_| x.meta.numel() >= FEW) else {
        return Ok(pack()?.map(Arc::new));
    };
    let find = |ways: &[Way]| ways.iter().position(|way| way.kernel == kernel && way.layout == x.layout);
    let known = {
        let ways = kept.ways();
        let known = find(&ways);
        if let Some(packed) = known.and_then(|known| ways[known].packed.as_ref()) {
            return Ok(Some(packed.clone()));
        }
        known
    };
    let packed = pack()?.map(Arc::new);
    let mut ways = kept.ways();
    match known {
        // ways come, and go only where nobody else looks
        Some(known) => ways[known].packed = packed.clone(),
        None if find(&ways).is_none() && ways.len() < WAYS => {
            ways.push(Way { layout: x.layout.clone(), kernel, packed: None });
        }
        None => (),
    }
    Ok(packed)
}
