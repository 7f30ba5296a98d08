//! Which frequencies are in a signal, over time, and back.
use super::{FftNorm, FftOptions};
use crate::{Backend, Error, Op, PadMode, Requirement, Result, Tensor};

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

/// Options of [`Tensor::istft`], which have to be those of the [`stft`](Tensor::stft) before it.
#[derive(Clone, Copy, Debug)]
pub struct IstftOptions<'a, B: Backend> {
    /// How many samples lie between frames: `n_fft / 4`, unless it is set.
    pub hop_length: Option<usize>,
    /// What each frame was multiplied by: a vector of up to `n_fft`, which covers its middle. Ones, unless it is set.
    pub window: Option<&'a Tensor<B>>,
    /// Whether frames are centred at their samples, so that `n_fft / 2` are left away at both ends: they are unless said
    /// otherwise.
    pub center: bool,
    /// Whether it was divided by `√n_fft`.
    pub normalized: bool,
    /// Whether what the first `n_fft / 2 + 1` frequencies are conjugates of was left away: it was unless said otherwise.
    pub onesided: bool,
    /// How many samples the signal has: as many as the frames tell of, unless it is set. What they do not reach is zero.
    pub length: Option<usize>,
}

impl<B: Backend> Default for IstftOptions<'_, B> {
    fn default() -> Self {
        Self { hop_length: None, window: None, center: true, normalized: false, onesided: true, length: None }
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
            frames = frames.mul(self.framed(op, window, n_fft)?)?;
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

    /// The signal of which this is the [`stft`](Self::stft), by the least squares: complex `(.., frequencies, frames, 2)` to
    /// `(samples)` or `(batch, samples)`. Frames are transformed back, multiplied by the window and added up where they
    /// overlap, and the sum is divided by that of the windows' squares. Where these are all zero is an error, on a GPU when
    /// numbers are next read.
    /// [`torch.istft`](https://docs.pytorch.org/docs/stable/generated/torch.istft.html)
    ///
    /// ```
    /// use firesteel::{IstftOptions, StftOptions, Symmetry, Tolerance, Window, prelude::*};
    /// let x = Tensor::randn([100], &Cpu::default())?;
    /// let window = Tensor::window(16, Window::Hann, Symmetry::Periodic, &Cpu::default())?;
    /// let spectrum = x.stft(16, StftOptions { window: Some(&window), ..Default::default() })?;
    /// let back = IstftOptions { window: Some(&window), length: Some(100), ..Default::default() };
    /// let near = Tolerance { rtol: 1e-4, atol: 1e-4, equal_nan: false };
    /// assert!(spectrum.istft(16, back)?.allclose(&x, near)?);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn istft(&self, n_fft: usize, options: IstftOptions<'_, B>) -> Result<Self> {
        let op = "istft";
        let hop = options.hop_length.unwrap_or(n_fft / 4);
        if n_fft == 0 || hop == 0 || hop > n_fft {
            return Err(Error::value(
                op,
                format!("the hop {hop} has to be in [1, n_fft], with n_fft {n_fft}"),
            ));
        }
        let bins = if options.onesided { n_fft / 2 + 1 } else { n_fft };
        let count = match self.shape()[..] {
            [f, count, 2] | [_, f, count, 2] if f == bins && count > 0 && self.dtype().is_float() => count,
            _ => {
                let why = format!("takes (.., {bins}, frames, 2) of real numbers, not {}", self.meta());
                return Err(Error::shape(op, why));
            }
        };
        let norm = if options.normalized { FftNorm::Ortho } else { FftNorm::Backward };
        let spectra = self.transpose(-2, -3)?;
        let frames = match options.onesided {
            true => spectra.irfft(FftOptions { n: Some(n_fft), norm, ..Default::default() })?,
            false => spectra.ifft(FftOptions { norm, ..Default::default() })?.select(-1, 0)?,
        };
        let window = match options.window {
            Some(window) => self.framed(op, window, n_fft)?,
            None => Self::ones([n_fft], (self.dtype(), self.backend()))?,
        };
        let too_long = || Error::value(op, format!("{count} frames {hop} apart are too many"));
        let whole = hop.checked_mul(count - 1).and_then(|len| len.checked_add(n_fft)).ok_or_else(too_long)?;
        let half = if options.center { n_fft / 2 } else { 0 };
        let wanted = options.length.unwrap_or(whole.saturating_sub(2 * half));
        // what lies behind the last frame is silent
        let there = wanted.min(whole.saturating_sub(half));
        if there == 0 {
            return Err(Error::value(op, format!("{count} frames of {n_fft} leave no sample")));
        }
        let added = |frames: &Self| {
            let axis = frames.rank().saturating_sub(2);
            Self::one(Op::Fold { x: frames, axis, len: whole, step: hop })?.narrow(-1, half, there)
        };
        let signal = added(&frames.mul(&window)?)?;
        let squares = added(&window.square()?.broadcast_to([count, n_fft])?)?;
        let covered = squares.gt(1e-11)?.required(Requirement::Overlap)?;
        let signal = signal.div(covered.where_(&squares, 1)?)?;
        match wanted - there {
            0 => Ok(signal),
            silent => signal.constant_pad_nd([0, silent as i64], 0),
        }
    }

    /// A window of up to `n_fft` samples as one of `n_fft`, with zeros around it.
    #[track_caller]
    fn framed(&self, op: &'static str, window: &Self, n_fft: usize) -> Result<Self> {
        let len = window.numel();
        if window.rank() != 1 || len > n_fft || len == 0 || window.dtype() != self.dtype() {
            let why =
                format!("a window is a vector of {} up to {n_fft}, not {}", self.dtype(), window.meta());
            return Err(Error::shape(op, why));
        }
        let before = (n_fft - len) / 2;
        window.constant_pad_nd([before as i64, (n_fft - len - before) as i64], 0)
    }
}
