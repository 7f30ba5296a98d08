//! Sound files.
use crate::{Data, Error, Result, TensorData};
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use std::path::Path;

/// Reads a WAV file: the waveform `(channels, samples)` of F32 in `[-1, 1]`, and how many samples make a second.
/// <https://docs.pytorch.org/audio/stable/generated/torchaudio.load.html>
///
/// ```
/// use firesteel::{Data, TensorData, audio::{read_wav, write_wav}};
/// let path = std::env::temp_dir().join("firesteel-doc.wav");
/// let waveform = TensorData::new([2, 3], Data::F32(vec![0., 0.5, -1., 0.25, 0., 1.]))?;
/// write_wav(&path, &waveform, 16_000)?;
/// assert_eq!(read_wav(&path)?, (waveform, 16_000));
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn read_wav(path: impl AsRef<Path>) -> Result<(TensorData, u32)> {
    let path = path.as_ref();
    let mut reader = WavReader::open(path).map_err(|e| failed("read_wav", "read", path, e))?;
    let WavSpec { channels, sample_rate, bits_per_sample, sample_format } = reader.spec();
    let interleaved = match sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect::<hound::Result<Vec<f32>>>(),
        SampleFormat::Int => {
            let scale = 1. / (1u64 << bits_per_sample.saturating_sub(1).min(63)) as f32;
            reader.samples::<i32>().map(|s| s.map(|s| s as f32 * scale)).collect()
        }
    };
    let interleaved = interleaved.map_err(|e| failed("read_wav", "read", path, e))?;
    let channels = usize::from(channels).max(1);
    let samples = interleaved.len() / channels;
    let planes =
        (0..channels).flat_map(|c| interleaved.iter().skip(c).step_by(channels).take(samples).copied());
    Ok((TensorData::new([channels, samples], Data::F32(planes.collect()))?, sample_rate))
}

/// Writes a waveform `(channels, samples)` of F32 to a WAV file of 32-bit floats.
#[track_caller]
pub fn write_wav(path: impl AsRef<Path>, waveform: &TensorData, sample_rate: u32) -> Result<()> {
    let path = path.as_ref();
    let (&[channels, samples], Data::F32(planes)) = (&waveform.shape()[..], waveform.data()) else {
        let why = format!("a waveform is (channels, samples) of float32, not {}", waveform.meta());
        return Err(Error::shape("write_wav", why));
    };
    let Ok(channels @ 1..) = u16::try_from(channels) else {
        return Err(Error::shape(
            "write_wav",
            format!("a file has from 1 to 65535 channels, not {channels}"),
        ));
    };
    let spec = WavSpec { channels, sample_rate, bits_per_sample: 32, sample_format: SampleFormat::Float };
    let write = || {
        let mut writer = WavWriter::create(path, spec)?;
        for at in 0..samples {
            for channel in 0..usize::from(channels) {
                writer.write_sample(planes[channel * samples + at])?;
            }
        }
        writer.finalize()
    };
    write().map_err(|e| failed("write_wav", "write", path, e))
}

#[track_caller]
fn failed(op: &'static str, what: &str, path: &Path, e: hound::Error) -> Error {
    Error::io(op, format!("cannot {what} {}: {e}", path.display())).because(e)
}
