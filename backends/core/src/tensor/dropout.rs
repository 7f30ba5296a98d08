//! Dropout: elements or whole channels that training takes away at random, by the device's generator.
use super::conv::batched;
use crate::{Backend, Error, Result, Shape, Tensor};
use std::panic::Location;

/// Options of [`Tensor::dropout`] and its kin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropoutOptions {
    /// How likely an element is taken away: in `[0, 1]`.
    pub p: f64,
    /// Whether anything happens at all.
    pub training: bool,
}

impl Default for DropoutOptions {
    fn default() -> Self {
        Self { p: 0.5, training: true }
    }
}

impl From<f64> for DropoutOptions {
    fn from(p: f64) -> Self {
        Self { p, ..Default::default() }
    }
}

impl<B: Backend> Tensor<B> {
    /// Elements zero with probability `p`, the others divided by `1 - p`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html>
    ///
    /// ```
    /// use firesteel::{DropoutOptions, prelude::*};
    /// let x = Tensor::ones([100], &Cpu::default())?;
    /// assert!(x.dropout(0.5)?.to_vec::<f32>()?.iter().all(|&y| y == 0. || y == 2.));
    /// let eval = DropoutOptions { training: false, ..Default::default() };
    /// assert_eq!(x.dropout(eval)?.to_vec::<f32>()?, x.to_vec::<f32>()?);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn dropout(&self, options: impl Into<DropoutOptions>) -> Result<Self> {
        self.drop_out("dropout", options.into(), self.shape(), inverted)
    }

    /// Channels zero with probability `p`, the others divided by `1 - p`: of `(batch, channels, length)` or
    /// `(channels, length)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout1d.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::ones([1, 3, 2], &Cpu::default())?;
    /// let y = x.dropout1d(0.5)?.to_vec::<f32>()?;
    /// assert!(y.chunks(2).all(|channel| channel[0] == channel[1]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn dropout1d(&self, options: impl Into<DropoutOptions>) -> Result<Self> {
        let options = options.into();
        batched("dropout1d", self, 1, |x| x.drop_out("dropout1d", options, &x.channels(), inverted))
    }

    /// Channels zero with probability `p`, the others divided by `1 - p`: of
    /// `(batch, channels, height, width)`. As in PyTorch, three dims are `(batch, channels, length)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout2d.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::ones([1, 3, 1, 2], &Cpu::default())?;
    /// let y = x.dropout2d(0.5)?.to_vec::<f32>()?;
    /// assert!(y.chunks(2).all(|channel| channel[0] == channel[1]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn dropout2d(&self, options: impl Into<DropoutOptions>) -> Result<Self> {
        self.drop_out("dropout2d", options.into(), &self.channels(), inverted)
    }

    /// Channels zero with probability `p`, the others divided by `1 - p`: of
    /// `(batch, channels, depth, height, width)` or `(channels, depth, height, width)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout3d.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::ones([1, 3, 1, 1, 2], &Cpu::default())?;
    /// let y = x.dropout3d(0.5)?.to_vec::<f32>()?;
    /// assert!(y.chunks(2).all(|channel| channel[0] == channel[1]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn dropout3d(&self, options: impl Into<DropoutOptions>) -> Result<Self> {
        let options = options.into();
        batched("dropout3d", self, 3, |x| x.drop_out("dropout3d", options, &x.channels(), inverted))
    }

    /// Elements at the lowest value of [`selu`](Self::selu) with probability `p`, then all scaled and shifted
    /// so that mean 0 and variance 1 stay.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.alpha_dropout.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::ones([100], &Cpu::default())?;
    /// let y = x.alpha_dropout(0.5)?.to_vec::<f32>()?;
    /// assert!(y.iter().all(|y| (y - 1.66559).abs() < 1e-4 || (y + 0.77919).abs() < 1e-4));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn alpha_dropout(&self, options: impl Into<DropoutOptions>) -> Result<Self> {
        self.drop_out("alpha_dropout", options.into(), self.shape(), self_normalised)
    }

    /// [`alpha_dropout`](Self::alpha_dropout) of whole channels: of `(batch, channels, ..)`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.feature_alpha_dropout.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::ones([1, 3, 2], &Cpu::default())?;
    /// let y = x.feature_alpha_dropout(0.5)?.to_vec::<f32>()?;
    /// assert!(y.chunks(2).all(|channel| channel[0] == channel[1]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn feature_alpha_dropout(&self, options: impl Into<DropoutOptions>) -> Result<Self> {
        self.drop_out("feature_alpha_dropout", options.into(), &self.channels(), self_normalised)
    }

    /// Draws once for each element of `drawn`, and gives `kept(p) = (scale, shift, lost)`: `scale · x + shift`
    /// where an element stays, `lost` where it goes.
    #[track_caller]
    fn drop_out(
        &self,
        op: &'static str,
        DropoutOptions { p, training }: DropoutOptions,
        drawn: &Shape,
        kept: impl Fn(f64) -> (f64, f64, f64),
    ) -> Result<Self> {
        if !(0. ..=1.).contains(&p) {
            let why = format!("the probability p has to lie in [0, 1], not {p}");
            return Err(Error::value(op, why).at(Location::caller()));
        }
        if !training || p == 0. {
            return Ok(self.clone());
        }
        let x = self.to_float()?;
        let (scale, shift, lost) = kept(p);
        let stays = x.noise(drawn)?.lazy().ge(p);
        stays.where_(x.lazy() * scale + shift, lost).eval_as(op)
    }

    /// A number for each channel: `(batch, channels, 1, ..)`.
    fn channels(&self) -> Shape {
        self.shape().iter().enumerate().map(|(axis, &n)| if axis < 2 { n } else { 1 }).collect()
    }
}

/// What stays is divided by `1 - p`, so that the mean stays.
fn inverted(p: f64) -> (f64, f64, f64) {
    (if p < 1. { 1. / (1. - p) } else { 0. }, 0., 0.)
}

/// What goes is `-α`, the lowest value of selu; then `a x + b` with `a = 1 / √((1 + α² p) (1 - p))` and
/// `b = a α p` restores mean and variance.
fn self_normalised(p: f64) -> (f64, f64, f64) {
    const ALPHA: f64 = 1.758_099_340_847_376_6;
    if p == 1. {
        return (0., 0., 0.);
    }
    let a = 1. / ((1. + ALPHA * ALPHA * p) * (1. - p)).sqrt();
    (a, a * ALPHA * p, a * ALPHA * (p - 1.))
}
