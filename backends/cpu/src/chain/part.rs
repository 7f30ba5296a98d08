//! Where the tiles of numbers are.
use crate::stream::{CacheLine, fetch};

/// Bytes between what is computed and what is fetched meanwhile.
const AHEAD: usize = 8192;

/// Memory that tiles lie in: where the block's first does, and how many bytes there are from one to the next.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) start: *mut u8,
    pub(super) step: usize,
    /// Whether all its numbers are the same, and lie there for all tiles.
    pub(super) is_same: bool,
}

impl Part {
    pub(super) fn new(start: *mut u8, step: usize) -> Self {
        Self { start, step, is_same: false }
    }

    /// Where the numbers of a tile are.
    pub(super) fn at(self, tile: usize) -> *mut u8 {
        self.start.wrapping_add(tile * self.step)
    }

    /// Has one part of so many fetched of what is read a little later.
    #[inline(always)]
    pub(super) fn fetch(self, tile: usize, [part, parts]: [usize; 2]) {
        let size = self.step.div_ceil(parts).next_multiple_of(size_of::<CacheLine>());
        let start = self.at(tile).wrapping_add(AHEAD);
        let lines = (part * size..self.step.min((part + 1) * size)).step_by(size_of::<CacheLine>());
        lines.for_each(|at| fetch(start.wrapping_add(at)));
    }
}
