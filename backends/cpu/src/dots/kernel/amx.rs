//! The tiles of AMX, for which Rust has no stable functions.
use super::{GROUPS, Lines, Ready, SIDE, Sums, TILE};
use std::{
    arch::{
        asm,
        x86_64::{__cpuid, __cpuid_count},
    },
    sync::OnceLock,
};

/// How the eight tiles are shaped.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

const SHAPES: Shapes = {
    let (mut row_bytes, mut rows, mut tile) = ([0; 16], [0; 16], 0);
    while tile < 8 {
        (row_bytes[tile], rows[tile]) = (4 * GROUPS as u16, GROUPS as u8);
        tile += 1;
    }
    Shapes { palette: 1, start_row: 0, reserved: [0; 14], row_bytes, rows }
};

/// What is multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// BF16.
    Halves,
    /// Bytes with signs.
    Bytes,
}

/// Whether the processor has tiles of such numbers, and the system lets this process use them: asked once.
pub(super) fn is_there(numbers: Numbers) -> bool {
    static FEATURES: OnceLock<u32> = OnceLock::new();
    let features = *FEATURES.get_or_init(|| {
        let has_leaf = __cpuid(0).eax >= 7;
        let features = if has_leaf { __cpuid_count(7, 0).edx } else { 0 };
        if features & TILES != 0 && is_permitted() { features } else { 0 }
    });
    let wanted = match numbers {
        Numbers::Halves => TILES | 1 << 22,
        Numbers::Bytes => TILES | 1 << 25,
    };
    features & wanted == wanted
}

/// The bit of the processor's features that tells of tiles.
const TILES: u32 = 1 << 24;

/// Asks the system for the state that tiles are, which it keeps no room for until somebody asks.
fn is_permitted() -> bool {
    const ARCH_PRCTL: u64 = 158;
    const ARCH_REQ_XCOMP_PERM: u64 = 0x1023;
    const TILE_DATA: u64 = 18;
    let mut result = ARCH_PRCTL;
    // SAFETY: the call takes no pointers; a system that does not know it gives an error. A call changes these two
    // registers.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") TILE_DATA,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    result == 0
}

/// Shapes this thread's tiles.
pub(super) fn configure() {
    // SAFETY: there is a kernel of this kind only where `is_there`, and the instruction reads 64 bytes.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &SHAPES, options(nostack, preserves_flags, readonly)) }
}

/// Lets go of them, so that the system need not save them.
pub(super) fn release(_: &mut Ready) {
    // SAFETY: as above.
    unsafe {
        asm!(
            "tilerelease",
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack, preserves_flags, nomem),
        );
    }
}

/// Adds the product of two panels, of which the left one is packed.
pub(super) fn add(ready: &Ready, numbers: Numbers, a: Lines, b: &[u32], sums: &mut Sums) {
    match numbers {
        Numbers::Halves => halves(ready, a, b, sums),
        Numbers::Bytes => bytes(ready, a, b, sums),
    }
}

/// Writes out [`add`] with an instruction: the block's four tiles stay where they are for all steps.
macro_rules! adds {
    ($($name:ident: $dots:literal;)*) => {$(
        fn $name(_: &Ready, a: Lines, b: &[u32], sums: &mut Sums) {
            assert_eq!(a.memory.len(), size_of_val(b));
            if b.is_empty() {
                return;
            }
            let c = sums.as_mut_ptr();
            // SAFETY: this thread is ready. A step reads two tiles of each panel, of which there are as many in both, and a
            // block is two by two tiles, the rows of which lie SIDE numbers apart.
            unsafe {
                asm!(
                    "tileloadd tmm0, [{c} + {line}]",
                    "tileloadd tmm1, [{c} + {line} + {right}]",
                    "tileloadd tmm2, [{lower} + {line}]",
                    "tileloadd tmm3, [{lower} + {line} + {right}]",
                    "2:",
                    "tileloadd tmm6, [{b} + {row}]",
                    "tileloadd tmm4, [{a} + {row}]",
                    "tileloadd tmm7, [{b} + {row} + {tile}]",
                    "tileloadd tmm5, [{a} + {row} + {tile}]",
                    concat!($dots, " tmm0, tmm4, tmm6"),
                    concat!($dots, " tmm1, tmm4, tmm7"),
                    concat!($dots, " tmm2, tmm5, tmm6"),
                    concat!($dots, " tmm3, tmm5, tmm7"),
                    "add {a}, {step}",
                    "add {b}, {step}",
                    "dec {steps}",
                    "jnz 2b",
                    "tilestored [{c} + {line}], tmm0",
                    "tilestored [{c} + {line} + {right}], tmm1",
                    "tilestored [{lower} + {line}], tmm2",
                    "tilestored [{lower} + {line} + {right}], tmm3",
                    a = inout(reg) a.memory.as_ptr() => _,
                    b = inout(reg) b.as_ptr() => _,
                    c = in(reg) c,
                    lower = in(reg) c.add(SIDE * GROUPS),
                    steps = inout(reg) b.len() / (2 * TILE) => _,
                    line = in(reg) size_of::<u32>() * SIDE,
                    row = in(reg) size_of::<u32>() * GROUPS,
                    right = const size_of::<u32>() * GROUPS,
                    tile = const size_of::<u32>() * TILE,
                    step = const size_of::<u32>() * 2 * TILE,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                );
            }
        }
    )*};
}

adds! {
    halves: "tdpbf16ps";
    bytes: "tdpbssd";
}
