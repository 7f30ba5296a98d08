//! Normalisations.
mod batch;
mod instance;
mod layer;
mod response;
mod sync;

pub use batch::{BatchNorm1d, BatchNorm2d, BatchNorm3d};
pub use instance::{InstanceNorm1d, InstanceNorm2d, InstanceNorm3d};
pub use layer::{GroupNorm, LayerNorm, RMSNorm};
pub use response::{CrossMapLRN2d, LocalResponseNorm};
pub use sync::{ProcessGroup, SyncBatchNorm};

/// Declares a normalisation of each channel that can remember running statistics.
macro_rules! running_norm {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        #[derive(Clone, Module)]
        #[module(extra_repr)]
        pub struct $name<B: Backend> {
            /// The learned factors: `(num_features)`
            pub weight: Option<Param<B>>,
            /// The learned terms: `(num_features)`
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
            num_features: usize,
            pub(super) training: Mode,
        }

        impl<B: Backend> $name<B> {
            /// With factors that begin as ones and terms that begin as zeros, and with running statistics.
            fn with_everything(num_features: usize, device: &B) -> Result<Self> {
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
                    num_features,
                    training: Mode::default(),
                })
            }

            fn extra_repr(&self) -> String {
                let momentum = self.momentum.map_or("none".to_owned(), |momentum| momentum.to_string());
                let (features, eps) = (self.num_features, self.eps);
                let (affine, running) = (self.weight.is_some(), self.running_mean.is_some());
                format!("{features}, eps={eps:?}, momentum={momentum}, affine={affine}, track_running_stats={running}")
            }

            /// Sets the running statistics back to those of the start.
            pub fn reset_running_stats(&self) -> Result<()> {
                for buffer in [&self.running_mean, &self.num_batches_tracked].into_iter().flatten() {
                    buffer.set(&buffer.get().zeros_like()?);
                }
                self.running_var.iter().try_for_each(|var| {
                    var.set(&var.get().ones_like()?);
                    Ok(())
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

            /// The same norm without running statistics: it normalises by what comes in evaluation too.
            pub fn without_running_stats(self) -> Self {
                Self { running_mean: None, running_var: None, num_batches_tracked: None, ..self }
            }
        }
    };
}
use running_norm;
