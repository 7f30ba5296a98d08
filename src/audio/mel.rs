//! Frequencies as they are heard.
use super::Spectrogram;
use crate::{Backend, Data, Error, Result, Tensor, TensorData, keepdim};
use std::f64::consts::{PI, SQRT_2};

/// How pitch follows from frequency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MelScale {
    /// `2595 log₁₀ (1 + f / 700)`.
    #[default]
    Htk,
    /// Linear up to 1000 Hz, and logarithmic from there.
    Slaney,
}

impl MelScale {
    /// Linear steps of 200/3 Hz up to 1000 Hz, and then 27 steps to 6400 Hz.
    const STEP: f64 = 200. / 3.;
    const BREAK: f64 = 1000.;

    fn mel(self, hz: f64) -> f64 {
        match self {
            MelScale::Htk => 2595. * (1. + hz / 700.).log10(),
            MelScale::Slaney if hz < Self::BREAK => hz / Self::STEP,
            MelScale::Slaney => Self::BREAK / Self::STEP + 27. * (hz / Self::BREAK).ln() / 6.4f64.ln(),
        }
    }

    fn hz(self, mel: f64) -> f64 {
        match self {
            MelScale::Htk => 700. * (10f64.powf(mel / 2595.) - 1.),
            MelScale::Slaney if mel < Self::BREAK / Self::STEP => mel * Self::STEP,
            MelScale::Slaney => Self::BREAK * ((mel - Self::BREAK / Self::STEP) * 6.4f64.ln() / 27.).exp(),
        }
    }
}

/// A [`Spectrogram`] in bands of equal width in pitch: `(.., samples)` to `(.., n_mels, frames)`.
/// <https://docs.pytorch.org/audio/stable/generated/torchaudio.transforms.MelSpectrogram.html>
///
/// ```
/// use firesteel::{audio::{MelSpectrogram, Spectrogram}, prelude::*};
/// let mel = MelSpectrogram { n_mels: 20, ..MelSpectrogram::new(16_000, Spectrogram::new(400)?) };
/// assert_eq!(mel.forward(&Tensor::zeros([2, 16_000], &Cpu)?)?.shape(), &[2, 20, 81]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MelSpectrogram {
    /// How many samples make a second.
    pub sample_rate: u32,
    /// What the bands are made of.
    pub spectrogram: Spectrogram,
    /// How many bands: 128 unless it is set.
    pub n_mels: usize,
    /// The lowest frequency in Hz: 0 unless it is set.
    pub f_min: f64,
    /// The highest frequency in Hz: half the sample rate unless it is set.
    pub f_max: f64,
    /// How pitch follows from frequency.
    pub scale: MelScale,
    /// Whether each band is divided by its width in Hz (`norm="slaney"`).
    pub normalized: bool,
}

impl MelSpectrogram {
    /// 128 bands of all frequencies.
    pub fn new(sample_rate: u32, spectrogram: Spectrogram) -> Self {
        let (f_max, scale) = (f64::from(sample_rate) / 2., MelScale::Htk);
        Self { sample_rate, spectrogram, n_mels: 128, f_min: 0., f_max, scale, normalized: false }
    }

    /// The weight of each frequency in each band, `(n_fft / 2 + 1, n_mels)`: triangles between the middles of
    /// neighbours. <https://docs.pytorch.org/audio/stable/generated/torchaudio.functional.melscale_fbanks.html>
    #[track_caller]
    pub fn weights(&self) -> Result<TensorData> {
        let Self { n_mels, f_min, f_max, scale, .. } = *self;
        if n_mels == 0 || n_mels > 1 << 16 || !(f_min >= 0. && f_max > f_min && f_max.is_finite()) {
            let why = format!(
                "{n_mels} bands from {f_min} to {f_max} Hz: there has to be one, and the second more"
            );
            return Err(Error::value("mel_spectrogram", why));
        }
        let frequencies = self.spectrogram.n_fft / 2 + 1;
        let (low, high) = (scale.mel(f_min), scale.mel(f_max));
        let edge = |i: usize| scale.hz(low + (high - low) * i as f64 / (n_mels + 1) as f64);
        let edges: Vec<f64> = (0..n_mels + 2).map(edge).collect();
        let weight = |k: usize, band: usize| {
            let hz = f64::from(self.sample_rate / 2) * k as f64 / (frequencies.max(2) - 1) as f64;
            let [left, middle, right] = [edges[band], edges[band + 1], edges[band + 2]];
            let triangle = ((hz - left) / (middle - left)).min((right - hz) / (right - middle)).max(0.);
            if self.normalized { triangle * 2. / (right - left) } else { triangle }
        };
        let weights = (0..frequencies).flat_map(|k| (0..n_mels).map(move |band| (k, band)));
        let weights = weights.map(|(k, band)| weight(k, band)).collect();
        TensorData::new([frequencies, n_mels], Data::F64(weights))
    }

    /// The spectrogram.
    #[track_caller]
    pub fn forward<B: Backend>(&self, waveform: &Tensor<B>) -> Result<Tensor<B>> {
        let spectrogram = self.spectrogram.forward(waveform)?;
        by_columns(&spectrogram, self.weights()?)
    }
}

/// `(.., n, frames)` times a matrix `(n, m)`: `(.., m, frames)`.
fn by_columns<B: Backend>(x: &Tensor<B>, matrix: TensorData) -> Result<Tensor<B>> {
    let matrix = Tensor::new(matrix, (x.dtype(), x.backend()))?;
    x.transpose(-1, -2)?.matmul(&matrix)?.transpose(-1, -2)
}

/// Powers as decibels, `10 log₁₀ x`, no more than `top_db` below the strongest of each `(channels, n, frames)`.
/// <https://docs.pytorch.org/audio/stable/generated/torchaudio.transforms.AmplitudeToDB.html>
///
/// ```
/// use firesteel::{audio::amplitude_to_db, prelude::*};
/// let power = Tensor::new([[1.0, 100.0, 0.0]], &Cpu)?;
/// assert_eq!(amplitude_to_db(&power, Some(80.0))?.to_vec::<f32>()?, [0., 20., -60.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn amplitude_to_db<B: Backend>(power: &Tensor<B>, top_db: Option<f64>) -> Result<Tensor<B>> {
    let db = (power.clamp_min(1e-10)?.log10()? * 10.0)?;
    let Some(top_db) = top_db else { return Ok(db) };
    let last = db.rank().min(3) as isize;
    let strongest = db.amax(keepdim((-last..0).collect::<Vec<isize>>()))?;
    db.maximum(&(strongest - top_db)?)
}

/// Mel frequency cepstral coefficients: the shape of a [`MelSpectrogram`] in decibels, `(.., samples)` to
/// `(.., n_mfcc, frames)`. <https://docs.pytorch.org/audio/stable/generated/torchaudio.transforms.MFCC.html>
///
/// ```
/// use firesteel::{audio::{MFCC, MelSpectrogram, Spectrogram}, prelude::*};
/// let mfcc = MFCC::new(13, MelSpectrogram::new(16_000, Spectrogram::new(400)?));
/// assert_eq!(mfcc.forward(&Tensor::zeros([16_000], &Cpu)?)?.shape(), &[13, 81]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MFCC {
    /// How many coefficients, no more than bands.
    pub n_mfcc: usize,
    /// What they are made of.
    pub mel: MelSpectrogram,
    /// Whether they are of `ln (mel + 1e-6)` in place of decibels.
    pub log_mels: bool,
}

impl MFCC {
    /// The first `n_mfcc` coefficients.
    pub fn new(n_mfcc: usize, mel: MelSpectrogram) -> Self {
        Self { n_mfcc, mel, log_mels: false }
    }

    /// The cosines `cos (π/n (i + 1/2) k) √(2/n)`, `(n_mels, n_mfcc)`; those of `k = 0` by `1/√2`, so that the columns
    /// have length 1.
    fn cosines(&self) -> Result<TensorData> {
        let (n, k) = (self.mel.n_mels, self.n_mfcc);
        if k > n {
            return Err(Error::value("mfcc", format!("there are no {k} coefficients of {n} bands")));
        }
        let cosine = |i: usize, k: usize| {
            let cosine = (PI / n as f64 * (i as f64 + 0.5) * k as f64).cos() * (2. / n as f64).sqrt();
            if k == 0 { cosine / SQRT_2 } else { cosine }
        };
        let cosines = (0..n).flat_map(|i| (0..k).map(move |k| (i, k))).map(|(i, k)| cosine(i, k)).collect();
        TensorData::new([n, k], Data::F64(cosines))
    }

    /// The coefficients.
    #[track_caller]
    pub fn forward<B: Backend>(&self, waveform: &Tensor<B>) -> Result<Tensor<B>> {
        let cosines = self.cosines()?;
        let mel = self.mel.forward(waveform)?;
        let mel = if self.log_mels { (mel + 1e-6)?.log()? } else { amplitude_to_db(&mel, Some(80.))? };
        by_columns(&mel, cosines)
    }
}
