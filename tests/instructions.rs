//! How many instructions kernels take. Counts don't depend on the machine's mood as times do, so a loop that is no longer
//! compiled for vectors, or work that is done twice, is seen here. valgrind counts; it knows AVX2 and no more, so that is
//! what kernels are made to use.
//!
//! `cargo test --release --test instructions` prints the table.

#[path = "../backends/wgpu/tests/common/apt.rs"]
mod apt;

use firesteel::{
    AttentionOptions, ConvOptions, Gelu, MaxPoolOptions, Order,
    nn::{GRU, LSTM, Linear},
    optim::{Adam, Optimizer},
    prelude::*,
    set_num_threads,
};
use std::{env, hint::black_box, process::Command};

/// What is counted, and how many instructions it may take. A limit is a quarter above what was counted when it was
/// set, as compilers and C libraries differ a little.
const LIMITS: &[(&str, u64)] = &[
    ("add of 1", 1_800),
    ("add of 1, and its gradient", 40_000),
    ("add of 10,000", 9_800),
    ("where of 10,000", 59_000),
    ("gelu of 10,000", 200_000),
    ("sum of 10,000", 21_000),
    ("sort of 10,000", 1_600_000),
    ("softmax of 64 x 128", 94_000),
    ("layer_norm of 64 x 128", 53_000),
    ("matmul of 64 x 64", 120_000),
    ("attention of 64 x 32", 210_000),
    ("conv2d of 16 x 16 x 16 by 3 x 3", 280_000),
    ("conv2d of 16 x 16 x 16 by 5 x 5", 730_000),
    ("max_pool2d of 16 x 16 x 16", 310_000),
    ("lstm of 8 steps, 8 x 32 to 32", 650_000),
    ("gru of 8 steps, 8 x 32 to 32", 500_000),
    ("adam of 100 x 100", 420_000),
];

type Work = Box<dyn FnMut() -> Result<()>>;

/// What is counted under this name.
fn work(name: &str) -> Result<Work> {
    let randn = |shape: &[usize]| Tensor::randn(shape, &Cpu);
    let one = |shape: &[usize], f: fn(&Tensor<Cpu>) -> Result<Tensor<Cpu>>| -> Result<Work> {
        let x = randn(shape)?;
        Ok(Box::new(move || f(&x).map(|y| drop(black_box(y)))))
    };
    Ok(match name {
        "add of 1" => one(&[1], |x| x + x)?,
        "add of 1, and its gradient" => {
            let x = Tensor::ones([1], &Autodiff::new(Cpu))?.requires_grad()?;
            Box::new(move || (&x + &x)?.backward().map(|gradients| drop(black_box(gradients))))
        }
        "add of 10,000" => one(&[10_000], |x| x + x)?,
        "where of 10,000" => one(&[10_000], |x| x.lazy().le(0).where_(0, x).eval())?,
        "gelu of 10,000" => one(&[10_000], |x| x.gelu(Gelu::Exact))?,
        "sum of 10,000" => one(&[10_000], |x| x.sum(..))?,
        "sort of 10,000" => one(&[10_000], |x| x.sort(-1, Order::Ascending).map(|sorted| sorted.0))?,
        "softmax of 64 x 128" => one(&[64, 128], |x| x.softmax(-1))?,
        "layer_norm of 64 x 128" => one(&[64, 128], |x| x.layer_norm([128], None, None, 1e-5))?,
        "matmul of 64 x 64" => one(&[64, 64], |x| x.matmul(x))?,
        "attention of 64 x 32" => {
            one(&[64, 32], |x| x.scaled_dot_product_attention(x, x, AttentionOptions::default()))?
        }
        "conv2d of 16 x 16 x 16 by 3 x 3" => convolution(3)?,
        "conv2d of 16 x 16 x 16 by 5 x 5" => convolution(5)?,
        "max_pool2d of 16 x 16 x 16" => {
            one(&[1, 16, 16, 16], |x| x.max_pool2d(2, MaxPoolOptions::default()))?
        }
        "lstm of 8 steps, 8 x 32 to 32" => {
            let (lstm, x) = (LSTM::new(32, 32, &Cpu)?, randn(&[8, 8, 32])?);
            Box::new(move || lstm.forward(&x, None).map(|y| drop(black_box(y))))
        }
        "gru of 8 steps, 8 x 32 to 32" => {
            let (gru, x) = (GRU::new(32, 32, &Cpu)?, randn(&[8, 8, 32])?);
            Box::new(move || gru.forward(&x, None).map(|y| drop(black_box(y))))
        }
        "adam of 100 x 100" => {
            let device = Autodiff::new(Cpu);
            let mut model = Linear::new(100, 100, &device)?;
            let loss = model.forward(&Tensor::ones([1, 100], &device)?)?.sum(..)?;
            let (gradients, mut adam) = (loss.backward()?, Adam::new(1e-3));
            Box::new(move || adam.step(&mut model, &gradients))
        }
        _ => return Err(Error::value("instructions", format!("nothing is called {name}"))),
    })
}

/// A convolution as wide as its padding allows for.
fn convolution(window: usize) -> Result<Work> {
    let x = Tensor::randn([1, 16, 16, 16], &Cpu)?;
    let w = Tensor::randn([16, 16, window, window], &Cpu)?;
    let options = ConvOptions { padding: (window / 2).into(), ..Default::default() };
    Ok(Box::new(move || x.conv2d(&w, None, options.clone()).map(|y| drop(black_box(y)))))
}

/// Without arguments that it knows, compares all counts with their limits; `count NAME RUNS` is what valgrind runs.
fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["count", name, runs] => {
            set_num_threads(1)?;
            let mut work = work(name)?;
            let runs = runs.parse().map_err(|_| Error::value("instructions", "RUNS is a number"))?;
            (0..runs).try_for_each(|_: usize| work())
        }
        // what asks for a list of tests finds none here by name
        ["--list", ..] => Ok(()),
        _ => compare(),
    }
}

fn compare() -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        println!("instructions are counted on x86-64 under Linux");
        return Ok(());
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        apt::install(&["valgrind"]);
    }
    let mut broken = vec![];
    println!("{:<34} {:>10} {:>10}", "kernel", "counted", "limit");
    for &(name, limit) in LIMITS {
        // what a process does once is in both, give or take some thousands: many runs make little of these
        let count = (instructions(name, 102)? - instructions(name, 2)?) / 100;
        println!("{name:<34} {count:>10} {limit:>10}");
        if count > limit {
            broken.push(format!("{name}: {count} instructions, where {limit} were enough"));
        } else if count < limit / 2 {
            broken.push(format!(
                "{name}: {count} instructions, so {limit} are no limit: set it a quarter above"
            ));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    Ok(())
}

/// The instructions of a process that does the work so often.
fn instructions(name: &str, runs: usize) -> Result<u64> {
    let failed = |why: String| Error::value("instructions", why);
    let this = env::current_exe().map_err(|e| failed(e.to_string()))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this)
        .args(["count", name, &runs.to_string()])
        .env("FIRESTEEL_SIMD", "v3")
        .output()
        .map_err(|e| failed(format!("valgrind: {e}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    count.filter(|_| output.status.success()).ok_or_else(|| failed(format!("{name}: {said}")))
}
