//! Times every operation that passes.
use firesteel_core::{Backend, Decorator, Error, Metas, Op, Outputs, Result, Update, ValueOf};
use std::{
    collections::BTreeMap,
    fmt,
    io::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Runs everything on `B`, and counts calls, time and bytes of each operation. Outside of
/// [`Autodiff`](crate::Autodiff) it sees the forward pass, inside of it the backward pass as well. A device that
/// runs behind the program's back is waited for after each operation.
///
/// ```
/// use firesteel::{Profile, prelude::*};
/// let cpu = Profile::new(Cpu);
/// let x = Tensor::ones([8, 8], &cpu)?;
/// x.matmul(&x)?.exp()?;
/// let report = cpu.report();
/// assert_eq!(report.get("matmul").map(|spent| spent.calls), Some(1));
/// println!("{report}");
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone)]
pub struct Profile<B> {
    inner: B,
    notes: Arc<Notes>,
}

struct Notes {
    start: Instant,
    events: Mutex<Vec<Event>>,
}

/// One operation that ran.
struct Event {
    name: &'static str,
    thread: u64,
    start: Duration,
    time: Duration,
    bytes: usize,
}

/// What one operation took, all calls together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// How often it ran.
    pub calls: usize,
    /// How long, in all.
    pub time: Duration,
    /// Bytes of its operands and results, in all.
    pub bytes: usize,
}

/// What each operation took; prints as a table, the longest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report(BTreeMap<&'static str, Spent>);

impl<B: Backend> Profile<B> {
    /// A profile of what will run on `inner`.
    pub fn new(inner: B) -> Self {
        Self { inner, notes: Arc::new(Notes { start: Instant::now(), events: Mutex::default() }) }
    }

    /// What each operation took since the start or the last `reset`.
    pub fn report(&self) -> Report {
        let mut report = Report::default();
        for event in self.events().iter() {
            let spent = report.0.entry(event.name).or_default();
            spent.calls += 1;
            spent.time += event.time;
            spent.bytes += event.bytes;
        }
        report
    }

    /// Forgets what ran.
    pub fn reset(&self) {
        self.events().clear();
    }

    /// Writes what ran as a [trace](https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU) that
    /// `chrome://tracing` and Perfetto show on a time line.
    pub fn write_chrome_trace(&self, mut out: impl Write) -> Result<()> {
        let io = |e: std::io::Error| Error::io("profile", e.to_string()).because(e);
        write!(out, "{{\"traceEvents\":[").map_err(io)?;
        for (i, event) in self.events().iter().enumerate() {
            let Event { name, thread, start, time, bytes } = event;
            let (start, time) = (start.as_secs_f64() * 1e6, time.as_secs_f64() * 1e6);
            let comma = if i == 0 { "" } else { "," };
            let name = json_escaped(name);
            write!(
                out,
                "{comma}\n{{\"name\":\"{name}\",\"ph\":\"X\",\"pid\":1,\"tid\":{thread},\"ts\":{start:.3},\
                 \"dur\":{time:.3},\"args\":{{\"bytes\":{bytes}}}}}"
            )
            .map_err(io)?;
        }
        writeln!(out, "\n]}}").map_err(io)
    }

    fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.notes.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work`, and notes it down where it succeeds.
    fn time<R>(&self, name: &'static str, bytes: usize, work: impl FnOnce() -> Result<R>) -> Result<R> {
        let start = self.notes.start.elapsed();
        let result = work()?;
        self.inner.synchronize()?;
        let time = self.notes.start.elapsed() - start;
        self.events().push(Event { name, thread: thread_number(), start, time, bytes });
        Ok(result)
    }
}

/// Names come from operations, and a user's own may hold anything.
fn json_escaped(name: &str) -> String {
    let escaped = name.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04x}", c as u32),
        c => c.to_string(),
    });
    escaped.collect()
}

/// Threads by the order in which they were first seen.
fn thread_number() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.with(|n| *n)
}

impl<B: Backend> Decorator for Profile<B> {
    type Inner = B;

    fn inner(&self) -> &B {
        &self.inner
    }

    fn around(&self, op: Op<&B::Value>, out: &Metas) -> Result<Outputs<ValueOf<B>>> {
        let mut bytes = out.iter().map(|m| m.bytes()).sum::<usize>();
        op.clone().each(|v| bytes += B::meta(v).bytes());
        self.time(op.name(), bytes, || self.inner.eval(op, out))
    }

    fn around_update(&self, updates: Vec<Update<'_, ValueOf<B>>>) -> Result<()> {
        let name = updates.first().map_or("update", |update| update.op.name());
        let mut bytes = 0;
        for update in &updates {
            bytes += update.targets.iter().map(|t| B::meta(t).bytes()).sum::<usize>();
            update.plain().each(|v| bytes += B::meta(v).bytes());
        }
        self.time(name, bytes, || self.inner.update(updates))
    }
}

impl<B: fmt::Debug> fmt::Debug for Profile<B> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Profile({:?})", self.inner)
    }
}

impl Report {
    /// What an operation took.
    pub fn get(&self, name: &str) -> Option<Spent> {
        self.0.get(name).copied()
    }

    /// Every operation that ran, the longest first.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Spent)> {
        let mut rows: Vec<_> = self.0.iter().map(|(&name, &spent)| (name, spent)).collect();
        rows.sort_by_key(|(_, spent)| std::cmp::Reverse(spent.time));
        rows.into_iter()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let total: Duration = self.0.values().map(|spent| spent.time).sum();
        writeln!(
            f,
            "{:<28} {:>9} {:>12} {:>7} {:>10} {:>9}",
            "operation", "calls", "time", "share", "MiB", "GB/s"
        )?;
        for (name, Spent { calls, time, bytes }) in self.iter() {
            let (seconds, all) = (time.as_secs_f64().max(1e-12), total.as_secs_f64().max(1e-12));
            writeln!(
                f,
                "{name:<28} {calls:>9} {:>9.3} ms {:>6.1}% {:>10.1} {:>9.2}",
                seconds * 1e3,
                100. * seconds / all,
                bytes as f64 / f64::from(1 << 20),
                bytes as f64 / 1e9 / seconds,
            )?;
        }
        Ok(())
    }
}
