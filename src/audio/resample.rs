//! Waveforms at other rates.
use crate::{Backend, ConvOptions, Error, PadMode, Result, Tensor};
use std::f64::consts::PI;

/// How [`resample`] keeps out frequencies that the new rate cannot hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResampleOptions {
    /// How many zeros the filter has to each side: 6 unless it is set. More make it sharper.
    pub lowpass_filter_width: usize,
    /// Where it begins to fall, of the highest frequency: 0.99 unless it is set.
    pub rolloff: f64,
}

impl Default for ResampleOptions {
    fn default() -> Self {
        Self { lowpass_filter_width: 6, rolloff: 0.99 }
    }
}

/// A waveform `(.., samples)` at another rate, by the sinc function under Hann's window (Smith,
/// [Digital audio resampling](https://ccrma.stanford.edu/~jos/resample/)).
/// <https://docs.pytorch.org/audio/stable/generated/torchaudio.functional.resample.html>
///
/// ```
/// use firesteel::{audio::resample, prelude::*};
/// let second = Tensor::ones([1, 8000], &Cpu)?;
/// assert_eq!(resample(&second, 8000, 16_000, Default::default())?.shape(), &[1, 16_000]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn resample<B: Backend>(
    waveform: &Tensor<B>,
    from: u32,
    to: u32,
    options: ResampleOptions,
) -> Result<Tensor<B>> {
    let ResampleOptions { lowpass_filter_width: zeros, rolloff } = options;
    if from == 0 || to == 0 || zeros == 0 || !(rolloff > 0. && rolloff <= 1.) {
        let why = format!(
            "rates {from} and {to} and a width of {zeros} are above 0, and a rolloff of {rolloff} up to 1"
        );
        return Err(Error::value("resample", why));
    }
    let Some((&samples, before)) = waveform.shape().split_last().filter(|_| waveform.dtype().is_float())
    else {
        let why = format!("a waveform is (.., samples) of real numbers, not {}", waveform.meta());
        return Err(Error::shape("resample", why));
    };
    if from == to {
        return Ok(waveform.clone());
    }
    let common = gcd(from, to);
    let (from, to) = ((from / common) as usize, (to / common) as usize);
    let base = from.min(to) as f64 * rolloff;
    let width = (zeros as f64 * from as f64 / base).ceil() as usize;
    // one filter for each of the `to` places that a new sample can have between old ones
    let taps = 2 * width + from;
    if taps.checked_mul(to).is_none_or(|numbers| numbers > 1 << 26) {
        let why =
            format!("the rates have so little in common ({from} to {to}) that their filters do not fit");
        return Err(Error::value("resample", why));
    }
    let tap = |place: usize, i: usize| {
        let t = base * ((i as f64 - width as f64) / from as f64 - place as f64 / to as f64);
        let t = t.clamp(-(zeros as f64), zeros as f64);
        let window = (t * PI / zeros as f64 / 2.).cos().powi(2);
        let sinc = if t == 0. { 1. } else { (PI * t).sin() / (PI * t) };
        sinc * window * base / from as f64
    };
    let filters: Vec<f64> = (0..to * taps).map(|at| tap(at / taps, at % taps)).collect();
    let filters = Tensor::new(filters, (waveform.dtype(), waveform.backend()))?.reshape([to, 1, taps])?;

    let waveforms: usize = before.iter().product();
    let padded = waveform.reshape([waveforms, 1, samples])?;
    let padded = padded.pad(&[width as isize, (width + from) as isize], PadMode::default())?;
    let filtered =
        padded.conv1d(&filters, None, ConvOptions { stride: from.into(), ..Default::default() })?;
    let new = filtered.transpose(1, 2)?.flatten(1, 2)?;
    let len = samples.checked_mul(to).map(|n| n.div_ceil(from));
    let len = len.ok_or_else(|| Error::value("resample", format!("{samples} samples become too many")))?;
    new.narrow(1, 0, len)?.reshape([before, &[len]].concat())
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
