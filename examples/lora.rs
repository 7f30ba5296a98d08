//! Fine-tuning with LoRA: a perceptron that reads digits learns to read them lying on their side, by a few numbers beside
//! its weights: 96 % of them, of which it read 11 %, by 22,736 numbers beside 669,706.
//!
//!     cargo run --release --example lora
//!
//! Hu et al., [LoRA: low-rank adaptation of large language models](https://arxiv.org/abs/2106.09685), 2021.
mod common;

use clap::Parser;
use common::{Stack, progress};
use firesteel::{
    data::{DataLoader, Dataset, Mnist},
    nn::{CrossEntropyLoss, Flatten, Linear, ReLU, Sequential, parametrize::lora},
    optim::{Adam, Optimizer},
    prelude::*,
};
use std::path::PathBuf;

/// Trains on MNIST, and then by LoRA on MNIST lying on its side.
#[derive(Parser)]
struct Options {
    /// The machine to train on
    #[arg(long, default_value = "cpu")]
    backend: Any,
    /// How often to go through the training set, upright and on its side
    #[arg(long, default_value_t = 2)]
    epochs: u64,
    /// The rank of what is learned beside each weight
    #[arg(long, default_value_t = 8)]
    rank: usize,
    /// How much it counts: α
    #[arg(long, default_value_t = 16.0)]
    alpha: f64,
    /// Where the four files of MNIST are
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist"))]
    data: PathBuf,
}

type Perceptron = Sequential<(Flatten, Linear<Stack>, ReLU, Linear<Stack>, ReLU, Linear<Stack>)>;

fn main() -> Result<()> {
    let options = Options::parse();
    let device: Stack = Autodiff::new(options.backend.clone());
    device.generator().manual_seed(0);
    let data = Data {
        train: DataLoader::new(Mnist::train(&options.data)?, 128)?.shuffle(0).num_workers(1),
        test: DataLoader::new(Mnist::test(&options.data)?, 500)?,
        epochs: options.epochs,
        device: device.clone(),
    };
    let mut model: Perceptron = Sequential((
        Flatten::default(),
        Linear::new(784, 512, &device)?,
        ReLU,
        Linear::new(512, 512, &device)?,
        ReLU,
        Linear::new(512, 10, &device)?,
    ));
    data.train(&mut model, 1e-3, &upright)?;
    let (standing, lying) = (data.accuracy(&model, &upright)?, data.accuracy(&model, &on_its_side)?);
    println!(
        "{} parameters read {standing:.1} % of upright digits, {lying:.1} % of those on their side",
        model.num_parameters()
    );

    let mut adapted = lora(model.clone(), |name| name.ends_with("weight"), options.rank, options.alpha)?;
    let learned: usize = adapted.parameters().iter().filter(|p| p.is_trainable()).map(|p| p.numel()).sum();
    data.train(&mut adapted, 2e-3, &on_its_side)?;
    // the model with what it has learned, which is as large and as fast as it was
    let merged = adapted.remove_parametrizations()?;
    println!("{learned} more read {:.1} % of those on their side", data.accuracy(&merged, &on_its_side)?);
    println!("the model without them still reads {:.1} % of upright ones", data.accuracy(&model, &upright)?);
    Ok(())
}

fn upright(images: &Tensor) -> Result<Tensor> {
    Ok(images.clone())
}

/// A quarter of a turn.
fn on_its_side(images: &Tensor) -> Result<Tensor> {
    images.rot90(1, [2, 3])
}

/// How images lie.
type Turn<'a> = &'a dyn Fn(&Tensor) -> Result<Tensor>;

struct Data {
    train: DataLoader<Mnist>,
    test: DataLoader<Mnist>,
    epochs: u64,
    device: Stack,
}

impl Data {
    fn train(&self, model: &mut impl Layer<Stack>, lr: f64, turn: Turn) -> Result<()> {
        let mut optimizer = Adam::new(lr);
        let bar = progress(self.epochs * self.train.len() as u64)?;
        for epoch in 0..self.epochs {
            for batch in self.train.iter(epoch, &self.device) {
                let (images, labels) = batch?;
                let loss = CrossEntropyLoss::default().forward(&model.forward(&turn(&images)?)?, &labels)?;
                optimizer.step(model, &loss.backward()?)?;
                bar.set_message(format!("loss {:.3}", loss.item::<f32>()?));
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// How many of a hundred test digits are read right.
    fn accuracy(&self, model: &impl Layer<Stack>, turn: Turn) -> Result<f64> {
        let mut right = 0;
        for batch in self.test.iter(0, &self.device) {
            let (images, labels) = batch?;
            let guesses = no_grad(|| model.forward(&turn(&images)?))?.argmax(1)?;
            right += guesses.eq(&labels)?.sum(..)?.item::<i64>()?;
        }
        Ok(100. * right as f64 / self.test.dataset().len() as f64)
    }
}
