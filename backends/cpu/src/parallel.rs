//! Work split over threads.
use firesteel_core::{Error, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

static POOL: RwLock<Option<Arc<ThreadPool>>> = RwLock::new(None);
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Below this many elements of simple arithmetic, waking another thread costs more than it saves.
pub(crate) const GRAIN: usize = 32 * 1024;

/// How many threads the kernels use: as many as there are cores, until it is set.
pub fn num_threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => rayon::current_num_threads(),
        threads => threads,
    }
}

/// Sets how many threads the kernels use from now on, as `torch.set_num_threads`.
#[track_caller]
pub fn set_num_threads(threads: usize) -> Result<()> {
    if threads == 0 {
        return Err(Error::value("set_num_threads", "at least one thread is needed"));
    }
    let built =
        ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("firesteel-{i}")).build();
    let pool =
        built.map_err(|e| Error::new(firesteel_core::ErrorKind::Device, "set_num_threads", e.to_string()))?;
    *POOL.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(pool));
    THREADS.store(threads, Ordering::Relaxed);
    Ok(())
}

/// Runs `work` where rayon's own calls (and gemm's) use the kernels' threads.
pub(crate) fn install<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let pool = POOL.read().unwrap_or_else(PoisonError::into_inner).clone();
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// Splits `y` in pieces of a multiple of `unit` elements, and runs `work` with where each starts, in units.
pub(crate) fn pieces<T: Send>(y: &mut [T], unit: usize, grain: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    let done = rows(y, unit, [] as [&mut [()]; 0], grain, |start, y, _| {
        work(start, y);
        Ok(())
    });
    debug_assert!(done.is_ok());
}

/// [`pieces`] of several slices at once: each of `more` has a part for each unit of `y`. Gives the error that
/// came first.
pub(crate) fn rows<T: Send, U: Send, const N: usize>(
    y: &mut [T],
    unit: usize,
    more: [&mut [U]; N],
    grain: usize,
    work: impl Fn(usize, &mut [T], [&mut [U]; N]) -> Result<()> + Sync,
) -> Result<()> {
    let units = y.len() / unit.max(1);
    let count = (y.len() / grain.max(1)).min(units);
    if count <= 1 || num_threads() == 1 {
        return work(0, y, more);
    }
    let size = units.div_ceil(count.min(num_threads() * 4));
    let mut more = more.map(|m| {
        let part = m.len() / units;
        m.chunks_mut((part * size).max(1))
    });
    let pieces = y.chunks_mut(size * unit).enumerate();
    let list = pieces.map(|(piece, y)| (piece, y, more.each_mut().map(|m| m.next().unwrap_or_default())));
    try_jobs(list.collect(), |(piece, y, more)| work(piece * size, y, more))
}

/// Does each job, on all threads.
pub(crate) fn jobs<J: Send>(mut jobs: Vec<J>, work: impl Fn(J) + Sync) {
    if jobs.len() <= 1 {
        return jobs.into_iter().for_each(work);
    }
    install(|| {
        rayon::scope(|scope| {
            for job in jobs.drain(..) {
                let work = &work;
                scope.spawn(move |_| work(job));
            }
        });
    });
}

/// [`jobs`] that can fail; gives the error that came first.
pub(crate) fn try_jobs<J: Send>(list: Vec<J>, work: impl Fn(J) -> Result<()> + Sync) -> Result<()> {
    let failed = Mutex::new(Ok(()));
    jobs(list, |job| {
        if let Err(e) = work(job) {
            let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
            if failed.is_ok() {
                *failed = Err(e);
            }
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner)
}
