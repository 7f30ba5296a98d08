//! Firesteel's lines in a table of frameworks: `cargo bench --bench peers [-- FILTER]`; `docs/performance.md` says how to
//! make the table.
//!
//! A line is `case<TAB>firesteel<TAB>median in ms<TAB>least in ms<TAB>repetitions`, or says `n/a` and why. `FILTER` is
//! parts of names joined by `|`. `--sizes` takes other sizes, odd, prime, skinny and large ones; `--scaling` times some
//! operations over decades of sizes; `--rss CASE` measures the memory of 30 repetitions. `PEER_SECS` (1.5) is how long
//! a case is repeated, and `PEER_THREADS` (2) how many threads there are.
mod bert;
mod gpt;
mod harness;
mod operations;
mod overhead;
mod recurrent;
mod scaling;
mod sizes;
mod training;

use firesteel::{Result, set_num_threads};
use harness::Harness;
use std::env;

fn main() -> Result<()> {
    let threads = env::var("PEER_THREADS").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    set_num_threads(threads)?;
    // cargo passes `--bench`
    let arguments: Vec<String> = env::args().skip(1).filter(|a| a != "--bench").collect();
    let second = || arguments.get(1).map_or("", String::as_str);
    match arguments.first().map(String::as_str) {
        Some("--sizes") => sizes::cases(&Harness::new(second(), None)),
        Some("--scaling") => scaling::cases(&Harness::new(second(), None)),
        Some("--rss") => table(&Harness::new("", Some(second().to_owned()))),
        filter => table(&Harness::new(filter.unwrap_or(""), None)),
    }
    Ok(())
}

/// The cases that every framework has.
fn table(harness: &Harness) {
    operations::cases(harness);
    training::cases(harness);
    recurrent::lstm(harness);
    bert::cases(harness);
    overhead::cases(harness);
}
