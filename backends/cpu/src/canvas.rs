//! A result that many jobs write, each its own part.
use std::{marker::PhantomData, ops::Range};

/// The memory of a result, given away in parts.
pub(crate) struct Canvas<'a> {
    start: *mut f32,
    len: usize,
    memory: PhantomData<&'a mut [f32]>,
}

// SAFETY: `write` and `part` say that no two threads write the same element, and nobody reads before all are done.
unsafe impl Sync for Canvas<'_> {}

impl<'a> Canvas<'a> {
    pub(crate) fn new(y: &'a mut [f32]) -> Self {
        Self { start: y.as_mut_ptr(), len: y.len(), memory: PhantomData }
    }

    /// Writes elements from `at` on.
    ///
    /// # Safety
    /// No other thread may write the same ones.
    #[inline(always)]
    pub(crate) unsafe fn write(&self, at: usize, from: &[f32]) {
        assert!(at + from.len() <= self.len);
        // SAFETY: they lie inside, and belong to the caller.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), self.start.add(at), from.len()) }
    }

    /// Some elements, to be written.
    ///
    /// # Safety
    /// None of them may be in another part that is still held, or be written by another thread.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)] // that is what a canvas is for
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &mut [f32] {
        assert!(range.start <= range.end && range.end <= self.len);
        // SAFETY: they lie inside, and belong to the caller.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}
