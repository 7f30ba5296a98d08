//! Writing around the caches: a line that is written in a cache is first read from memory, which for what
//! no cache will hold is a third of the traffic of an addition.
use bytemuck::{Pod, Zeroable};

/// A line of a cache, which lies on a boundary of such.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct CacheLine(pub [u8; 64]);

/// `y = x`, around the caches as far as `y` is aligned. Call [`fence`] when all is written.
#[cfg(target_arch = "x86_64")]
pub(crate) fn stream(x: &[u8], y: &mut [u8]) {
    use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_stream_si128};
    const WIDTH: usize = size_of::<__m128i>();
    let head = y.as_ptr().align_offset(WIDTH).min(y.len());
    let (x_head, x) = x.split_at(head);
    let (y_head, y) = y.split_at_mut(head);
    y_head.copy_from_slice(x_head);
    let (xs, x_tail) = x.as_chunks::<WIDTH>();
    let (ys, y_tail) = y.as_chunks_mut::<WIDTH>();
    for (x, y) in xs.iter().zip(ys) {
        // SAFETY: both are of the vector's size, `y` is aligned, and every x86-64 has SSE2.
        unsafe { _mm_stream_si128(y.as_mut_ptr().cast(), _mm_loadu_si128(x.as_ptr().cast())) }
    }
    y_tail.copy_from_slice(x_tail);
}

/// Orders what was streamed before what follows.
#[cfg(target_arch = "x86_64")]
pub(crate) fn fence() {
    // SAFETY: every x86-64 has SSE.
    unsafe { std::arch::x86_64::_mm_sfence() }
}

/// Has what lies there fetched, if anything does: it will be read soon.
#[inline(always)]
pub(crate) fn fetch<T>(x: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: what is asked for is not read, and every x86-64 can ask.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(x.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = x;
}

/// `y = x`; there is no portable way around the caches.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn stream(x: &[u8], y: &mut [u8]) {
    y.copy_from_slice(x);
}

/// Nothing to order.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn fence() {}
