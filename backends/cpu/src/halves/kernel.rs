//! Blocks of results, 32 by 32, in the instructions of a processor.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
#[cfg(target_arch = "x86_64")]
mod dots;

#[cfg(target_arch = "x86_64")]
use crate::simd::{Isa, best};
use firesteel_core::DType;
use smallvec::SmallVec;
use std::marker::PhantomData;

/// Rows and columns of a block of results.
pub(super) const SIDE: usize = 32;
/// Rows of a tile, and pairs of numbers in each.
pub(super) const PAIRS: usize = 16;
/// Numbers of a tile.
pub(super) const TILE: usize = 2 * PAIRS * PAIRS;

/// A block of results.
pub(super) type Sums = [f32; SIDE * SIDE];

/// What this processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    /// Tiles of AMX, which the system let this process have.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    Amx,
    /// Dot products of pairs in vectors.
    #[cfg(target_arch = "x86_64")]
    Dots,
}

impl Kernel {
    /// The fastest that there is for a dtype.
    pub(super) fn of(dtype: DType) -> Option<Self> {
        Self::all(dtype).into_iter().next()
    }

    /// All that there are for a dtype, the fastest first.
    pub(super) fn all(dtype: DType) -> SmallVec<[Self; 2]> {
        #[cfg(target_arch = "x86_64")]
        if dtype.is_half() && matches!(best(), Isa::V4(_)) {
            let kernels = [
                #[cfg(target_os = "linux")]
                (Kernel::Amx, amx::is_there()),
                // a number of F16 is two, and a product four: no fewer instructions than widened to F32
                (Kernel::Dots, dtype == DType::BF16 && dots::is_there()),
            ];
            return kernels.into_iter().filter_map(|(kernel, there)| there.then_some(kernel)).collect();
        }
        let _ = dtype;
        SmallVec::new()
    }

    /// Makes this thread ready for products.
    pub(super) fn start(self) -> Ready {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if self == Kernel::Amx {
            amx::configure();
        }
        Ready { kernel: self, thread: PhantomData }
    }
}

/// A thread that is ready.
pub(super) struct Ready {
    kernel: Kernel,
    /// Tiles are a thread's own.
    thread: PhantomData<*const ()>,
}

impl Ready {
    /// Adds the product of two panels, of which one more comes `next`.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(super) fn add(&self, a: &[u16], b: &[u16], next: &[u16], sums: &mut Sums) {
        assert!(a.len() == b.len() && a.len().is_multiple_of(2 * TILE));
        match self.kernel {
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Kernel::Amx => amx::add(self, a, b, sums),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: there is a kernel of this kind only where `is_there`, and both have the same length.
            Kernel::Dots => unsafe { dots::add(a, b, next, sums) },
        }
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if self.kernel == Kernel::Amx {
            amx::release(self);
        }
    }
}
