//! An LSTM that learns to write like Melville, letter by letter.
//!
//!     cargo run --release --example char_rnn
//!
//! PyTorch's tutorial: <https://docs.pytorch.org/tutorials/intermediate/char_rnn_generation_tutorial.html>
mod common;

use clap::Parser;
use common::{Book, Stack, progress};
use firesteel::{
    nn::{CrossEntropyLoss, Embedding, LSTM, Linear, RnnOptions},
    optim::{
        Adam, Optimizer, clip_grad_norm,
        lr_scheduler::{CosineAnnealingLR, LrScheduler, Schedule},
    },
    prelude::*,
};
use std::time::Instant;

/// Scores for the next letter, and what is remembered of those before: `(n, len) -> (n, len, letters)`.
#[derive(Module)]
struct CharRnn<B: Backend> {
    embed: Embedding<B>,
    lstm: LSTM<B>,
    head: Linear<B>,
}

/// The hidden state and the cell.
type Memory = (Tensor, Tensor);

impl CharRnn<Stack> {
    fn new(letters: usize, hidden: usize, device: &Stack) -> Result<Self> {
        let options = RnnOptions { batch_first: true, ..Default::default() };
        Ok(Self {
            embed: Embedding::new(letters, 64, device)?,
            lstm: LSTM::with_options(64, hidden, options, device)?,
            head: Linear::new(hidden, letters, device)?,
        })
    }

    fn forward(&self, letters: &Tensor, memory: Option<&Memory>) -> Result<(Tensor, Memory)> {
        let (y, memory) = self.lstm.forward(&self.embed.forward(letters)?, memory)?;
        Ok((self.head.forward(&y)?, memory))
    }
}

/// Trains a recurrent net on Moby-Dick.
#[derive(Parser)]
struct Options {
    /// The machine to train on
    #[arg(long, default_value = "cpu")]
    backend: Any,
    /// How many batches to learn from
    #[arg(long, default_value_t = 400)]
    steps: usize,
    /// Passages of one batch
    #[arg(long, default_value_t = 32)]
    batch_size: usize,
    /// Letters of a passage
    #[arg(long, default_value_t = 64)]
    len: usize,
    /// Features of the hidden state
    #[arg(long, default_value_t = 256)]
    hidden: usize,
    /// Adam's learning rate, which falls to zero along a cosine
    #[arg(long, default_value_t = 0.004)]
    lr: f64,
    /// Determines the weights, the passages and what is written
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let device = Autodiff::new(options.backend.clone());
    device.generator().manual_seed(options.seed);
    let book = Book::open(&device)?;
    let mut model = CharRnn::new(book.letters(), options.hidden, &device)?;
    println!("{} parameters on {}", model.num_parameters(), options.backend);

    let mut optimizer = Adam::new(options.lr);
    let mut schedule = CosineAnnealingLR::new(options.steps).start(&mut optimizer)?;
    let (start, bar) = (Instant::now(), progress(options.steps as u64)?);
    for _ in 0..options.steps {
        let (letters, next) = book.batch(options.batch_size, options.len)?;
        let loss = loss(&model, &letters, &next)?;
        let mut gradients = loss.backward()?;
        clip_grad_norm(&model, &mut gradients, 1.0, Default::default())?;
        optimizer.step(&mut model, &gradients)?;
        schedule.step(&mut optimizer)?;
        bar.set_message(format!("loss {:.3}", loss.item::<f32>()?));
        bar.inc(1);
    }
    bar.finish_and_clear();

    let (letters, next) = book.held_out(64, options.len)?;
    let reached = no_grad(|| loss(&model, &letters, &next))?.item::<f64>()?;
    // 1.87, as PyTorch 2.15 with the same settings
    println!("loss {reached:.3} on the rest of the book, after {:.0?}", start.elapsed());
    println!("{}", no_grad(|| write(&model, &book, "\nCall me ", 400))?);
    Ok(())
}

fn loss(model: &CharRnn<Stack>, letters: &Tensor, next: &Tensor) -> Result<Tensor> {
    let (scores, _) = model.forward(letters, None)?;
    CrossEntropyLoss::default().forward(&scores.flatten(0, 1)?, &next.flatten(0, 1)?)
}

/// Goes on from a beginning, one letter at a time, with what is remembered of those before.
fn write(model: &CharRnn<Stack>, book: &Book, begin: &str, len: usize) -> Result<String> {
    let mut text = begin.to_owned();
    let (mut scores, mut memory) = model.forward(&book.read(begin)?, None)?;
    for _ in 0..len {
        let letter = book.draw(&scores.select(1, -1)?.select(0, 0)?)?;
        text.push(letter);
        (scores, memory) = model.forward(&book.read(letter.encode_utf8(&mut [0; 4]))?, Some(&memory))?;
    }
    Ok(text)
}
