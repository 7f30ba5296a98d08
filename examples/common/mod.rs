//! What several examples share: a bar of progress, and a book to learn to write from.
#![allow(dead_code)] // each example uses its part

use firesteel::{Replacement, prelude::*, text::Vocabulary};
use indicatif::{ProgressBar, ProgressStyle};

/// Whichever machine was chosen, with gradients.
pub type Stack = Autodiff<Any>;

/// A bar for so many steps, which says how long they still take.
pub fn progress(steps: u64) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:32} {pos}/{len} {msg}  {eta} left");
    Ok(ProgressBar::new(steps).with_style(style.map_err(|e| Error::value("progress", e.to_string()))?))
}

/// Herman Melville's *Moby-Dick*, letter by letter: nine tenths to learn from, and the rest to test with.
pub struct Book {
    letters: Vocabulary<char>,
    train: Tensor,
    test: Tensor,
}

impl Book {
    pub fn open(device: &Stack) -> Result<Self> {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/data/text/moby-dick.txt"))?;
        let letters = Vocabulary::build(text.chars(), [], 1)?;
        let numbers = letters.encode(&text.chars().collect::<Vec<_>>())?;
        let (train, test) = numbers.split_at(numbers.len() * 9 / 10);
        let (train, test) = (Tensor::new(train, device)?, Tensor::new(test, device)?);
        Ok(Self { letters, train, test })
    }

    /// How many letters there are.
    pub fn letters(&self) -> usize {
        self.letters.len()
    }

    /// Passages from anywhere to learn from, and in each place the letter that comes next: `(n, len)` both.
    pub fn batch(&self, n: usize, len: usize) -> Result<(Tensor, Tensor)> {
        let places = (self.train.numel() - len) as i64;
        passages(&self.train, Tensor::randint(0..places, [n], self.train.backend())?, len)
    }

    /// The same passages of the rest each time.
    pub fn held_out(&self, n: usize, len: usize) -> Result<(Tensor, Tensor)> {
        let apart = (self.test.numel() - len - 1) / n;
        passages(&self.test, (Tensor::arange(0..n, self.test.backend())? * apart as i64)?, len)
    }

    /// A text of one line as numbers: `(1, len)`.
    pub fn read(&self, text: &str) -> Result<Tensor> {
        let numbers = self.letters.encode(&text.chars().collect::<Vec<_>>())?;
        Tensor::new(&numbers[..], self.train.backend())?.unsqueeze(0)
    }

    /// Draws the next letter by its scores `(letters)`, less daring than they are.
    pub fn draw(&self, scores: &Tensor) -> Result<char> {
        let chances = (scores / 0.8)?.softmax(-1)?;
        let drawn = chances.multinomial(1, Replacement::With)?.item::<i64>()?;
        Ok(self.letters.decode(&[drawn])?[0])
    }
}

fn passages(text: &Tensor, starts: Tensor, len: usize) -> Result<(Tensor, Tensor)> {
    let places = (starts.unsqueeze(1)? + Tensor::arange(0..len + 1, text.backend())?)?;
    let letters = text.index(&places)?;
    Ok((letters.narrow(1, 0, len)?, letters.narrow(1, 1, len)?))
}
