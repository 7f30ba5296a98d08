//! Normalisation by the statistics of the batch.
use super::running_norm;
use crate::nn::{Buffer, Layer, Mode, Module, Param};
use crate::{Backend, BatchNormOptions, DType, Error, Result, Tensor};

macro_rules! batch_norms {
    ($($name:ident $ranks:pat, $shape:literal;)*) => {$(
        running_norm! {
            /// Normalises each channel over the batch, by the batch's own mean and variance in training and by the
            #[doc = concat!("running ones in evaluation: `", $shape, "`. Its learned factors begin as ones and terms as zeros.")]
            ///
            /// ```
            #[doc = concat!("use firesteel::{nn::{", stringify!($name), ", Module, State}, prelude::*};")]
            #[doc = concat!("let norm = ", stringify!($name), "::new(4, &Cpu)?;")]
            /// let names: Vec<String> = norm.state_dict()?.into_keys().collect();
            /// assert_eq!(names, ["bias", "num_batches_tracked", "running_mean", "running_var", "weight"]);
            /// # Ok::<(), firesteel::Error>(())
            /// ```
            $name
        }

        impl<B: Backend> $name<B> {
            /// For `num_features` channels, with `eps` 1e-5 and `momentum` 0.1.
            pub fn new(num_features: usize, device: &B) -> Result<Self> {
                Self::with_everything(num_features, device)
            }

            /// Counts a batch; where the running statistics are plain averages, how much it counts in them: `1 / count`.
            fn count_batch(&self) -> Result<Option<Tensor<B>>> {
                let Some(count) = &self.num_batches_tracked else {
                    return Ok(None);
                };
                let seen = (count.get() + 1)?;
                count.set(&seen);
                if self.momentum.is_some() { Ok(None) } else { seen.reciprocal().map(Some) }
            }

            /// Counts a batch and moves the running statistics towards its own.
            pub(super) fn track(&self, batch_mean: &Tensor<B>, batch_var: &Tensor<B>) -> Result<()> {
                let share = self.count_batch()?;
                let statistics = [(&self.running_mean, batch_mean), (&self.running_var, batch_var)];
                for (running, batch) in statistics {
                    let Some(running) = running else { continue };
                    let (old, batch) = (running.get(), batch.detach());
                    running.set(&match &share {
                        Some(share) => old.lerp(batch, share)?,
                        None => old.lerp(batch, self.momentum.unwrap_or(0.))?,
                    });
                }
                Ok(())
            }
        }

        impl<B: Backend> Layer<B> for $name<B> {
            fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
                if !matches!(x.rank(), $ranks) {
                    let why = format!("takes {}, not {}", $shape, x.shape());
                    return Err(Error::shape(stringify!($name), why));
                }
                self.normalise(x)
            }
        }

        impl<B: Backend> $name<B> {
            /// What the layer makes of `(n, c, ..)`.
            pub(super) fn normalise(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
                let (weight, bias) = (self.weight.as_deref(), self.bias.as_deref());
                let (training, eps) = (self.training.training(), self.eps);
                let (Some(mean), Some(var)) = (&self.running_mean, &self.running_var) else {
                    let options = BatchNormOptions { weight, bias, training: true, eps, ..Default::default() };
                    return Ok(x.batch_norm(options)?.output);
                };
                // without a momentum the batch's own statistics come out
                let momentum = if training { self.momentum.unwrap_or(1.) } else { 0. };
                let (old_mean, old_var) = (mean.get(), var.get());
                let running = Some((&old_mean, &old_var));
                let options = BatchNormOptions { running, weight, bias, training, momentum, eps };
                let normalised = x.batch_norm(options)?;
                match normalised.running.filter(|_| training) {
                    Some((batch_mean, batch_var)) if self.momentum.is_none() => self.track(&batch_mean, &batch_var)?,
                    Some((new_mean, new_var)) => {
                        self.count_batch()?;
                        mean.set(&new_mean);
                        var.set(&new_var);
                    }
                    None => {}
                }
                Ok(normalised.output)
            }
        }
    )*};
}

batch_norms! {
    BatchNorm1d 2 | 3, "(n, c) or (n, c, length)";
    BatchNorm2d 4, "(n, c, h, w)";
    BatchNorm3d 5, "(n, c, d, h, w)";
}
