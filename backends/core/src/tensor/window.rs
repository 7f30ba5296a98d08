//! Windows of signals: what frames are multiplied by before they are transformed.
use crate::{Backend, DType, Error, Result, Tensor, TensorOptions};
use std::f64::consts::PI;

/// The shape of a window. `t` goes from 0 to 1 over it.
/// <https://docs.pytorch.org/docs/stable/signal.html>
#[derive(Clone, Debug, PartialEq)]
pub enum Window {
    /// A triangle: `1 - |2t - 1|`.
    Bartlett,
    /// `0.42 - 0.5 cos 2πt + 0.08 cos 4πt`.
    Blackman,
    /// Half of a sine, taken between the samples.
    Cosine,
    /// `e^(-|n - centre| / tau)`, by default from the middle.
    Exponential {
        /// Where it is 1; the middle, unless it is set, and only of a window that is not symmetric.
        center: Option<f64>,
        /// After how many samples `1/e` is left.
        tau: f64,
    },
    /// `e^(-½ ((n - middle) / std)²)`.
    Gaussian {
        /// The deviation, in samples.
        std: f64,
    },
    /// `Σ (-1)ᵏ aₖ cos 2πkt`.
    GeneralCosine(Vec<f64>),
    /// `alpha - (1 - alpha) cos 2πt`.
    GeneralHamming(f64),
    /// `0.54 - 0.46 cos 2πt`.
    Hamming,
    /// `0.5 - 0.5 cos 2πt`.
    Hann,
    /// `I₀(beta √(1 - (2t - 1)²)) / I₀(beta)`.
    Kaiser {
        /// How narrow it is.
        beta: f64,
    },
    /// Four cosines, with small lobes beside the main one.
    Nuttall,
}

/// Where a window ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Symmetry {
    /// At its last sample, as it begins at the first: for filters.
    #[default]
    Symmetric,
    /// One sample later, where the next period begins: for spectra.
    Periodic,
}

impl Window {
    /// Sample `n` of one that goes to sample `last`.
    fn at(&self, n: f64, last: f64, periodic: bool) -> f64 {
        let (t, middle) = (n / last, last / 2.);
        let cosines = |a: &[f64]| {
            let term = |(k, a): (usize, &f64)| {
                a * (2. * PI * k as f64 * t).cos() * if k % 2 == 0 { 1. } else { -1. }
            };
            a.iter().enumerate().map(term).sum()
        };
        match self {
            Window::Bartlett => 1. - (2. * t - 1.).abs(),
            Window::Blackman => cosines(&[0.42, 0.5, 0.08]),
            Window::Cosine => (PI * (n + 0.5) / (last + 1.)).sin(),
            Window::Exponential { center, tau } => {
                (-(n - center.filter(|_| periodic).unwrap_or(middle)).abs() / tau).exp()
            }
            Window::Gaussian { std } => (-0.5 * ((n - middle) / std).powi(2)).exp(),
            Window::GeneralCosine(a) => cosines(a),
            Window::GeneralHamming(alpha) => cosines(&[*alpha, 1. - alpha]),
            Window::Hamming => cosines(&[0.54, 0.46]),
            Window::Hann => cosines(&[0.5, 0.5]),
            Window::Kaiser { beta } => i0(beta * (1. - (2. * t - 1.).powi(2)).max(0.).sqrt()) / i0(*beta),
            Window::Nuttall => cosines(&[0.3635819, 0.4891775, 0.1365995, 0.0106411]),
        }
    }

    /// Whether its numbers are some that it has a meaning for.
    fn check(&self) -> Result<()> {
        let fits = match self {
            Window::Exponential { center, tau } => *tau > 0. && center.is_none_or(f64::is_finite),
            Window::Gaussian { std } => *std > 0.,
            Window::GeneralCosine(a) => !a.is_empty() && a.iter().all(|a| a.is_finite()),
            Window::GeneralHamming(alpha) => alpha.is_finite(),
            // beyond, I₀ is infinite
            Window::Kaiser { beta } => (0. ..700.).contains(beta),
            Window::Bartlett | Window::Blackman | Window::Cosine => true,
            Window::Hamming | Window::Hann | Window::Nuttall => true,
        };
        if fits { Ok(()) } else { Err(Error::value("window", format!("there is no {self:?}"))) }
    }
}

impl<B: Backend> Tensor<B> {
    /// A window of so many samples, F32 unless the options name a dtype. PyTorch's `torch.hann_window(n)` is one of Hann's
    /// that is periodic, and `torch.signal.windows.hann(n)` one that is symmetric.
    ///
    /// ```
    /// use firesteel::{Symmetry, Window, prelude::*};
    /// let cpu = Cpu::default();
    /// let symmetric = Tensor::window(3, Window::Hann, Symmetry::Symmetric, &cpu)?;
    /// assert_eq!(symmetric.to_vec::<f32>()?, [0., 1., 0.]);
    /// let periodic = Tensor::window(4, Window::Hann, Symmetry::Periodic, &cpu)?;
    /// assert_eq!(periodic.to_vec::<f32>()?, [0., 0.5, 1., 0.5]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn window(
        samples: usize,
        window: Window,
        symmetry: Symmetry,
        options: impl TensorOptions<B>,
    ) -> Result<Self> {
        window.check()?;
        let (dtype, backend) = options.options();
        let zeros = Self::zeros((), (dtype.unwrap_or(DType::F32), backend))?;
        if !zeros.dtype().is_float() {
            return Err(Error::dtype("window", format!("is made of real numbers, not {}", zeros.dtype())));
        }
        zeros.claim(samples)?;
        let periodic = symmetry == Symmetry::Periodic;
        let last = if periodic { samples as f64 } else { samples as f64 - 1. };
        let at = |n: usize| if samples == 1 { 1. } else { window.at(n as f64, last, periodic) };
        Self::constant(&zeros, (0..samples).map(at).collect())
    }
}

/// The modified Bessel function of order 0: `Σ ((x/2)ᵏ / k!)²`, whose terms are all positive.
fn i0(x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (1., 1., 1.);
    while term > sum * f64::EPSILON {
        term *= (x / (2. * k)).powi(2);
        sum += term;
        k += 1.;
    }
    sum
}
