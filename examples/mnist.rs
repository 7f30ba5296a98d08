//! Trains a small convolutional network on all of MNIST, on the CPU and with nothing installed, or on a GPU.
//!
//!     cargo run --release --example mnist
//!     cargo run --release --example mnist -- --epochs 5 --lr 0.001 --resume
//!     cargo run --release --example mnist --features wgpu -- --backend wgpu
use clap::Parser;
use firesteel::{
    ConvOptions,
    data::{DataLoader, Dataset, Mnist, mnist},
    io::Checkpoint,
    nn::{
        BatchNorm2d, Conv2d, CrossEntropyLoss, Dropout, Flatten, Layer, Linear, MaxPool2d, ReLU, Sequential,
    },
    optim::{Adam, Optimizer, Rates},
    prelude::*,
};
use indicatif::{ProgressBar, ProgressStyle};
use std::{path::PathBuf, time::Instant};

/// What a convolutional network sees in a digit: `(n, 1, 28, 28) -> (n, 32 · 7 · 7)`.
type Features<B> = Sequential<(
    Conv2d<B>,
    BatchNorm2d<B>,
    ReLU,
    MaxPool2d,
    Conv2d<B>,
    BatchNorm2d<B>,
    ReLU,
    MaxPool2d,
    Flatten,
)>;

/// Which digit that is: `(n, 32 · 7 · 7) -> (n, 10)`.
type Classifier<B> = Sequential<(Linear<B>, ReLU, Dropout<B>, Linear<B>)>;

/// A small convolutional network for digits: `(n, 1, 28, 28) -> (n, 10)`.
#[derive(Module)]
pub struct Net<B: Backend> {
    features: Features<B>,
    classifier: Classifier<B>,
}

impl<B: Backend> Net<B> {
    /// Its weights are drawn from the device's generator.
    pub fn new(device: &B) -> Result<Self> {
        let same = || ConvOptions { padding: 1.into(), ..Default::default() };
        Ok(Self {
            features: Sequential((
                Conv2d::with_options(1, 16, 3, same(), device)?,
                BatchNorm2d::new(16, device)?,
                ReLU,
                MaxPool2d::new(2),
                Conv2d::with_options(16, 32, 3, same(), device)?,
                BatchNorm2d::new(32, device)?,
                ReLU,
                MaxPool2d::new(2),
                Flatten::default(),
            )),
            classifier: Sequential((
                Linear::new(32 * 7 * 7, 128, device)?,
                ReLU,
                Dropout::new(0.25)?,
                Linear::new(128, 10, device)?,
            )),
        })
    }

    /// A score for each of the ten digits.
    pub fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        self.classifier.forward(&self.features.forward(x)?)
    }
}

/// Adam's, as PyTorch has it.
pub const LEARNING_RATE: f64 = 0.001;

/// Trains a small convolutional network on MNIST.
#[derive(Parser)]
struct Options {
    /// The machine to train on
    #[arg(long, default_value = "cpu")]
    backend: Any,
    /// How often to go through the training set
    #[arg(long, default_value_t = 3)]
    epochs: u64,
    /// Examples of one step
    #[arg(long, default_value_t = 64)]
    batch_size: usize,
    /// Adam's learning rate; it falls to a tenth over the epochs
    #[arg(long, default_value_t = LEARNING_RATE)]
    lr: f64,
    /// Determines the weights, the order of the examples and what dropout drops
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Goes on from the last finished epoch of an earlier run
    #[arg(long)]
    resume: bool,
    /// Where the weights and the state of the optimizer are kept
    #[arg(long, default_value = "target/mnist.pth")]
    checkpoint: PathBuf,
    /// Where the four files of MNIST are
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist"))]
    data: PathBuf,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let device = Autodiff::new(options.backend.clone());
    device.generator().manual_seed(options.seed);

    let train = DataLoader::new(Mnist::train(&options.data)?, options.batch_size)?;
    let train = train.shuffle(options.seed).drop_last().num_workers(1);
    let test = DataLoader::new(Mnist::test(&options.data)?, 500)?.num_workers(1);

    let mut model = Net::new(&device)?;
    let mut optimizer = Adam::new(options.lr);
    let mut epoch = 0;
    if options.resume {
        epoch = resume(&options, &mut model, &mut optimizer)?;
        println!("going on after epoch {epoch}");
    }
    println!("{} parameters on {}", model.num_parameters(), options.backend);

    while epoch < options.epochs {
        optimizer.set_lr(options.lr * 0.1f64.powf(epoch as f64 / options.epochs as f64));
        train_epoch(&mut model, &mut optimizer, &train, epoch, &device)?;
        epoch += 1;
        println!(
            "epoch {epoch}: {:.2} % of the test digits are read right",
            100. * accuracy(&model, &test, &device)?
        );
        save(&options, &model, &optimizer, epoch)?;
    }
    println!("saved {}", options.checkpoint.display());
    show(&model, test.dataset(), &device)
}

type Stack = Autodiff<Any>;

fn train_epoch(
    model: &mut Net<Stack>,
    optimizer: &mut Adam<Stack>,
    loader: &DataLoader<Mnist>,
    epoch: u64,
    device: &Stack,
) -> Result<()> {
    model.train();
    let style = ProgressStyle::with_template("{prefix} {bar:32} {pos}/{len} {msg}");
    let style = style.map_err(|e| Error::value("progress", e.to_string()))?;
    let bar =
        ProgressBar::new(loader.len() as u64).with_style(style).with_prefix(format!("epoch {}", epoch + 1));
    let (start, mut seen, mut smooth) = (Instant::now(), 0, None);
    for batch in loader.iter(epoch, device) {
        let (images, labels) = batch?;
        let loss = CrossEntropyLoss::default().forward(&model.forward(&images)?, &labels)?;
        optimizer.step(model, &loss.backward()?)?;

        seen += images.shape()[0];
        let now = loss.item::<f64>()?;
        let average = smoothed(smooth, now);
        smooth = Some(average);
        bar.set_message(format!(
            "loss {average:.4}  {:.0} digits/s",
            seen as f64 / start.elapsed().as_secs_f64()
        ));
        bar.inc(1);
    }
    bar.finish_and_clear();
    println!(
        "epoch {}: loss {:.4}, {:.0} digits/s",
        epoch + 1,
        smooth.unwrap_or(f64::NAN),
        seen as f64 / start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The loss as the progress bar shows it: a running average, in which single batches count little.
pub fn smoothed(before: Option<f64>, now: f64) -> f64 {
    before.map_or(now, |before| 0.98 * before + 0.02 * now)
}

/// The part of the digits that are read right.
fn accuracy(model: &Net<Stack>, loader: &DataLoader<Mnist>, device: &Stack) -> Result<f64> {
    model.eval();
    let mut right = 0;
    for batch in loader.iter(0, device) {
        let (images, labels) = batch?;
        let guesses = no_grad(|| model.forward(&images))?.argmax(1)?;
        right += guesses.eq(&labels)?.sum(..)?.item::<i64>()?;
    }
    Ok(right as f64 / loader.dataset().len() as f64)
}

/// Writes everything that a later run needs to go on exactly.
fn save(options: &Options, model: &Net<Stack>, optimizer: &Adam<Stack>, epoch: u64) -> Result<()> {
    let random = Some(options.backend.generator().state());
    let (model, optimizer) = (model.state_dict()?, optimizer.state_dict(model)?);
    Checkpoint { epoch, random, model, optimizer, ..Default::default() }.save(&options.checkpoint)
}

/// Reads what `save` wrote; gives the number of finished epochs.
fn resume(options: &Options, model: &mut Net<Stack>, optimizer: &mut Adam<Stack>) -> Result<u64> {
    let checkpoint = Checkpoint::load(&options.checkpoint)?;
    model.load_state_dict(&checkpoint.model)?;
    optimizer.load_state_dict(model, &checkpoint.optimizer)?;
    checkpoint.restore_random(&options.backend);
    Ok(checkpoint.epoch)
}

/// Draws a few test digits, each under what the model reads in it.
fn show(model: &Net<Stack>, digits: &Mnist, device: &Stack) -> Result<()> {
    const SHADES: [char; 5] = [' ', '.', '+', '#', '@'];
    let chosen = [0, 1, 2, 3, 4];
    let loader =
        DataLoader::new(firesteel::data::Subset::new(digits.clone(), chosen.to_vec())?, chosen.len())?;
    for batch in loader.iter(0, device) {
        let (images, labels) = batch?;
        let guesses = no_grad(|| model.forward(&images))?.argmax(1)?.to_vec::<i64>()?;
        for (guess, label) in guesses.iter().zip(labels.to_vec::<i64>()?) {
            print!("{:<29}", format!("read {guess}, is {label}"));
        }
        println!();
    }
    // two rows of pixels to a line of text, which is about twice as high as wide
    for row in (0..mnist::SIDE).step_by(2) {
        for index in chosen {
            let pixels = digits.pixels(index)?;
            for column in 0..mnist::SIDE {
                let at = |row: usize| usize::from(pixels[row * mnist::SIDE + column]);
                print!("{}", SHADES[(at(row) + at(row + 1)) * (SHADES.len() - 1) / 510]);
            }
            print!(" ");
        }
        println!();
    }
    Ok(())
}
