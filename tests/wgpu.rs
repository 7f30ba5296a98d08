//! Training on a GPU: it learns what the processor learns, by itself, and in memory that does not grow.
#![cfg(feature = "wgpu")]
#![allow(clippy::unwrap_used)] // a test says what is wrong by panicking

#[path = "../backends/wgpu/tests/common/driver.rs"]
mod driver;
#[allow(dead_code)] // its program is not run here
#[path = "../examples/mnist.rs"]
mod mnist;

use firesteel::{
    Meta, Trace,
    data::{DataLoader, Mnist},
    io::{Graph, Limits},
    nn::{
        AttentionMasks, BatchNorm2d, Conv2d, CrossEntropyLoss, Dropout, Embedding, Flatten, GELU, LSTM,
        Linear, MaxPool2d, ReLU, Sequential, TransformerEncoderLayer, TransformerOptions,
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
    let (mut model, mut optimizer) = (mnist::Net::new(&device)?, Adam::new(mnist::LEARNING_RATE));
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

/// Weights and what dropout drops are the same, as random numbers are. Sums are made in another order, from which curves
/// part: those of one processor whose images differ by the last bit of F32 by up to 2.3e-4 within a hundred steps.
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

/// Attention over words, and an LSTM over what it makes of them.
#[derive(Module)]
struct Writer<B: Backend> {
    reader: Reader<B>,
    attention: TransformerEncoderLayer<B>,
    head: Linear<B>,
}

impl<B: Backend> Writer<B> {
    fn new(device: &B) -> Result<Self> {
        let options =
            TransformerOptions { dim_feedforward: 16, batch_first: true, dropout: 0., ..Default::default() };
        let mut writer = Self {
            reader: Reader { words: Embedding::new(11, 8, device)?, lstm: LSTM::new(8, 8, device)? },
            attention: TransformerEncoderLayer::new(8, 2, options, device)?,
            head: Linear::new(8, 11, device)?,
        };
        writer.head.weight = writer.reader.words.weight.clone();
        Ok(writer)
    }

    fn forward(&self, words: &Tensor<B>) -> Result<Tensor<B>> {
        let x = self.reader.words.forward(words)?;
        let masks = AttentionMasks { is_causal: true, ..Default::default() };
        let x = self.attention.forward(&x, masks)?.transpose(0, 1)?;
        self.head.forward(&self.reader.lstm.forward(&x, None)?.0.transpose(0, 1)?)
    }
}

/// Whether both hold nearly the same numbers.
#[track_caller]
fn near<A: Backend, B: Backend>(got: &Tensor<A>, want: &Tensor<B>) -> Result<()> {
    assert_eq!((got.shape(), got.dtype()), (want.shape(), want.dtype()));
    let (got, want) = (got.to_vec::<f32>()?, want.to_vec::<f32>()?);
    let apart = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0., f32::max);
    assert!(apart < 1e-4, "{apart}: {got:?} is not {want:?}");
    Ok(())
}

#[test]
fn a_model_without_its_code_runs_on_the_gpu() -> Result<()> {
    let (_alone, gpu) = gpu()?;
    let net = Sequential((
        Conv2d::new(1, 4, 3, &Cpu)?,
        BatchNorm2d::new(4, &Cpu)?,
        ReLU,
        MaxPool2d::new(2),
        Dropout::new(0.5)?,
        Flatten::default(),
        Linear::new(36, 12, &Cpu)?,
        GELU::default(),
        Linear::new(12, 3, &Cpu)?,
    ));
    // running statistics that are not those of the start
    net.forward(&Tensor::randn([8, 1, 8, 8], &Cpu)?)?;
    net.eval();
    let file = Graph::of(&net, [1, 8, 8], &Cpu)?.to_bytes()?;
    let graph = Graph::from_bytes(&file, &gpu, Limits::default())?;
    for batch in [2, 1, 7] {
        let x = Tensor::randn([batch, 1, 8, 8], &Cpu)?;
        near(&graph.forward(&x.to(&gpu)?)?, &net.forward(&x)?)?;
    }
    // what is written on the GPU is the same file, and comes back
    let on_gpu = net.to(&gpu)?;
    let written = Graph::of(&on_gpu, [1, 8, 8], &gpu)?;
    assert_eq!(written.to_bytes()?, file);
    let x = Tensor::randn([3, 1, 8, 8], &Cpu)?;
    near(&written.to(&Cpu)?.forward(&x)?, &net.forward(&x)?)?;

    // two open sizes, whole numbers, and weights that are learned further, tied ones as one
    let writer = Writer::new(&Cpu)?;
    let words = |[batch, time]: [usize; 2]| vec![Meta::new([batch, time], DType::I64)];
    let forward = |writer: &Writer<Trace>, x: &[Tensor<Trace>]| Ok(vec![writer.forward(&x[0])?]);
    let file = Graph::trace(&writer, [("batch", 2), ("time", 3)], words, forward, &Cpu)?.to_bytes()?;
    let device = Stack::new(gpu);
    let mut graph = Graph::from_bytes(&file, &device, Limits::default())?;
    assert_eq!(graph.num_parameters(), writer.num_parameters());
    for (batch, time) in [(1, 1), (3, 9), (2, 4)] {
        let x = Tensor::arange(0..batch * time, &Cpu)?.reshape([batch, time])?.remainder(11)?;
        near(&graph.call(&[&x.to(&device)?])?[0], &writer.forward(&x)?)?;
    }
    let x = Tensor::new([[1, 2, 3], [10, 9, 8]], &Cpu)?;
    let processor = Autodiff::new(Cpu);
    let mut twin = writer.to(&processor)?;
    for _ in 0..3 {
        let loss = graph.call(&[&x.to(&device)?])?[0].square()?.mean(..)?;
        SGD::new(0.1).step(&mut graph, &loss.backward()?)?;
        let loss = twin.forward(&x.to(&processor)?)?.square()?.mean(..)?;
        SGD::new(0.1).step(&mut twin, &loss.backward()?)?;
    }
    let after = graph.call(&[&x.to(&device)?])?;
    near(&after[0], &twin.forward(&x.to(&processor)?)?)
}
