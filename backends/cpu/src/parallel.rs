//! Work split over threads.
//!
//! What meets rayon is compiled once: whatever the pieces are of, a thread is told only their numbers.
use firesteel_core::{Error, Result};
use rayon::{Scope, ThreadPool, ThreadPoolBuilder};
use smallvec::SmallVec;
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
    match pool() {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

fn pool() -> Option<Arc<ThreadPool>> {
    POOL.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Runs `work` with each number below `count`, on this thread and as many others as can help. Each begins with a share of
/// its own, the same in every call, so that it finds in its caches what it wrote there, and then helps the others.
fn each(count: usize, work: &(dyn Fn(usize) + Sync)) {
    let threads = num_threads().min(count);
    if threads <= 1 {
        return (0..count).for_each(work);
    }
    let start = |share: usize| share * count / threads;
    let next: SmallVec<[AtomicUsize; 16]> = (0..threads).map(|share| start(share).into()).collect();
    let help = |thread: usize| {
        for share in (thread..threads).chain(0..thread) {
            let numbers = std::iter::repeat_with(|| next[share].fetch_add(1, Ordering::Relaxed));
            numbers.take_while(|number| *number < start(share + 1)).for_each(work);
        }
    };
    match pool() {
        Some(pool) => pool.in_place_scope(|scope| share(scope, threads, &help)),
        None => rayon::in_place_scope(|scope| share(scope, threads, &help)),
    }
}

/// Runs `help` on so many threads, of which this is one.
fn share<'s>(scope: &Scope<'s>, threads: usize, help: &'s (dyn Fn(usize) + Sync)) {
    (1..threads).for_each(|thread| scope.spawn(move |_| help(thread)));
    help(0);
}

/// Does each job, on all threads.
pub(crate) fn jobs<J: Send>(jobs: Vec<J>, work: impl Fn(J) + Sync) {
    let jobs: Vec<Mutex<Option<J>>> = jobs.into_iter().map(|job| Mutex::new(Some(job))).collect();
    each(jobs.len(), &|number| {
        let job = jobs[number].lock().unwrap_or_else(PoisonError::into_inner).take();
        job.into_iter().for_each(&work);
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

/// Splits `y` in pieces of a multiple of `unit` elements, and runs `work` with where each starts, in units.
#[inline]
pub(crate) fn pieces<T: Send>(y: &mut [T], unit: usize, grain: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    pieces_of(y, unit, grain, &work);
}

fn pieces_of<T: Send>(y: &mut [T], unit: usize, grain: usize, work: &(dyn Fn(usize, &mut [T]) + Sync)) {
    match piece(y.len(), unit, grain) {
        None => work(0, y),
        Some(size) => {
            let list = y.chunks_mut(size * unit).enumerate().collect();
            jobs(list, |(number, y): (usize, &mut [T])| work(number * size, y));
        }
    }
}

/// What [`rows`] runs: with where a piece starts, the piece, and its parts of the other slices.
type RowWork<'a, T, U, const N: usize> = &'a (dyn Fn(usize, &mut [T], [&mut [U]; N]) -> Result<()> + Sync);

/// [`pieces`] of several slices at once: each of `more` has a part for each unit of `y`. Gives the error that
/// came first. The last unit of `y` may be shorter than the others.
pub(crate) fn rows<T: Send, U: Send, const N: usize>(
    y: &mut [T],
    unit: usize,
    more: [&mut [U]; N],
    grain: usize,
    work: RowWork<T, U, N>,
) -> Result<()> {
    let units = y.len().div_ceil(unit.max(1));
    let Some(size) = piece(y.len(), unit, grain) else {
        return work(0, y, more);
    };
    let mut more = more.map(|m| {
        let part = m.len() / units;
        m.chunks_mut((part * size).max(1))
    });
    let pieces = y.chunks_mut(size * unit).enumerate();
    let list = pieces.map(|(piece, y)| (piece, y, more.each_mut().map(|m| m.next().unwrap_or_default())));
    try_jobs(list.collect(), |(piece, y, more)| work(piece * size, y, more))
}

/// How many units a piece has of `len` elements that are worth splitting in pieces of `grain` or more.
fn piece(len: usize, unit: usize, grain: usize) -> Option<usize> {
    if len / 2 < grain {
        return None; // before anything is asked that takes time
    }
    let units = len.div_ceil(unit.max(1));
    let count = (len / grain.max(1)).min(units);
    if count <= 1 {
        return None;
    }
    let threads = num_threads();
    (threads > 1).then(|| units.div_ceil(count.min(threads * 4)))
}
