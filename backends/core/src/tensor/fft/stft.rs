//! Which frequencies are in a signal, over time.
use super::{FftNorm, FftOptions};
use crate::{Backend, Error, PadMode, Result, Tensor};

/// Options of [`Tensor::stft`].
#[derive(Clone, Copy, Debug)]
pub struct StftOptions<'a, B: Backend> {
    /// How many samples lie between frames: `n_fft / 4`, unless it is set.
    pub hop_length: Option<usize>,
    /// What each frame is multiplied by: a vector of up to `n_fft`, which covers its middle. Ones, unless it is set.
    pub window: Option<&'a Tensor<B>>,
    /// Whether frames are centred at their samples, with `n_fft / 2` more at both ends: they are unless said otherwise.
    pub center: bool,
    /// What these are: the signal mirrored, unless said otherwise.
    pub pad_mode: PadMode,
    /// Whether to divide by `√n_fft`.
    pub normalized: bool,
    /// Whether to leave away what the first `n_fft / 2 + 1` frequencies are conjugates of: it is unless said otherwise.
    pub onesided: bool,
}

impl<B: Backend> Default for StftOptions<'_, B> {
    fn default() -> Self {
        Self {
            hop_length: None,
            window: None,
            center: true,
            pad_mode: PadMode::Reflect,
            normalized: false,
            onesided: true,
        }
    }
}

impl<B: Backend> Tensor<B> {
    /// The short-time Fourier transform: [`rfft`](Self::rfft) of frames of `n_fft` samples, `(samples)` or `(batch, samples)`
    /// to complex `(.., n_fft / 2 + 1, frames, 2)`.
    /// [`torch.stft`](https://docs.pytorch.org/docs/stable/generated/torch.stft.html)
    ///
    /// ```
    /// use firesteel::{StftOptions, prelude::*};
    /// let x = Tensor::ones([32], &Cpu::default())?;
    /// let y = x.stft(8, StftOptions::default())?;
    /// assert_eq!(y.shape(), &[5, 17, 2]);
    /// assert_eq!(y.select(0, 0)?.select(0, 3)?.to_vec::<f32>()?, [8., 0.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn stft(&self, n_fft: usize, options: StftOptions<'_, B>) -> Result<Self> {
        let op = "stft";
        let hop = options.hop_length.unwrap_or(n_fft / 4);
        if !(1..=2).contains(&self.rank()) || !self.dtype().is_float() {
            let why =
                format!("a signal is (samples) or (batch, samples) of real numbers, not {}", self.meta());
            return Err(Error::shape(op, why));
        }
        if n_fft == 0 || hop == 0 {
            return Err(Error::value(op, format!("n_fft {n_fft} and the hop {hop} have to be above 0")));
        }
        let half = isize::try_from(n_fft / 2).unwrap_or(isize::MAX);
        let signal = if options.center { self.pad(&[half, half], options.pad_mode)? } else { self.clone() };
        let mut frames = signal.unfold(-1, n_fft, hop).map_err(|e| e.within(op))?;
        if let Some(window) = options.window {
            let len = window.numel();
            if window.rank() != 1 || len > n_fft || len == 0 || window.dtype() != self.dtype() {
                let why =
                    format!("a window is a vector of {} up to {n_fft}, not {}", self.dtype(), window.meta());
                return Err(Error::shape(op, why));
            }
            let before = (n_fft - len) / 2;
            let around = [before as i64, (n_fft - len - before) as i64];
            frames = frames.mul(window.constant_pad_nd(around, 0)?)?;
        }
        let norm = if options.normalized { FftNorm::Ortho } else { FftNorm::Backward };
        let fft = FftOptions { norm, ..Default::default() };
        let frames = frames.contiguous();
        let spectra = match options.onesided {
            true => frames.rfft(fft)?,
            false => frames.complex(&frames.zeros_like()?)?.fft(fft)?,
        };
        spectra.transpose(-2, -3)
    }
}
