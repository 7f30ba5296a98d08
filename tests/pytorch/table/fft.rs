//! Fourier transforms, and windows.
use crate::pytorch::args::Args;
use firesteel::{
    Backend, DType, Dims, FftNorm, FftOptions, FftnOptions, Result, StftOptions, Symmetry, Tensor, Window,
};

table! {
    /// Along one dim, two, and several.
    fft(a) in "fft." {
        each fftshift ifftshift: (dims(a)?);
        each ihfft rfft: (along_one(a)?);
        each ihfft2 ihfftn rfft2 rfftn: (along_many(a)?);
        "fft" => lifted(a)?.fft(along_one(a)?)?,
        "fft2" => lifted(a)?.fft2(along_many(a)?)?,
        "fftn" => lifted(a)?.fftn(along_many(a)?)?,
        "hfft" => lifted(a)?.hfft(along_one(a)?)?,
        "hfft2" => lifted(a)?.hfft2(along_many(a)?)?,
        "hfftn" => lifted(a)?.hfftn(along_many(a)?)?,
        "ifft" => lifted(a)?.ifft(along_one(a)?)?,
        "ifft2" => lifted(a)?.ifft2(along_many(a)?)?,
        "ifftn" => lifted(a)?.ifftn(along_many(a)?)?,
        "irfft" => lifted(a)?.irfft(along_one(a)?)?,
        "irfft2" => lifted(a)?.irfft2(along_many(a)?)?,
        "irfftn" => lifted(a)?.irfftn(along_many(a)?)?,
    }
}

table! {
    /// Over time.
    stft(a) {
        "stft" => {
            // ours is always a pair of numbers
            a.ignore("return_complex");
            let (window, default) = (a.opt_tensor("window")?, StftOptions::<B>::default());
            let options = StftOptions {
                hop_length: a.opt_size("hop_length")?,
                window: window.as_ref(),
                center: a.bool_or("center", true)?,
                ..default
            };
            a.tensor(0)?.stft(a.size("n_fft")?, options)?
        },
    }
}

table! {
    /// What frames are multiplied by.
    window(a, device) in "signal.windows." {
        "bartlett" => window_of(a, device, Window::Bartlett)?,
        "blackman" => window_of(a, device, Window::Blackman)?,
        "cosine" => window_of(a, device, Window::Cosine)?,
        "exponential" => {
            window_of(a, device, Window::Exponential { center: a.opt_float("center")?, tau: a.float("tau")? })?
        },
        "gaussian" => window_of(a, device, Window::Gaussian { std: a.float("std")? })?,
        "general_cosine" => window_of(a, device, Window::GeneralCosine(a.opt_floats("a")?.unwrap_or_default()))?,
        "general_hamming" => window_of(a, device, Window::GeneralHamming(a.float("alpha")?))?,
        "hamming" => window_of(a, device, Window::Hamming)?,
        "hann" => window_of(a, device, Window::Hann)?,
        "kaiser" => window_of(a, device, Window::Kaiser { beta: a.float("beta")? })?,
        "nuttall" => window_of(a, device, Window::Nuttall)?,
    }
}

fn window_of<B: Backend>(a: &Args<Tensor<B>>, device: &B, window: Window) -> Result<Tensor<B>> {
    let symmetry = if a.bool("sym")? { Symmetry::Symmetric } else { Symmetry::Periodic };
    Tensor::window(a.size(0)?, window, symmetry, (a.dtype_or("dtype", DType::F32)?, device))
}

/// Real numbers as complex ones.
fn lifted<B: Backend>(a: &Args<Tensor<B>>) -> Result<Tensor<B>> {
    let x = a.tensor(0)?;
    let x = if x.dtype().is_float() { x } else { x.to(DType::F32)? };
    x.complex(&x.zeros_like()?)
}

fn dims<T: Clone>(a: &Args<T>) -> Result<Dims> {
    Ok(a.opt_ints("dim")?.map_or_else(|| (..).into(), Dims::from))
}

fn along_one<T: Clone>(a: &Args<T>) -> Result<FftOptions> {
    Ok(FftOptions { n: a.opt_size("n")?, dim: a.dim_or("dim", -1)?, norm: norm(a)? })
}

fn along_many<T: Clone>(a: &Args<T>) -> Result<FftnOptions> {
    let dims = a.opt_ints("dim")?.map(|dims| dims.into_iter().map(|dim| dim as isize).collect());
    Ok(FftnOptions { s: a.opt_sizes("s")?, dims, norm: norm(a)? })
}

fn norm<T: Clone>(a: &Args<T>) -> Result<FftNorm> {
    Ok(match a.opt_str("norm")? {
        Some("ortho") => FftNorm::Ortho,
        Some("forward") => FftNorm::Forward,
        _ => FftNorm::Backward,
    })
}
