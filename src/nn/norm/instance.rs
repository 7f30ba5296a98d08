//! Normalisation of each example's channels by their own statistics.
use super::running_norm;
use crate::nn::{Buffer, Layer, Mode, Module, Param};
use crate::{Backend, DType, Error, InstanceNormOptions, Result, Tensor};

macro_rules! instance_norms {
    ($($name:ident $dims:literal, $shape:literal;)*) => {$(
        running_norm! {
            #[doc = concat!("Normalises each channel of each example by its own mean and variance: `", $shape, "`.")]
            /// As it is made it has neither learned factors nor running statistics.
            ///
            /// ```
            #[doc = concat!("use firesteel::{nn::{Layer, ", stringify!($name), "}, prelude::*};")]
            #[doc = concat!("let norm = ", stringify!($name), "::new(3, &Cpu)?.affine(&Cpu)?;")]
            #[doc = concat!("let x = Tensor::ones([1, 3].into_iter().chain([4; ", $dims, "]).collect::<Shape>(), &Cpu)?;")]
            /// assert!(norm.forward(&x)?.to_vec::<f32>()?.iter().all(|&y| y == 0.));
            /// # Ok::<(), firesteel::Error>(())
            /// ```
            $name
        }

        impl<B: Backend> $name<B> {
            /// For `num_features` channels, with `eps` 1e-5 and `momentum` 0.1.
            pub fn new(num_features: usize, device: &B) -> Result<Self> {
                Ok(Self::with_everything(num_features, device)?.without_affine().without_running_stats())
            }

            /// The same norm with learned factors, which begin as ones, and terms, which begin as zeros.
            pub fn affine(self, device: &B) -> Result<Self> {
                let Self { weight, bias, .. } = Self::with_everything(self.num_features, device)?;
                Ok(Self { weight, bias, ..self })
            }

            /// The same norm with running statistics, by which it normalises in evaluation.
            pub fn track_running_stats(self, device: &B) -> Result<Self> {
                let Self { running_mean, running_var, num_batches_tracked, .. } =
                    Self::with_everything(self.num_features, device)?;
                Ok(Self { running_mean, running_var, num_batches_tracked, ..self })
            }

            fn normalise(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
                let (weight, bias) = (self.weight.as_deref(), self.bias.as_deref());
                let (training, eps) = (self.training.training(), self.eps);
                let (Some(mean), Some(var)) = (&self.running_mean, &self.running_var) else {
                    let options = InstanceNormOptions { weight, bias, eps, ..Default::default() };
                    return Ok(x.instance_norm(options)?.output);
                };
                let (old_mean, old_var) = (mean.get(), var.get());
                let running = Some((&old_mean, &old_var));
                let momentum = self.momentum.unwrap_or(0.);
                let options = InstanceNormOptions { running, weight, bias, use_input_stats: training, momentum, eps };
                let normalised = x.instance_norm(options)?;
                if let Some((new_mean, new_var)) = normalised.running.filter(|_| training) {
                    mean.set(&new_mean);
                    var.set(&new_var);
                }
                Ok(normalised.output)
            }
        }

        impl<B: Backend> Layer<B> for $name<B> {
            fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
                match x.rank().checked_sub($dims) {
                    Some(2) => self.normalise(x),
                    // one example
                    Some(1) => self.normalise(&x.unsqueeze(0)?)?.squeeze(0),
                    _ => Err(Error::shape(stringify!($name), format!("takes {}, not {}", $shape, x.shape()))),
                }
            }
        }
    )*};
}

instance_norms! {
    InstanceNorm1d 1, "(n, c, length) or (c, length)";
    InstanceNorm2d 2, "(n, c, h, w) or (c, h, w)";
    InstanceNorm3d 3, "(n, c, d, h, w) or (c, d, h, w)";
}
