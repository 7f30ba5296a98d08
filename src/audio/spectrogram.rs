//! Which frequencies are in a waveform, over time.
use crate::{Backend, Error, PadMode, Result, Tensor};
use std::f64::consts::TAU;

/// How strong each frequency is over time: `(.., samples)` to `(.., n_fft / 2 + 1, frames)`, by Hann's window.
/// <https://docs.pytorch.org/audio/stable/generated/torchaudio.transforms.Spectrogram.html>
///
/// ```
/// use firesteel::{audio::Spectrogram, prelude::*};
/// // four periods of a sine in each 32 samples: frequency 4
/// let sine: Vec<f64> = (0..320).map(|i| (i as f64 * std::f64::consts::TAU / 8.0).sin()).collect();
/// let spectrogram = Spectrogram::new(32)?.forward(&Tensor::new(sine, &Cpu)?)?;
/// assert_eq!(spectrogram.shape(), &[17, 21]);
/// assert_eq!(spectrogram.select(1, 10)?.argmax(0)?.item::<i64>()?, 4);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Spectrogram {
    /// How many samples a frame has.
    pub n_fft: usize,
    /// How many of these the window covers, in their middle.
    pub win_length: usize,
    /// How many samples lie between frames.
    pub hop_length: usize,
    /// Of which power of the magnitude: 2 is energy, and the default.
    pub power: f64,
    /// Whether frames are centred at their samples, the waveform mirrored at its ends: they are unless it is set.
    pub center: bool,
    /// Whether the window counts as a vector of length 1.
    pub normalized: bool,
}

impl Spectrogram {
    /// Frames of `n_fft` samples, half of them apart.
    #[track_caller]
    pub fn new(n_fft: usize) -> Result<Self> {
        let new = Self {
            n_fft,
            win_length: n_fft,
            hop_length: n_fft / 2,
            power: 2.,
            center: true,
            normalized: false,
        };
        new.check()?;
        Ok(new)
    }

    fn check(&self) -> Result<()> {
        let Self { n_fft, win_length, hop_length, .. } = *self;
        // the table of waves has about n_fft² numbers
        if n_fft == 0 || n_fft > 1 << 14 || win_length == 0 || win_length > n_fft || hop_length == 0 {
            let why = format!(
                "n_fft {n_fft} has to be in [1, 16384], win_length {win_length} in [1, n_fft], hop_length {hop_length} above 0"
            );
            return Err(Error::value("spectrogram", why));
        }
        Ok(())
    }

    /// Waves to multiply frames by, `(n_fft, 2 (n_fft / 2 + 1))`: the window times `cos 2πkt/n` and then `-sin 2πkt/n`.
    fn waves(&self) -> Vec<f64> {
        let n = self.n_fft;
        let before = (n - self.win_length) / 2;
        let window = |t: usize| match t.checked_sub(before).filter(|t| *t < self.win_length) {
            // the periodic window, whose end is the start of the next
            Some(t) => 0.5 - 0.5 * (TAU * t as f64 / self.win_length as f64).cos(),
            None => 0.,
        };
        let scale = match self.normalized {
            true => (0..n).map(|t| window(t).powi(2)).sum::<f64>().sqrt().recip(),
            false => 1.,
        };
        let frequencies = n / 2 + 1;
        let wave = |t: usize, column: usize| {
            let (k, imaginary) = (column % frequencies, column >= frequencies);
            // the product is taken around the circle first, so that large ones stay exact
            let angle = TAU * (k * t % n) as f64 / n as f64;
            scale * window(t) * if imaginary { -angle.sin() } else { angle.cos() }
        };
        (0..n)
            .flat_map(|t| (0..2 * frequencies).map(move |column| (t, column)))
            .map(|(t, c)| wave(t, c))
            .collect()
    }

    /// The spectrogram. It is a matrix product with sampled waves, and so has a gradient and runs on every device.
    #[track_caller]
    pub fn forward<B: Backend>(&self, waveform: &Tensor<B>) -> Result<Tensor<B>> {
        self.check()?;
        if waveform.rank() == 0 || !waveform.dtype().is_float() {
            let why = format!("a waveform is (.., samples) of real numbers, not {}", waveform.meta());
            return Err(Error::shape("spectrogram", why));
        }
        let half = (self.n_fft / 2) as isize;
        let padded =
            if self.center { waveform.pad(&[half, half], PadMode::Reflect)? } else { waveform.clone() };
        let frames = padded.unfold(-1, self.n_fft, self.hop_length)?;
        let frequencies = self.n_fft / 2 + 1;
        let waves = Tensor::new(self.waves(), (waveform.dtype(), waveform.backend()))?;
        let both = frames.contiguous().matmul(&waves.reshape([self.n_fft, 2 * frequencies])?)?;
        let (re, im) = (both.narrow(-1, 0, frequencies)?, both.narrow(-1, frequencies, frequencies)?);
        let energy = (re.lazy().square() + im.lazy().square()).eval()?;
        let powered = if self.power == 2. { energy } else { energy.pow(self.power / 2.)? };
        powered.transpose(-1, -2)
    }
}
