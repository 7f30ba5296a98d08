//! Weights that stretch nothing by more than one.
use super::{Parametrization, Parametrized, named};
use crate::nn::{Buffer, Mode, Module, Param};
use crate::{Backend, NormalizeOptions, Result, Tensor, no_grad};

/// How [`spectral_norm`] finds the largest singular value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpectralNormOptions {
    /// The steps that each call in training takes towards it.
    pub n_power_iterations: usize,
    /// The least length that is divided by.
    pub eps: f64,
    /// The dim of the weight that counts what comes out: 0, but 1 for transposed convolutions.
    pub dim: isize,
}

impl Default for SpectralNormOptions {
    fn default() -> Self {
        Self { n_power_iterations: 1, eps: 1e-12, dim: 0 }
    }
}

/// `w = v / σ(v)`, with the largest singular value `σ`, towards which each call in training goes by power iteration.
/// Miyato et al., [Spectral normalization](https://arxiv.org/abs/1802.05957), 2018.
#[derive(Clone, Module)]
pub struct SpectralNorm<B: Backend> {
    /// The left singular vector: `(rows)`
    pub _u: Buffer<B>,
    /// The right singular vector: `(columns)`
    pub _v: Buffer<B>,
    options: SpectralNormOptions,
    training: Mode,
}

/// The module with the parameter of this path as [`SpectralNorm`].
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.spectral_norm.html>
///
/// ```
/// use firesteel::{nn::{Linear, parametrize::spectral_norm}, prelude::*};
/// let normed = spectral_norm(Linear::new(20, 40, &Cpu)?, "weight", Default::default())?;
/// let weight = normed.module()?.weight;
/// // what the largest direction becomes
/// let x = normed.state_dict()?["parametrizations.weight.0._v"].clone();
/// let y = weight.matmul(&Tensor::from_data(x, &Cpu)?)?;
/// assert!((y.norm(2.0, ..)?.item::<f32>()? - 1.0).abs() < 0.05);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn spectral_norm<B: Backend, M: Module<B>>(
    module: M,
    name: &str,
    options: SpectralNormOptions,
) -> Result<Parametrized<B, M, SpectralNorm<B>>> {
    named(module, name, |weight| SpectralNorm::new(weight, options))
}

impl<B: Backend> SpectralNorm<B> {
    /// For a weight like this, of whose singular vectors there is an estimate then.
    #[track_caller]
    pub fn new(weight: &Tensor<B>, options: SpectralNormOptions) -> Result<Self> {
        let drawn = |len: usize| {
            let vector = Tensor::randn(len, (weight.dtype(), weight.backend()))?;
            Ok::<_, crate::Error>(Buffer::new(unit(&vector, options.eps)?))
        };
        let (rows, columns) = match weight.rank() {
            // a vector has nothing to iterate over
            0 | 1 => (0, 0),
            _ => {
                let rows = weight.size(options.dim)?;
                (rows, weight.numel() / rows.max(1))
            }
        };
        let norm = Self { _u: drawn(rows)?, _v: drawn(columns)?, options, training: Mode::default() };
        if weight.rank() > 1 {
            norm.iterate(&norm.matrix(weight)?, 15)?;
        }
        Ok(norm)
    }

    /// `(rows, columns)`, with a row for each number that comes out.
    fn matrix(&self, weight: &Tensor<B>) -> Result<Tensor<B>> {
        weight.movedim(self.options.dim, 0)?.flatten(1, -1)
    }

    /// `u ← W v`, `v ← Wᵀ u`, each of length one.
    fn iterate(&self, weight: &Tensor<B>, times: usize) -> Result<()> {
        no_grad(|| {
            for _ in 0..times {
                self._u.set(&unit(&weight.matmul(&self._v.get())?, self.options.eps)?);
                self._v.set(&unit(&weight.t()?.matmul(&self._u.get())?, self.options.eps)?);
            }
            Ok(())
        })
    }
}

impl<B: Backend> Parametrization<B> for SpectralNorm<B> {
    fn forward(&self, originals: &[Param<B>]) -> Result<Tensor<B>> {
        let weight = &*originals[0];
        if weight.rank() < 2 {
            return unit(weight, self.options.eps);
        }
        let matrix = self.matrix(weight)?;
        if self.training.training() {
            self.iterate(&matrix.detach(), self.options.n_power_iterations)?;
        }
        let sigma = (self._u.get() * matrix.matmul(&self._v.get())?)?.sum(..)?;
        weight / &sigma
    }
}

/// The vector with length one.
fn unit<B: Backend>(vector: &Tensor<B>, eps: f64) -> Result<Tensor<B>> {
    vector.normalize(NormalizeOptions { dim: 0, eps, ..Default::default() })
}
