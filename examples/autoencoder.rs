//! An autoencoder: digits of MNIST through 16 numbers and back, with a mean squared error of 0.012 after five epochs.
//!
//!     cargo run --release --example autoencoder
//!     cargo run --release --example autoencoder --features vision -- --picture target/digits.png
//!
//! Hinton and Salakhutdinov, [Reducing the dimensionality of data with neural
//! networks](https://doi.org/10.1126/science.1127647), 2006.
mod common;

use clap::Parser;
use common::{Stack, progress};
use firesteel::{
    data::{DataLoader, Dataset, Mnist, mnist},
    nn::{Flatten, Linear, MSELoss, ReLU, Sequential, Sigmoid, Unflatten},
    optim::{Adam, Optimizer},
    prelude::*,
};
use std::path::PathBuf;

/// `(n, 1, 28, 28) -> (n, code)`
type Encoder<B> = Sequential<(Flatten, Linear<B>, ReLU, Linear<B>)>;

/// `(n, code) -> (n, 1, 28, 28)`
type Decoder<B> = Sequential<(Linear<B>, ReLU, Linear<B>, Sigmoid, Unflatten)>;

/// Images `(n, 1, 28, 28)` of pixels in `[0, 1]`, as few numbers and back.
#[derive(Module)]
struct Autoencoder<B: Backend> {
    encoder: Encoder<B>,
    decoder: Decoder<B>,
}

impl<B: Backend> Autoencoder<B> {
    fn new(code: usize, device: &B) -> Result<Self> {
        let linear = |inputs, outputs| Linear::new(inputs, outputs, device);
        Ok(Self {
            encoder: Sequential((Flatten::default(), linear(784, 256)?, ReLU, linear(256, code)?)),
            decoder: Sequential((
                linear(code, 256)?,
                ReLU,
                linear(256, 784)?,
                Sigmoid,
                Unflatten::new(1, [1, 28, 28]),
            )),
        })
    }

    fn forward(&self, images: &Tensor<B>) -> Result<Tensor<B>> {
        self.decoder.forward(&self.encoder.forward(images)?)
    }
}

/// Trains an autoencoder on MNIST.
#[derive(Parser)]
struct Options {
    /// The machine to train on
    #[arg(long, default_value = "cpu")]
    backend: Any,
    /// How often to go through the training set
    #[arg(long, default_value_t = 5)]
    epochs: u64,
    /// How many numbers a digit becomes
    #[arg(long, default_value_t = 16)]
    code: usize,
    /// Adam's learning rate
    #[arg(long, default_value_t = 0.002)]
    lr: f64,
    /// Where to draw digits, and below what becomes of them; needs the feature `vision`
    #[arg(long)]
    picture: Option<PathBuf>,
    /// Where the four files of MNIST are
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist"))]
    data: PathBuf,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let device: Stack = Autodiff::new(options.backend.clone());
    device.generator().manual_seed(0);
    let train = DataLoader::new(Mnist::train(&options.data)?, 128)?.shuffle(0).num_workers(1);
    let test = DataLoader::new(Mnist::test(&options.data)?, 500)?;

    let mut model = Autoencoder::new(options.code, &device)?;
    let mut optimizer = Adam::new(options.lr);
    for epoch in 0..options.epochs {
        let bar = progress(train.len() as u64)?;
        for batch in train.iter(epoch, &device) {
            let images = pixels(&batch?.0)?;
            let loss = MSELoss::default().forward(&model.forward(&images)?, &images)?;
            optimizer.step(&mut model, &loss.backward()?)?;
            bar.set_message(format!("loss {:.4}", loss.item::<f32>()?));
            bar.inc(1);
        }
        bar.finish_and_clear();

        let mut sum = 0.;
        for batch in test.iter(0, &device) {
            let images = pixels(&batch?.0)?;
            let back = no_grad(|| model.forward(&images))?;
            sum += MSELoss::default().forward(&back, &images)?.item::<f64>()? * images.size(0)? as f64;
        }
        println!(
            "epoch {}: mean squared error {:.4} on test digits",
            epoch + 1,
            sum / test.dataset().len() as f64
        );
    }

    let some = DataLoader::new(Mnist::test(&options.data)?, 6)?;
    for batch in some.iter(0, &device).take(1) {
        let images = pixels(&batch?.0)?;
        let back = no_grad(|| model.forward(&images))?;
        // (rows, columns): the digits side by side, and what became of them below
        let row = |images: &Tensor| images.squeeze(1)?.permute([1, 0, 2])?.reshape([28, -1]);
        let page = Tensor::cat(&[&row(&images)?, &row(&back)?], 0)?;
        match &options.picture {
            None => print(&page)?,
            Some(path) => draw(path, &page)?,
        }
    }
    Ok(())
}

/// Normalised images as pixels in `[0, 1]` again.
fn pixels(images: &Tensor) -> Result<Tensor> {
    ((images * f64::from(mnist::STD))? + f64::from(mnist::MEAN))?.clamp(0.0, 1.0)
}

/// Two rows of pixels to a line of text, which is about twice as high as wide.
fn print(page: &Tensor) -> Result<()> {
    const SHADES: [char; 5] = [' ', '.', '+', '#', '@'];
    for pair in page.to_rows::<f32>()?.chunks(2) {
        let shade = |(a, b): (&f32, &f32)| SHADES[((a + b) / 2. * 4.99) as usize];
        println!("{}", pair[0].iter().zip(&pair[1]).map(shade).collect::<String>());
    }
    Ok(())
}

#[cfg(feature = "vision")]
fn draw(path: &std::path::Path, page: &Tensor) -> Result<()> {
    let grey = (page * 255.0)?.to(DType::U8)?;
    let colours = grey.unsqueeze(0)?.expand([3, grey.size(0)?, grey.size(1)?])?;
    firesteel::vision::write_image(path, &colours.to_data()?)?;
    println!("drew {}", path.display());
    Ok(())
}

#[cfg(not(feature = "vision"))]
fn draw(_: &std::path::Path, _: &Tensor) -> Result<()> {
    Err(Error::unsupported("autoencoder", "this build draws no pictures: add `--features vision`"))
}
