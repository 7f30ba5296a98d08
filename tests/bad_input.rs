//! Whatever a caller passes gives a value or an error: never a panic, an abort, a hang, or a process killed for memory.
//!
//! The arguments of PyTorch's own cases are changed by a seeded generator, and our calls made with them: on the
//! processor, and with gradients, which are asked for of all that can have one.
//! `cargo test --release --test bad_input -- --nocapture` makes 100,000 calls, `FIRESTEEL_FUZZ_CALLS=n` as many as it says,
//! and `FIRESTEEL_FUZZ_FROM=i` begins with call `i`, which is the same call each time.

mod pytorch {
    // The conformance tests use the rest.
    #![allow(dead_code)]

    pub mod args;
    pub mod cases;
    pub mod compare;
    pub mod judge;
    pub mod random;
    pub mod read;
    pub mod report;
    pub mod scope;
    pub mod table;
}

mod mutate;

use firesteel::{Autodiff, Backend, Cpu, Differentiable, Result, Tensor, TensorData, backward_all, block_on};
use mutate::{Rng, mutate};
use pytorch::args::Args;
use pytorch::cases::{self, Case, Kind, Raw};
use pytorch::judge::Output;
use pytorch::scope::Scope;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What the calls may use of memory, in bytes.
const LIMIT: usize = 1 << 30;
/// A call that takes longer is reported.
const SLOW: Duration = Duration::from_secs(2);
/// A call that takes longer hangs, which ends the process.
const HANGS: Duration = Duration::from_secs(20);
/// A tensor with more elements is not read.
const READ: usize = 1 << 16;

/// Where the last panic was, and what it said.
static PANIC: Mutex<String> = Mutex::new(String::new());
/// The call that runs.
static RUNS: Mutex<String> = Mutex::new(String::new());
/// How many calls have begun.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// Runs a case; whether there is a call of ours for it.
type Run<'a> = &'a dyn Fn(&Case) -> Result<bool>;

#[test]
fn each_call_gives_a_value_or_an_error() -> Result<()> {
    let (from, calls) = (from_env("FIRESTEEL_FUZZ_FROM", 0), from_env("FIRESTEEL_FUZZ_CALLS", 100_000));
    let scope = Scope::own();
    let mut cases = cases::load(&cases::own_folder(), Kind::Op)?;
    cases.retain(|case| case.unsupported.is_none() && scope.tier(case) == Some(1));
    let device = Cpu;
    device.set_memory_limit(LIMIT);
    std::panic::set_hook(Box::new(|info| *lock(&PANIC) = info.to_string().replace('\n', " ")));
    std::thread::spawn(watch);

    let tracked = Autodiff::new(device);
    let stacks: [(&str, Run); 2] =
        [("cpu", &|case| run(&device, case)), ("autodiff-cpu", &|case| differentiate(&tracked, case))];
    let [mut values, mut errors, mut unmapped, mut slow] = [0; 4];
    let mut panics = BTreeMap::<String, Vec<String>>::new();
    for (number, (stack, run)) in (from..from + calls).flat_map(|number| stacks.map(|stack| (number, stack)))
    {
        let mut case = cases[number as usize % cases.len()].clone();
        let said = mutate(&mut case, &mut Rng(number));
        let call = format!("{number} {stack} {} {said}", case.id);
        lock(&RUNS).clone_from(&call);
        BEGUN.fetch_add(1, Ordering::Relaxed);
        let start = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| run(&case))) {
            Ok(Ok(true)) => values += 1,
            Ok(Ok(false)) => unmapped += 1,
            Ok(Err(_)) => errors += 1,
            Err(_) => panics.entry(lock(&PANIC).clone()).or_default().push(call.clone()),
        }
        if start.elapsed() > SLOW {
            slow += 1;
            println!("bad-input-slow {:.1?} {call}", start.elapsed());
        }
    }
    drop(std::panic::take_hook());
    let panicked: usize = panics.values().map(Vec::len).sum();
    for (message, calls) in &panics {
        println!("bad-input-panic {}x {message}", calls.len());
        calls.iter().take(3).for_each(|call| println!("    {call}"));
    }
    println!(
        "bad-input calls={calls} stacks={} values={values} errors={errors} unmapped={unmapped} panics={panicked} slow={slow}",
        stacks.len()
    );
    assert_eq!(panicked, 0, "calls panicked");
    Ok(())
}

/// Whether there is a call of ours for the case's; makes it, and reads the results.
fn run<B: Backend>(device: &B, case: &Case) -> Result<bool> {
    let load = |raw: &Raw, _wanted| upload(device, raw);
    let args = Args::new(case, &load);
    let Some(outputs) = block_on(pytorch::table::call(device, &case.name, &args))? else {
        return Ok(false);
    };
    outputs.0.iter().filter_map(Output::tensor).try_for_each(read)?;
    Ok(true)
}

/// As [`run`], and reads the gradients of the results by each tensor of real numbers.
fn differentiate<D: Differentiable>(device: &D, case: &Case) -> Result<bool> {
    let leaves = RefCell::new(vec![]);
    let load = |raw: &Raw, _wanted| {
        let tensor = upload(device, raw)?;
        if !tensor.dtype().is_float() {
            return Ok(tensor);
        }
        let leaf = tensor.requires_grad()?;
        leaves.borrow_mut().push(leaf.clone());
        Ok(leaf)
    };
    let args = Args::new(case, &load);
    let Some(outputs) = block_on(pytorch::table::call(device, &case.name, &args))? else {
        return Ok(false);
    };
    let roots = outputs.0.iter().filter_map(Output::tensor);
    let roots = roots.filter(|root| root.is_tracked() && root.meta().numel() <= READ);
    let roots: Vec<_> = roots.map(|root| Ok((root, root.lower().ones_like()?))).collect::<Result<_>>()?;
    if !roots.is_empty() {
        let roots: Vec<_> = roots.iter().map(|(root, cotangent)| (*root, cotangent)).collect();
        let gradients = backward_all(&roots, &[])?;
        leaves.borrow().iter().filter_map(|leaf| gradients.find(leaf)).try_for_each(read)?;
    }
    Ok(true)
}

/// Reads a tensor, but not a huge one, which may be a view of a few elements.
fn read<B: Backend>(tensor: &Tensor<B>) -> Result<()> {
    if tensor.meta().numel() <= READ {
        tensor.to_data()?;
    }
    Ok(())
}

/// A tensor of a case, or of one element expanded.
fn upload<B: Backend>(device: &B, raw: &Raw) -> Result<Tensor<B>> {
    let data = raw.data()?;
    let full = raw.shape.iter().try_fold(1_usize, |n, size| n.checked_mul(*size)) == Some(data.len());
    if full {
        return Tensor::from_data(TensorData::new(&raw.shape[..], data)?, device);
    }
    Tensor::from_data(TensorData::new([1], data)?, device)?.broadcast_to(&raw.shape[..])
}

/// Ends the process where one call does not.
fn watch() {
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let begun = BEGUN.load(Ordering::Relaxed);
        if begun != seen {
            (seen, since) = (begun, Instant::now());
        } else if begun > 0 && since.elapsed() > HANGS {
            eprintln!("bad-input-hang {}", lock(&RUNS));
            std::process::exit(1);
        }
    }
}

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn lock(text: &Mutex<String>) -> std::sync::MutexGuard<'_, String> {
    text.lock().unwrap_or_else(PoisonError::into_inner)
}
