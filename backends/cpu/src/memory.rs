//! Memory that is used again: fresh pages cost more than the arithmetic on them.
//!
//! A freed block goes to a small cache of its thread, and past that to one that all threads share. Blocks
//! come in size classes, eight to a doubling, so that at most a ninth of one is unused; of large ones a free block serves down
//! to half its size too, as a step of training asks for many sizes, each for a short while. Large ones lie on huge pages where the
//! system has such, as each page costs a fault when it is first touched and a walk through tables now and then.
use firesteel_core::{Error, MemoryStats, Result};
use std::{
    alloc::{Layout, alloc_zeroed, dealloc},
    cell::RefCell,
    ptr::NonNull,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Every block starts at a multiple of this, which is a cache line and the widest vector.
const ALIGN: usize = 64;
/// What a large block starts at a multiple of: a huge page, in bytes.
const HUGE: usize = 2 << 20;
/// The smallest class, in bytes.
const SMALLEST: usize = 64;
/// Classes from a power of two to the next.
const STEPS: usize = 8;
const CLASSES: usize = STEPS * 48;
/// From how many bytes on a free block of a larger class may be taken, and how many classes larger: to the double.
const LARGE: usize = 256 << 10;
const LARGER: usize = STEPS;
/// Room before a block for how far it lies from the start of its allocation.
const HEADER: usize = 16;
/// What a thread keeps for itself: this many blocks of a class, of at most this many bytes each.
const THREAD_BLOCKS: usize = 8;
const THREAD_BYTES: usize = 1 << 20;

/// A block of memory that nobody else holds. All of its bytes are initialised: at first to zero.
pub struct Block {
    start: NonNull<u8>,
    class: usize,
}

// SAFETY: a block owns its memory, which is plain bytes.
unsafe impl Send for Block {}
// SAFETY: a shared block only gives shared slices.
unsafe impl Sync for Block {}

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static RESERVED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);
static SHARED: Mutex<FreeLists> = Mutex::new(FreeLists(Vec::new()));

thread_local!(static OWN: RefCell<FreeLists> = const { RefCell::new(FreeLists(Vec::new())) });

/// Free memory by class.
struct FreeLists(Vec<Vec<NonNull<u8>>>);

// SAFETY: free memory belongs to nobody.
unsafe impl Send for FreeLists {}

impl FreeLists {
    fn pop(&mut self, class: usize) -> Option<NonNull<u8>> {
        self.0.get_mut(class)?.pop()
    }

    /// A block of this class, or of what is large of a [larger](LARGER) one, and its class.
    fn take(&mut self, class: usize) -> Option<(NonNull<u8>, usize)> {
        let last = if bytes_of(class) >= LARGE { class + LARGER } else { class };
        (class..=last).find_map(|class| Some((self.pop(class)?, class)))
    }

    fn push(&mut self, class: usize, start: NonNull<u8>) {
        if self.0.len() <= class {
            self.0.resize_with(class + 1, Vec::new);
        }
        self.0[class].push(start);
    }

    fn count(&self, class: usize) -> usize {
        self.0.get(class).map_or(0, Vec::len)
    }

    fn release(&mut self) {
        for (class, blocks) in self.0.iter_mut().enumerate() {
            for start in blocks.drain(..) {
                give_back(start, class);
            }
        }
    }
}

impl Drop for FreeLists {
    /// A thread that ends leaves its blocks to the others.
    fn drop(&mut self) {
        let mut shared = shared();
        for (class, blocks) in self.0.iter_mut().enumerate() {
            blocks.drain(..).for_each(|start| shared.push(class, start));
        }
    }
}

fn shared() -> MutexGuard<'static, FreeLists> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The class that holds `bytes`: powers of two, and seven steps between.
fn class_of(bytes: usize) -> usize {
    let bytes = bytes.max(SMALLEST);
    let power = bytes.ilog2() as usize;
    let step = (1usize << power) / STEPS;
    let steps = (bytes - (1 << power)).div_ceil(step);
    (power - SMALLEST.ilog2() as usize) * STEPS + steps
}

fn bytes_of(class: usize) -> usize {
    let power = SMALLEST << (class / STEPS);
    power + power / STEPS * (class % STEPS)
}

fn layout(class: usize) -> Option<Layout> {
    // room to align by hand: a plain zeroed allocation gets its pages zeroed by the system, an aligned
    // one would write them twice
    Layout::from_size_align(bytes_of(class).checked_add(boundary(class) + HEADER)?, HEADER).ok()
}

/// What a block of the class starts at a multiple of.
fn boundary(class: usize) -> usize {
    if bytes_of(class) >= HUGE { HUGE } else { ALIGN }
}

/// Asks for huge pages.
#[cfg(target_os = "linux")]
fn on_huge_pages(start: NonNull<u8>, size: usize) {
    // SAFETY: the memory is ours, and only what lies beneath it changes. It is advice: refused, it changes nothing.
    unsafe { libc::madvise(start.as_ptr().cast(), size, libc::MADV_HUGEPAGE) };
}

/// Other systems choose pages themselves.
#[cfg(not(target_os = "linux"))]
fn on_huge_pages(_: NonNull<u8>, _: usize) {}

impl Block {
    /// A block of at least `bytes`, with whatever numbers were there before.
    pub fn new(bytes: usize) -> Result<Block> {
        if isize::try_from(bytes).is_err() {
            return Err(too_much(bytes));
        }
        let class = class_of(bytes);
        if class >= CLASSES {
            return Err(too_much(bytes));
        }
        let size = bytes_of(class);
        let (start, class) = match take(class) {
            Some(found) => found,
            None => {
                let limit = LIMIT.load(Ordering::Relaxed);
                if RESERVED.load(Ordering::Relaxed).saturating_add(size) > limit {
                    empty_cache();
                }
                let before = RESERVED.fetch_add(size, Ordering::Relaxed);
                match (before.saturating_add(size) <= limit).then(|| fresh(class)).flatten() {
                    Some(start) => (start, class),
                    None => {
                        RESERVED.fetch_sub(size, Ordering::Relaxed);
                        return Err(too_much(bytes));
                    }
                }
            }
        };
        let size = bytes_of(class);
        let allocated = ALLOCATED.fetch_add(size, Ordering::Relaxed) + size;
        // looked at first, as most often nothing has to be written
        if allocated > PEAK.load(Ordering::Relaxed) {
            PEAK.fetch_max(allocated, Ordering::Relaxed);
        }
        Ok(Block { start, class })
    }

    /// The memory.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the block owns this many initialised bytes.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), bytes_of(self.class)) }
    }

    /// The memory, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `self` is held by nobody else.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), bytes_of(self.class)) }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let size = bytes_of(self.class);
        ALLOCATED.fetch_sub(size, Ordering::Relaxed);
        let kept = OWN.try_with(|own| {
            let Ok(mut own) = own.try_borrow_mut() else {
                return false;
            };
            let room = size <= THREAD_BYTES && own.count(self.class) < THREAD_BLOCKS;
            if room {
                own.push(self.class, self.start);
            }
            room
        });
        if !kept.unwrap_or(false) {
            shared().push(self.class, self.start);
        }
    }
}

/// A free block that serves a class, and its own.
fn take(class: usize) -> Option<(NonNull<u8>, usize)> {
    let own = OWN.try_with(|own| own.try_borrow_mut().ok().and_then(|mut own| own.pop(class)));
    if let Some(start) = own.ok().flatten() {
        return Some((start, class));
    }
    shared().take(class)
}

fn fresh(class: usize) -> Option<NonNull<u8>> {
    let layout = layout(class)?;
    // SAFETY: the layout is not empty.
    let raw = NonNull::new(unsafe { alloc_zeroed(layout) })?;
    let aligned = raw.as_ptr().addr().checked_add(HEADER)?.next_multiple_of(boundary(class));
    let ahead = aligned - raw.as_ptr().addr();
    // SAFETY: HEADER <= ahead < HEADER + boundary(class), so that `bytes_of(class)` bytes follow, and the word before
    // the block lies in the allocation.
    let start = unsafe {
        let start = raw.add(ahead);
        start.cast::<usize>().sub(1).write(ahead);
        start
    };
    if boundary(class) == HUGE {
        on_huge_pages(start, bytes_of(class));
    }
    Some(start)
}

fn give_back(start: NonNull<u8>, class: usize) {
    RESERVED.fetch_sub(bytes_of(class), Ordering::Relaxed);
    if let Some(layout) = layout(class) {
        // SAFETY: `fresh` made it of this layout, and wrote how far ahead of the allocation it starts.
        unsafe {
            let ahead = start.cast::<usize>().sub(1).read();
            dealloc(start.as_ptr().sub(ahead), layout);
        }
    }
}

fn too_much(bytes: usize) -> Error {
    let MemoryStats { allocated, reserved, .. } = stats();
    let limit = match LIMIT.load(Ordering::Relaxed) {
        usize::MAX => String::new(),
        limit => format!(", and the limit is {limit}"),
    };
    let why = format!("{bytes} bytes cannot be had: {allocated} are in use and {reserved} reserved{limit}");
    Error::memory("allocate", why)
}

/// What is in use and kept, in bytes.
pub fn stats() -> MemoryStats {
    MemoryStats {
        allocated: ALLOCATED.load(Ordering::Relaxed),
        reserved: RESERVED.load(Ordering::Relaxed),
        peak: PEAK.load(Ordering::Relaxed),
    }
}

/// Gives back what this thread and all threads together keep free.
pub fn empty_cache() {
    // a thread that is ending has no cache any more
    let _ = OWN.try_with(|own| own.try_borrow_mut().map(|mut own| own.release()));
    shared().release();
}

/// From now on no more than this is reserved.
pub fn set_limit(bytes: usize) {
    LIMIT.store(bytes, Ordering::Relaxed);
}

/// Starts the peak from what is in use now.
pub fn reset_peak() {
    PEAK.store(ALLOCATED.load(Ordering::Relaxed), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_they_are_for() {
        for bytes in (1..5000).chain([1 << 20, (1 << 20) + 1, 3 << 29, usize::MAX >> 12]) {
            let size = bytes_of(class_of(bytes));
            assert!(size >= bytes && size <= bytes.max(SMALLEST) + bytes / STEPS + 1, "{bytes} in {size}");
        }
    }

    #[test]
    fn blocks_are_aligned_and_come_back() {
        let mut block = Block::new(1000).unwrap();
        assert_eq!(block.bytes().as_ptr().addr() % ALIGN, 0);
        block.bytes_mut().fill(7);
        let (start, len) = (block.start, block.bytes().len());
        drop(block);
        let again = Block::new(len).unwrap();
        assert_eq!(again.start, start);
        assert!(Block::new(usize::MAX / 2).is_err() && Block::new(usize::MAX).is_err());
    }

    #[test]
    fn a_large_free_block_serves_down_to_half_its_size() {
        let mut free = FreeLists(vec![]);
        let [small, large] = [1 << 10, 96 << 20].map(class_of);
        [small, large].iter().for_each(|&class| free.push(class, NonNull::dangling()));
        for (bytes, served) in [(40 << 20, false), (97 << 20, false), (48 << 20, true), (1 << 9, false)] {
            let found = free.take(class_of(bytes));
            assert_eq!(found.map(|(_, class)| class), served.then_some(large), "{bytes}");
        }
        assert!(free.take(small).is_some() && free.take(large).is_none());
    }
}
