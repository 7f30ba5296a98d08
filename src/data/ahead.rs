//! Tasks done on other threads before their results are asked for, and handed over in order.
use crate::{Error, Result};
use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

/// Makes one result.
pub type Task<T> = Box<dyn FnOnce() -> Result<T> + Send>;

type Tasks<T> = Box<dyn Iterator<Item = Task<T>> + Send>;

/// The results of tasks, in order. Workers stop when it is dropped.
pub struct Ahead<T> {
    shared: Arc<Shared<T>>,
    workers: Vec<JoinHandle<()>>,
}

/// What workers and who asks for the results share.
struct Shared<T> {
    /// Locked before `state`, so that tasks are numbered in the order in which they come.
    tasks: Mutex<Tasks<T>>,
    state: Mutex<State<T>>,
    changed: Condvar,
    /// How many tasks may be begun before they are asked for.
    ahead: usize,
}

struct State<T> {
    /// The next task to be begun.
    next: usize,
    /// The next result to be asked for.
    wanted: usize,
    /// How many tasks there are, once that is known.
    end: Option<usize>,
    stopped: bool,
    ready: HashMap<usize, Result<T>>,
}

impl<T: Send + 'static> Ahead<T> {
    /// Does tasks on `workers` threads, `prefetch` ahead each; on the thread that asks where there are none.
    pub fn new(
        tasks: impl Iterator<Item = Task<T>> + Send + 'static,
        workers: usize,
        prefetch: usize,
    ) -> Self {
        let state = State { next: 0, wanted: 0, end: None, stopped: false, ready: HashMap::new() };
        let shared = Arc::new(Shared {
            tasks: Mutex::new(Box::new(tasks)),
            state: Mutex::new(state),
            changed: Condvar::new(),
            ahead: workers.saturating_mul(prefetch).max(1),
        });
        // where the system gives no more threads, those that are there do the work
        let spawn = |_| {
            let shared = shared.clone();
            thread::Builder::new().name("data".into()).spawn(move || shared.work()).ok()
        };
        let workers = (0..workers).map_while(spawn).collect();
        Self { shared, workers }
    }
}

impl<T> Iterator for Ahead<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        if self.workers.is_empty() {
            let (_, task) = self.shared.begin(&mut lock(&self.shared.tasks))?;
            lock(&self.shared.state).wanted += 1;
            return Some(guarded(task));
        }
        let mut state = lock(&self.shared.state);
        loop {
            let wanted = state.wanted;
            if let Some(made) = state.ready.remove(&wanted) {
                state.wanted += 1;
                self.shared.changed.notify_all();
                return Some(made);
            }
            if state.end == Some(wanted) {
                return None;
            }
            state = wait(&self.shared.changed, state);
        }
    }
}

impl<T> Drop for Ahead<T> {
    fn drop(&mut self) {
        lock(&self.shared.state).stopped = true;
        self.shared.changed.notify_all();
        for worker in self.workers.drain(..) {
            // its panics were caught and handed over as errors
            let _ = worker.join();
        }
    }
}

impl<T> Shared<T> {
    fn work(&self) {
        while let Some((number, task)) = self.claim() {
            let made = guarded(task);
            lock(&self.state).ready.insert(number, made);
            self.changed.notify_all();
        }
    }

    /// A task to be done, once there is room for its result; nothing when there are no more.
    fn claim(&self) -> Option<(usize, Task<T>)> {
        let mut tasks = lock(&self.tasks);
        let mut state = lock(&self.state);
        while !state.stopped && state.next >= state.wanted.saturating_add(self.ahead) {
            state = wait(&self.changed, state);
        }
        if state.stopped {
            return None;
        }
        drop(state);
        self.begin(&mut tasks)
    }

    /// The next task and its number. Where the tasks themselves panic, the last one says so.
    fn begin(&self, tasks: &mut Tasks<T>) -> Option<(usize, Task<T>)> {
        let number = {
            let state = lock(&self.state);
            if state.end.is_some() {
                return None;
            }
            state.next
        };
        let (task, end) = match catch_unwind(AssertUnwindSafe(|| tasks.next())) {
            Ok(Some(task)) => (Some(task), None),
            Ok(None) => (None, Some(number)),
            Err(panic) => {
                let error = panicked(&*panic);
                (Some(Box::new(move || Err(error)) as Task<T>), Some(number + 1))
            }
        };
        let mut state = lock(&self.state);
        state.next += usize::from(task.is_some());
        state.end = end;
        drop(state);
        self.changed.notify_all();
        task.map(|task| (number, task))
    }
}

/// What a task makes; an error where it panics.
fn guarded<T>(task: Task<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(task)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    Error::value("data_loader", format!("the dataset panicked: {said}"))
}

/// A panic cannot leave a number half written, so what it poisons is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait<'a, T>(changed: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
}
