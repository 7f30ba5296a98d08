//! The GPU beside the processor: `cargo bench --bench gpu --features wgpu [-- FILTER]`.
//!
//! A row is the least time in milliseconds on `Cpu` and on the first GPU, over at least three runs and `GPU_SECS` (0.5), each
//! waited for, and what a run asks of the GPU: kernels, and megabytes that these read and write. `FILTER` is a part of names.
use firesteel::{
    ConvOptions, Order, Wgpu,
    nn::{CrossEntropyLoss, Linear, ReLU, Sequential},
    optim::{Adam, Optimizer},
    prelude::*,
};
use std::{
    env,
    time::{Duration, Instant},
};

/// What is timed, and waited for.
type Run = Box<dyn FnMut() -> Result<()>>;

/// A case by its name, on a backend.
type Case<B> = (&'static str, fn(&B) -> Result<Run>);

fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        ("matmul 512", |b| products(512, DType::F32, b)),
        ("matmul 1024", |b| products(1024, DType::F32, b)),
        ("matmul 1024 F16", |b| products(1024, DType::F16, b)),
        ("add 1e7", |b| {
            let (x, y) = (Tensor::randn([10_000_000], b)?, Tensor::randn([10_000_000], b)?);
            waited(b, move || (&x + &y).map(drop))
        }),
        ("sum 1e7", |b| {
            let x = Tensor::randn([10_000_000], b)?;
            waited(b, move || x.sum(..).map(drop))
        }),
        ("softmax 4096x4096", |b| {
            let x = Tensor::randn([4096, 4096], b)?;
            waited(b, move || x.softmax(1).map(drop))
        }),
        ("conv2d 32x64x56x56, 64 3x3", |b| {
            let (x, w) = (Tensor::randn([32, 64, 56, 56], b)?, Tensor::randn([64, 64, 3, 3], b)?);
            waited(b, move || {
                x.conv2d(&w, None, ConvOptions { padding: 1.into(), ..Default::default() }).map(drop)
            })
        }),
        ("attention 4x8x512x64", |b| {
            let [q, k, v] = [(); 3].map(|()| Tensor::randn([4, 8, 512, 64], b));
            let (q, k, v) = (q?, k?, v?);
            waited(b, move || q.scaled_dot_product_attention(&k, &v, Default::default()).map(drop))
        }),
        ("sort 1e6", |b| {
            let x = Tensor::randn([1_000_000], b)?;
            waited(b, move || x.sort(0, Order::Ascending).map(drop))
        }),
        ("topk 100 of 1e6", |b| {
            let x = Tensor::randn([1_000_000], b)?;
            waited(b, move || x.topk(100, 0, Order::Descending).map(drop))
        }),
        ("a thousand additions of 1", |b| {
            let (x, y) = (Tensor::randn([1], b)?, Tensor::randn([1], b)?);
            waited(b, move || {
                let sum = (0..1000).try_fold(x.clone(), |z, _| z + &y)?;
                // computed, though it is dropped
                sum.backend().synchronize()
            })
        }),
        ("train mlp 784-512-512-10 x 128", |b| training(&Autodiff::new(b.clone()))),
    ]
}

fn products<B: Backend>(n: usize, dtype: DType, b: &B) -> Result<Run> {
    let (x, y) = (Tensor::randn([n, n], b)?.to(dtype)?, Tensor::randn([n, n], b)?.to(dtype)?);
    waited(b, move || x.matmul(&y).map(drop))
}

/// A step of Adam on a batch of digits' size.
fn training<B: Backend>(b: &Autodiff<B>) -> Result<Run> {
    let linear = |inputs, outputs| Linear::new(inputs, outputs, b);
    let mut model = Sequential((linear(784, 512)?, ReLU, linear(512, 512)?, ReLU, linear(512, 10)?));
    let (x, y) = (Tensor::randn([128, 784], b)?, Tensor::randint(0..10, [128], b)?);
    let mut optimizer = Adam::new(1e-3);
    waited(b, move || {
        let loss = CrossEntropyLoss::default().forward(&model.forward(&x)?, &y)?;
        optimizer.step(&mut model, &loss.backward()?)
    })
}

/// The run, until the device has done it.
fn waited<B: Backend>(b: &B, mut run: impl FnMut() -> Result<()> + 'static) -> Result<Run> {
    let b = b.clone();
    Ok(Box::new(move || {
        run()?;
        b.synchronize()
    }))
}

/// The least time in milliseconds, after runs that compile and fill pools.
fn least(run: &mut Run, seconds: f64) -> Result<f64> {
    (0..4).try_for_each(|_| run())?;
    let (start, mut least, mut runs) = (Instant::now(), Duration::MAX, 0);
    while runs < 3 || start.elapsed().as_secs_f64() < seconds {
        let start = Instant::now();
        run()?;
        least = least.min(start.elapsed());
        runs += 1;
    }
    Ok(least.as_secs_f64() * 1e3)
}

fn main() -> Result<()> {
    // cargo passes `--bench`
    let filter = env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let seconds = env::var("GPU_SECS").ok().and_then(|s| s.parse().ok()).unwrap_or(0.5);
    let gpu = Wgpu::best()?;
    println!("{}", gpu.info());
    println!("| case | Cpu, ms | Wgpu, ms | kernels | MB |");
    println!("| --- | --- | --- | --- | --- |");
    let both = cases::<Cpu>().into_iter().zip(cases::<Wgpu>());
    for ((name, on_cpu), (_, on_gpu)) in both.filter(|((name, _), _)| name.contains(&filter)) {
        let cpu = least(&mut on_cpu(&Cpu)?, seconds)?;
        let mut run = on_gpu(&gpu)?;
        let time = least(&mut run, seconds)?;
        let before = gpu.counters();
        run()?;
        let after = gpu.counters();
        let (kernels, bytes) = (after.kernels - before.kernels, after.bytes - before.bytes);
        println!("| {name} | {cpu:.3} | {time:.3} | {kernels} | {:.3} |", bytes as f64 / 1e6);
    }
    Ok(())
}
