//! Blocks of results, 32 by 32, in the instructions of a processor.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use super::pack::{Change, Side};
#[cfg(target_arch = "x86_64")]
use crate::simd::{Isa, best};
use firesteel_core::DType;
use smallvec::SmallVec;
use std::marker::PhantomData;

/// Rows and columns of a block of results.
pub(crate) const SIDE: usize = 32;
/// Rows of a tile, and groups of numbers in each.
pub(super) const GROUPS: usize = 16;
/// Groups of a tile.
pub(super) const TILE: usize = GROUPS * GROUPS;

/// The bits of a block of sums: of F32 where halves are multiplied, and of I32 where bytes are.
pub(crate) type Sums = [u32; SIDE * SIDE];

/// What this processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// Tiles of AMX, which the system let this process have.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    Amx(amx::Numbers),
    /// Dot products in vectors of AVX-512.
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Numbers),
    /// Dot products of bytes, each widened to 16 bits, in vectors of AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Kernel {
    /// The fastest that there is for a dtype.
    pub(crate) fn of(dtype: DType) -> Option<Self> {
        Self::all(dtype).into_iter().next()
    }

    /// All that there are for a dtype, halves or I8, the fastest first.
    pub(crate) fn all(dtype: DType) -> SmallVec<[Self; 3]> {
        #[cfg(target_arch = "x86_64")]
        {
            let is_v4 = matches!(best(), Isa::V4(_));
            let is_byte = dtype == DType::I8;
            #[cfg(target_os = "linux")]
            let tiles = if is_byte { amx::Numbers::Bytes } else { amx::Numbers::Halves };
            let vectors = if is_byte { avx512::Numbers::Bytes } else { avx512::Numbers::Halves };
            let kernels = [
                #[cfg(target_os = "linux")]
                (Kernel::Amx(tiles), is_v4 && amx::is_there(tiles)),
                // a number of F16 is two, and a product four: no fewer instructions than widened to F32
                (Kernel::Avx512(vectors), is_v4 && dtype != DType::F16 && avx512::is_there(vectors)),
                (Kernel::Avx2, is_byte && best().at_most_v3().is_some()),
            ];
            kernels.into_iter().filter_map(|(kernel, there)| there.then_some(kernel)).collect()
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = dtype;
            SmallVec::new()
        }
    }

    /// What it wants numbers to be.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(super) fn change(self, dtype: DType, side: Side) -> Change {
        #[cfg(target_arch = "x86_64")]
        if self == Kernel::Avx512(avx512::Numbers::Bytes) && side == Side::Left {
            return Change::Raise;
        }
        if dtype == DType::F16 { Change::Cut } else { Change::Nothing }
    }

    /// Makes this thread ready for products.
    pub(super) fn start(self) -> Ready {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if let Kernel::Amx(_) = self {
            amx::configure();
        }
        Ready { kernel: self, thread: PhantomData }
    }
}

/// Whether the processor has AVX-512 VNNI, and may use it.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has_vnni() -> bool {
    matches!(best(), Isa::V4(_)) && avx512::is_there(avx512::Numbers::Bytes)
}

/// Whether the processor has AVX-512 BF16, and may use it.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has_bf16() -> bool {
    matches!(best(), Isa::V4(_)) && avx512::is_there(avx512::Numbers::Halves)
}

/// A thread that is ready.
pub(super) struct Ready {
    kernel: Kernel,
    /// Tiles are a thread's own.
    thread: PhantomData<*const ()>,
}

impl Ready {
    /// The sums from which those of each row of a block start, given all of its right panel.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(super) fn first(&self, b: &[u32]) -> [u32; SIDE] {
        #[cfg(target_arch = "x86_64")]
        if self.kernel == Kernel::Avx512(avx512::Numbers::Bytes) {
            // SAFETY: there is a kernel of this kind only where `is_there`.
            return unsafe { avx512::raised(b) };
        }
        [0; SIDE]
    }

    /// Adds the product of two panels, of which one more comes `next`.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(super) fn add(&self, a: &[u32], b: &[u32], next: &[u32], sums: &mut Sums) {
        assert!(a.len() == b.len() && a.len().is_multiple_of(2 * TILE));
        match self.kernel {
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Kernel::Amx(numbers) => amx::add(self, numbers, a, b, sums),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: there is a kernel of this kind only where `is_there`, and both have the same length.
            Kernel::Avx512(avx512::Numbers::Halves) => unsafe { avx512::halves(a, b, next, sums) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Kernel::Avx512(avx512::Numbers::Bytes) => unsafe { avx512::bytes(a, b, next, sums) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: there is a kernel of this kind only where there is AVX2, and both have the same length.
            Kernel::Avx2 => unsafe { avx2::add(a, b, sums) },
        }
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if let Kernel::Amx(_) = self.kernel {
            amx::release(self);
        }
    }
}
