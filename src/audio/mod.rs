//! Sound: read from files, and changed by the transforms of
//! [torchaudio](https://docs.pytorch.org/audio/stable/transforms.html).
#[cfg(feature = "audio")]
mod file;
mod mel;
mod resample;
mod spectrogram;

#[cfg(feature = "audio")]
pub use file::{read_wav, write_wav};
pub use mel::{MFCC, MelScale, MelSpectrogram, amplitude_to_db};
pub use resample::{ResampleOptions, resample};
pub use spectrogram::Spectrogram;
