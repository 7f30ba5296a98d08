//! Normalisations that remember.
use super::{Buffer, Layer, Mode, Module, Param};
use crate::{Backend, BatchNormOptions, DType, Error, Result, Tensor};

macro_rules! batch_norms {
    ($($name:ident $ranks:pat, $shape:literal;)*) => {$(
        /// Normalises each channel over the batch, by the batch's own mean and variance in training and by the
        #[doc = concat!("running ones in evaluation: `", $shape, "`. Its learned factors begin as ones and terms as zeros.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::{", stringify!($name), ", Module, State}, prelude::*};")]
        #[doc = concat!("let norm = ", stringify!($name), "::new(4, &Cpu)?;")]
        /// let names: Vec<String> = norm.state_dict()?.into_keys().collect();
        /// assert_eq!(names, ["bias", "num_batches_tracked", "running_mean", "running_var", "weight"]);
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Debug, Module)]
        pub struct $name<B: Backend> {
            /// `(num_features)`
            pub weight: Option<Param<B>>,
            /// `(num_features)`
            pub bias: Option<Param<B>>,
            /// `(num_features)`
            pub running_mean: Option<Buffer<B>>,
            /// `(num_features)`
            pub running_var: Option<Buffer<B>>,
            /// How many batches the running statistics have seen.
            pub num_batches_tracked: Option<Buffer<B>>,
            /// Added to the variance.
            pub eps: f64,
            /// How much a batch counts in the running statistics; none is their plain average.
            pub momentum: Option<f64>,
            training: Mode,
        }

        impl<B: Backend> $name<B> {
            /// For `num_features` channels, with `eps` 1e-5 and `momentum` 0.1.
            pub fn new(num_features: usize, device: &B) -> Result<Self> {
                let zeros = || Tensor::zeros(num_features, device);
                let ones = || Tensor::ones(num_features, device);
                Ok(Self {
                    weight: Some(Param::new(ones()?)?),
                    bias: Some(Param::new(zeros()?)?),
                    running_mean: Some(Buffer::new(zeros()?)),
                    running_var: Some(Buffer::new(ones()?)),
                    num_batches_tracked: Some(Buffer::new(Tensor::zeros((), (DType::I64, device))?)),
                    eps: 1e-5,
                    momentum: Some(0.1),
                    training: Mode::default(),
                })
            }

            /// The same norm with another `eps`.
            pub fn eps(self, eps: f64) -> Self {
                Self { eps, ..self }
            }

            /// The same norm with another momentum; none averages all batches alike.
            pub fn momentum(self, momentum: Option<f64>) -> Self {
                Self { momentum, ..self }
            }

            /// The same norm without learned factors and terms.
            pub fn without_affine(self) -> Self {
                Self { weight: None, bias: None, ..self }
            }

            /// The same norm without running statistics: it normalises by the batch in evaluation too.
            pub fn without_running_stats(self) -> Self {
                Self { running_mean: None, running_var: None, num_batches_tracked: None, ..self }
            }
        }

        impl<B: Backend> Layer<B> for $name<B> {
            fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
                if !matches!(x.rank(), $ranks) {
                    let why = format!("takes {}, not {}", $shape, x.shape());
                    return Err(Error::shape(stringify!($name), why));
                }
                let (weight, bias) = (self.weight.as_deref(), self.bias.as_deref());
                let (training, eps) = (self.training.training(), self.eps);
                let (Some(mean), Some(var)) = (&self.running_mean, &self.running_var) else {
                    let options = BatchNormOptions { weight, bias, training: true, eps, ..Default::default() };
                    return Ok(x.batch_norm(options)?.output);
                };
                let momentum = if training { self.next_momentum()? } else { 0. };
                let (old_mean, old_var) = (mean.get(), var.get());
                let running = Some((&old_mean, &old_var));
                let options = BatchNormOptions { running, weight, bias, training, momentum, eps };
                let normalised = x.batch_norm(options)?;
                if let Some((new_mean, new_var)) = normalised.running.filter(|_| training) {
                    mean.set(&new_mean);
                    var.set(&new_var);
                }
                Ok(normalised.output)
            }
        }

        impl<B: Backend> $name<B> {
            /// Counts a batch, and says how much it counts.
            fn next_momentum(&self) -> Result<f64> {
                let Some(count) = &self.num_batches_tracked else {
                    return Ok(self.momentum.unwrap_or(0.));
                };
                let seen = (count.get() + 1)?;
                count.set(&seen);
                match self.momentum {
                    Some(momentum) => Ok(momentum),
                    None => Ok(1. / seen.item::<f64>()?),
                }
            }
        }
    )*};
}

batch_norms! {
    BatchNorm1d 2 | 3, "(n, c) or (n, c, length)";
    BatchNorm2d 4, "(n, c, h, w)";
    BatchNorm3d 5, "(n, c, d, h, w)";
}
