//! Blocks of results, 32 by 32, in the instructions of a processor.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use super::{
    lines::Lines,
    pack::{Change, Side},
};
use crate::gemm::MatrixMut;
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
        if self == Kernel::Avx512(avx512::Numbers::Bytes) && side == Side::Right {
            return Change::Raise;
        }
        if dtype == DType::F16 { Change::Cut } else { Change::Nothing }
    }

    /// Whether it reads the rows of the left side where they lie; else they are packed.
    pub(super) fn reads_lines(self) -> bool {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if let Kernel::Amx(_) = self {
            return false;
        }
        true
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
    /// The sums from which those of each row of a block start, given all of its rows.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(super) fn first(&self, a: Lines) -> [u32; SIDE] {
        #[cfg(target_arch = "x86_64")]
        if self.kernel == Kernel::Avx512(avx512::Numbers::Bytes) {
            // SAFETY: there is a kernel of this kind only where `is_there`.
            return unsafe { avx512::raised(a) };
        }
        [0; SIDE]
    }

    /// Adds the product of some rows and a panel to `first`, or else to `sums`, and writes it `to` a part of the results that is
    /// as wide as a block, or else to `sums`. What comes `next` is fetched.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(super) fn add(
        &self,
        a: Lines,
        b: &[u32],
        next: Lines,
        first: Option<&[u32; SIDE]>,
        sums: &mut Sums,
        to: Option<MatrixMut<u32>>,
    ) {
        assert!(a.rows <= SIDE && b.len() == a.steps * 2 * TILE);
        assert!(to.as_ref().is_none_or(|to| to.size == [a.rows, SIDE]));
        match self.kernel {
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Kernel::Amx(numbers) => by_sums(first, sums, to, |sums| amx::add(self, numbers, a, b, sums)),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: there is a kernel of this kind only where `is_there`, and sizes are as above.
            Kernel::Avx512(numbers) => unsafe { avx512::add(numbers, a, b, next, first, sums, to) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: there is a kernel of this kind only where there is AVX2, and sizes are as above.
            Kernel::Avx2 => by_sums(first, sums, to, |sums| unsafe { avx2::add(a, b, sums) }),
        }
    }
}

/// [`Ready::add`] by what adds to sums in place.
#[cfg(target_arch = "x86_64")]
fn by_sums(
    first: Option<&[u32; SIDE]>,
    sums: &mut Sums,
    to: Option<MatrixMut<u32>>,
    add: impl FnOnce(&mut Sums),
) {
    if let Some(first) = first {
        sums.chunks_exact_mut(SIDE).zip(first).for_each(|(sums, first)| sums.fill(*first));
    }
    add(sums);
    if let Some(mut to) = to {
        let rows = sums.chunks_exact(SIDE).take(to.size[0]);
        rows.enumerate().for_each(|(i, sums)| to.row(i).copy_from_slice(sums));
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
