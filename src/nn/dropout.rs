//! Elements that training takes away at random.
use super::{Layer, Mode, Module};
use crate::{Backend, DropoutOptions, Error, Result, Tensor};
use std::marker::PhantomData;

/// In training, zeroes each element with probability `p` and divides the others by `1 - p`; in evaluation,
/// nothing. <https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html>
///
/// ```
/// use firesteel::{nn::{Dropout, Layer, Module}, prelude::*};
/// let (dropout, x) = (Dropout::new(0.5)?, Tensor::ones([100], &Cpu)?);
/// assert!(dropout.forward(&x)?.to_vec::<f32>()?.iter().all(|&y| y == 0. || y == 2.));
/// dropout.eval();
/// assert_eq!(dropout.forward(&x)?.to_vec::<f32>()?, x.to_vec::<f32>()?);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct Dropout<B: Backend> {
    p: f64,
    training: Mode,
    backend: PhantomData<B>,
}

impl<B: Backend> Dropout<B> {
    /// Takes elements away with probability `p`, which lies in `[0, 1]`.
    #[track_caller]
    pub fn new(p: f64) -> Result<Self> {
        if !(0. ..=1.).contains(&p) {
            return Err(Error::value("dropout", format!("a probability lies in [0, 1], and {p} does not")));
        }
        Ok(Self { p, training: Mode::default(), backend: PhantomData })
    }
}

impl<B: Backend> Layer<B> for Dropout<B> {
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        x.dropout(DropoutOptions { p: self.p, training: self.training.training() })
    }
}
