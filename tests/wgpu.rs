//! Training on a GPU: it learns what the processor learns, by itself, and in memory that does not grow.
#![cfg(feature = "wgpu")]
#![allow(clippy::unwrap_used)] // a test says what is wrong by panicking

#[path = "../backends/wgpu/tests/common/driver.rs"]
mod driver;
#[allow(dead_code)] // its program is not run here
#[path = "../examples/mnist.rs"]
mod mnist;

use firesteel::{
    data::{DataLoader, Mnist},
    nn::{
        AttentionMasks, CrossEntropyLoss, Dropout, Embedding, GELU, LSTM, Linear, Sequential,
        TransformerEncoderLayer, TransformerOptions,
    },
    optim::{Adam, AdamW, Optimizer, SGD},
    prelude::*,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The first GPU, and nobody else on it: what is counted and drawn is what a test does.
fn gpu() -> Result<(MutexGuard<'static, ()>, Wgpu)> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    driver::install();
    Ok((alone, Wgpu::best()?))
}

/// The loss curve of the example's first steps, as its progress bar shows it.
fn losses(machine: impl Into<Any>, steps: usize) -> Result<Vec<f64>> {
    let device = Autodiff::new(machine.into());
    device.generator().manual_seed(0);
    let digits = Mnist::train(concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist"))?;
    let loader = DataLoader::new(digits, 64)?.shuffle(0);
    let (mut model, mut optimizer) = (mnist::Net::new(&device)?, Adam::new(0.002));
    let mut smooth = None;
    let step = |batch: Result<(Tensor<_>, Tensor<_>)>| {
        let (images, labels) = batch?;
        let loss = CrossEntropyLoss::default().forward(&model.forward(&images)?, &labels)?;
        optimizer.step(&mut model, &loss.backward()?)?;
        let average = mnist::smoothed(smooth, loss.item()?);
        smooth = Some(average);
        Ok(average)
    };
    loader.iter(0, &device).take(steps).map(step).collect()
}

/// Weights and what dropout drops are the same, as random numbers are. Sums are made in another order, from which
/// the losses of single batches part by a few thousandths within a hundred steps: the curve is compared.
#[test]
fn the_gpu_learns_what_the_processor_learns() -> Result<()> {
    let (_alone, gpu) = gpu()?;
    let (got, want) = (losses(gpu, 100)?, losses(Cpu, 100)?);
    let apart = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0., f64::max);
    println!("losses are {apart:e} apart at most");
    assert!(apart < 1e-3, "{apart}: {got:?} is not {want:?}");
    assert!(got[99] < got[0] / 2., "{got:?}");
    Ok(())
}

type Stack = Autodiff<Wgpu>;

/// Words in a row, each as an LSTM sees it.
#[derive(Module)]
struct Reader<B: Backend> {
    words: Embedding<B>,
    lstm: LSTM<B>,
}

/// Runs steps of training, in which nothing may go through the host, and no memory may be added after the first.
fn steps<M: Module<Stack>>(
    count: usize,
    gpu: Wgpu,
    mut model: M,
    mut optimizer: impl Optimizer<Stack>,
    forward: impl Fn(&M) -> Result<Tensor<Stack>>,
) -> Result<()> {
    let mut step = || {
        let gradients = forward(&model)?.square()?.mean(..)?.backward()?;
        optimizer.step(&mut model, &gradients)
    };
    (0..3).try_for_each(|_| step())?;
    gpu.synchronize()?;
    let (counters, memory) = (gpu.counters(), gpu.memory());
    (0..count).try_for_each(|_| step())?;
    gpu.synchronize()?;
    let after = gpu.counters();
    assert!(after.kernels > counters.kernels);
    assert_eq!(after.uploads, counters.uploads, "the host wrote something");
    assert_eq!(after.downloads, counters.downloads, "the host read something");
    assert_eq!(after.shaders, counters.shaders, "the same steps took new shaders");
    assert_eq!(gpu.memory().reserved, memory.reserved);
    Ok(())
}

#[test]
fn nothing_of_a_training_step_runs_on_the_host() -> Result<()> {
    let (_alone, gpu) = gpu()?;
    let device = Stack::new(gpu);
    let images = Tensor::randn([4, 1, 28, 28], &device)?;
    steps(2, gpu, mnist::Net::new(&device)?, Adam::new(1e-3), |net| net.forward(&images))?;
    let x = Tensor::randn([2, 6, 16], &device)?;
    let layer = TransformerEncoderLayer::new(16, 4, TransformerOptions::default(), &device)?;
    steps(2, gpu, layer, AdamW::new(1e-3), |layer| layer.forward(&x, AttentionMasks::default()))?;
    let reader = Reader { words: Embedding::new(5, 16, &device)?, lstm: LSTM::new(16, 8, &device)? };
    let words = Tensor::new([[1, 2, 3], [0, 3, 3]], &device)?;
    steps(2, gpu, reader, SGD::new(0.1).momentum(0.9), |reader| {
        Ok(reader.lstm.forward(&reader.words.forward(&words)?, None)?.0)
    })
}

#[test]
fn memory_is_flat_over_ten_thousand_training_steps() -> Result<()> {
    let (_alone, gpu) = gpu()?;
    let device = Stack::new(gpu);
    let x = Tensor::randn([8, 4], &device)?;
    let net = Sequential((
        Linear::new(4, 16, &device)?,
        GELU::default(),
        Dropout::new(0.1)?,
        Linear::new(16, 2, &device)?,
    ));
    steps(10_000, gpu, net, Adam::new(1e-3), |net| net.forward(&x))
}
