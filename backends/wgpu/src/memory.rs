//! Buffers that are used again: making one costs more than most kernels.
//!
//! Buffers come in size classes, four to a doubling, so that at most a fifth of one is unused. A buffer is free
//! as soon as no value holds it: kernels that were recorded before still find their numbers in it, since all
//! that a device does it does in order.
use crate::device::Gpu;
use firesteel_core::{Error, MemoryStats, Result};
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};
use wgpu::{Buffer, BufferDescriptor, BufferUsages};

/// The smallest class, in bytes: room for whole groups of four of the widest words.
const SMALLEST: usize = 64;

/// The class that holds `bytes`: powers of two, and three steps between.
fn class_of(bytes: usize) -> usize {
    let bytes = bytes.max(SMALLEST);
    let power = bytes.ilog2() as usize;
    let steps = (bytes - (1 << power)).div_ceil((1usize << power) / 4);
    (power - SMALLEST.ilog2() as usize) * 4 + steps
}

fn bytes_of(class: usize) -> usize {
    let power = SMALLEST.checked_shl((class / 4) as u32).unwrap_or(usize::MAX);
    power.saturating_add(power / 4 * (class % 4))
}

/// Locks, whoever panicked before.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A buffer that no value holds any more.
#[derive(Debug)]
struct Free {
    buffer: Buffer,
    id: u64,
    batch: u64,
}

/// The buffers of one device.
#[derive(Debug)]
pub(crate) struct Pool {
    free: Mutex<Vec<Vec<Free>>>,
    made: AtomicU64,
    allocated: AtomicUsize,
    reserved: AtomicUsize,
    peak: AtomicUsize,
    limit: AtomicUsize,
}

impl Pool {
    pub fn new() -> Self {
        Self {
            free: Mutex::new(vec![]),
            made: AtomicU64::new(0),
            allocated: AtomicUsize::new(0),
            reserved: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            limit: AtomicUsize::new(usize::MAX),
        }
    }

    pub fn stats(&self) -> MemoryStats {
        MemoryStats {
            allocated: self.allocated.load(Relaxed),
            reserved: self.reserved.load(Relaxed),
            peak: self.peak.load(Relaxed),
        }
    }

    /// Gives back what is free.
    pub fn empty(&self) {
        for (class, buffers) in lock(&self.free).iter_mut().enumerate() {
            self.reserved.fetch_sub(bytes_of(class) * buffers.len(), Relaxed);
            buffers.clear();
        }
    }

    pub fn set_limit(&self, bytes: usize) {
        self.limit.store(bytes, Relaxed);
    }

    pub fn reset_peak(&self) {
        self.peak.store(self.allocated.load(Relaxed), Relaxed);
    }
}

/// A buffer that values hold.
#[derive(Debug)]
pub(crate) struct Block {
    gpu: &'static Gpu,
    pub buffer: Buffer,
    /// Which buffer of the device it is.
    pub id: u64,
    /// The number of the last batch of commands that uses it.
    pub batch: AtomicU64,
    class: usize,
}

impl Block {
    /// A buffer of at least `bytes`, with whatever numbers were there before.
    pub fn new(gpu: &'static Gpu, bytes: usize) -> Result<Block> {
        let most =
            usize::try_from(gpu.limits.max_storage_buffer_binding_size.min(gpu.limits.max_buffer_size));
        if bytes > most.unwrap_or(usize::MAX) {
            let why = format!(
                "{bytes} bytes are more than a buffer of {} holds (max_storage_buffer_binding_size {}, max_buffer_size {})",
                gpu.name(),
                gpu.limits.max_storage_buffer_binding_size,
                gpu.limits.max_buffer_size,
            );
            return Err(Error::memory("allocate", why));
        }
        let class = class_of(bytes);
        let size = bytes_of(class);
        let pool = &gpu.pool;
        let free = lock(&pool.free).get_mut(class).and_then(Vec::pop);
        let Free { buffer, id, batch } = match free {
            Some(free) => free,
            None => Block::fresh(gpu, bytes, size)?,
        };
        let allocated = pool.allocated.fetch_add(size, Relaxed) + size;
        pool.peak.fetch_max(allocated, Relaxed);
        Ok(Block { gpu, buffer, id, batch: AtomicU64::new(batch), class })
    }

    fn fresh(gpu: &'static Gpu, bytes: usize, size: usize) -> Result<Free> {
        let pool = &gpu.pool;
        let limit = pool.limit.load(Relaxed);
        if pool.reserved.load(Relaxed).saturating_add(size) > limit {
            gpu.empty_cache();
        }
        let too_much = || {
            let MemoryStats { allocated, reserved, .. } = pool.stats();
            let limit =
                if limit == usize::MAX { String::new() } else { format!(", and the limit is {limit}") };
            let why =
                format!("{bytes} bytes cannot be had: {allocated} are in use and {reserved} reserved{limit}");
            Error::memory("allocate", why)
        };
        if pool.reserved.fetch_add(size, Relaxed).saturating_add(size) > limit {
            pool.reserved.fetch_sub(size, Relaxed);
            return Err(too_much());
        }
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        // a last class may be larger than the device's largest buffer
        let size =
            (size as u64).min(gpu.limits.max_storage_buffer_binding_size).min(gpu.limits.max_buffer_size);
        let make = || {
            let descriptor =
                BufferDescriptor { label: None, size: size & !3, usage, mapped_at_creation: false };
            gpu.scoped(|| gpu.device.create_buffer(&descriptor))
        };
        let made = make().or_else(|_| {
            gpu.empty_cache();
            make()
        });
        match made {
            Ok(buffer) => Ok(Free { buffer, id: pool.made.fetch_add(1, Relaxed), batch: 0 }),
            Err(error) => {
                pool.reserved.fetch_sub(bytes_of(class_of(bytes)), Relaxed);
                Err(too_much().because(error))
            }
        }
    }

    /// Bytes that it has room for.
    pub fn size(&self) -> usize {
        bytes_of(self.class)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let pool = &self.gpu.pool;
        pool.allocated.fetch_sub(self.size(), Relaxed);
        let free = Free { buffer: self.buffer.clone(), id: self.id, batch: self.batch.load(Relaxed) };
        let mut lists = lock(&pool.free);
        if lists.len() <= self.class {
            lists.resize_with(self.class + 1, Vec::new);
        }
        lists[self.class].push(free);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_they_are_for() {
        for bytes in (1..5000).chain([1 << 20, (1 << 20) + 1, 3 << 29, usize::MAX >> 12]) {
            let size = bytes_of(class_of(bytes));
            assert!(size >= bytes && size <= bytes.max(SMALLEST) + bytes / 4 + 1, "{bytes} in {size}");
            assert_eq!(size % 16, 0);
        }
    }
}
