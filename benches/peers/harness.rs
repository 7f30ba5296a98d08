//! How a case is timed: three runs to warm up, then runs for `PEER_SECS`, and at least five.
use firesteel::Result;
use std::{env, fs, time::Instant};

/// Runs the cases that the arguments name, and prints a line for each.
pub struct Harness {
    /// What names contain: `^` anchors at the start, `$` at the end.
    filter: Vec<String>,
    /// The case whose memory is measured instead.
    rss: Option<String>,
    /// How long a case is repeated, in seconds.
    seconds: f64,
}

impl Harness {
    pub fn new(filter: &str, rss: Option<String>) -> Self {
        let filter = filter.split('|').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned);
        let seconds = env::var("PEER_SECS").ok().and_then(|s| s.parse().ok()).unwrap_or(1.5);
        Self { filter: filter.collect(), rss, seconds }
    }

    fn wants(&self, case: &str) -> bool {
        if let Some(rss) = &self.rss {
            return rss == case;
        }
        let fits = |part: &String| {
            let (start, end) = (part.starts_with('^'), part.ends_with('$'));
            let name = part.trim_start_matches('^').trim_end_matches('$');
            match (start, end) {
                (true, true) => case == name,
                (true, false) => case.starts_with(name),
                (false, true) => case.ends_with(name),
                (false, false) => case.contains(name),
            }
        };
        self.filter.is_empty() || self.filter.iter().any(fits)
    }

    /// Times a case: `make` builds what it reads, and the closure that it gives is one repetition, which computes the
    /// result to its end and drops it.
    pub fn case<F: FnMut() -> Result<()>>(&self, case: &str, make: impl FnOnce() -> Result<F>) {
        if !self.wants(case) {
            return;
        }
        let line = if self.rss.is_some() { memory(case, make) } else { self.times(case, make) };
        println!("{}", line.unwrap_or_else(|e| format!("{case}\tfiresteel\tn/a\tn/a\t0\t{e}")));
    }

    /// `case, firesteel, median in ms, least in ms, repetitions`
    fn times<F: FnMut() -> Result<()>>(
        &self,
        case: &str,
        make: impl FnOnce() -> Result<F>,
    ) -> Result<String> {
        let mut run = make()?;
        (0..3).try_for_each(|_| run())?;
        let (start, mut times) = (Instant::now(), vec![]);
        while times.len() < 5 || start.elapsed().as_secs_f64() < self.seconds && times.len() < 20_000 {
            let start = Instant::now();
            run()?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        let n = times.len();
        Ok(format!("{case}\tfiresteel\t{:.4}\t{:.4}\t{n}", times[n / 2], times[0]))
    }
}

/// `rss_.._mib`, and the most memory that the process held: after 30 repetitions, and before the first.
fn memory<F: FnMut() -> Result<()>>(case: &str, make: impl FnOnce() -> Result<F>) -> Result<String> {
    let before = peak();
    let mut run = make()?;
    (0..30).try_for_each(|_| run())?;
    Ok(format!("rss_{case}_mib\tfiresteel\t{:.4}\t{before:.4}\t1", peak()))
}

/// The most memory that this process held so far, in MiB, as Linux says; else 0.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0.0) / 1024.0
}
