//! Max pooling over windows at places that are partly random.
use super::{Buffer, Layer, Module};
use crate::{Backend, PerDim, Resize, Result, Tensor};

macro_rules! pools {
    ($($name:ident $indices:ident $dims:literal $shape:literal $result:literal;)*) => {$(
        #[doc = concat!("The largest of each window over ", $dims, " dims, in windows whose distances vary at random.")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::{Layer, ", stringify!($name), "}, prelude::*};")]
        #[doc = concat!("let layer = ", stringify!($name), "::new(2, 0.5);")]
        #[doc = concat!("assert_eq!(layer.forward(&Tensor::ones(", $shape, ", &Cpu)?)?.shape(), &", $result, ");")]
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Module)]
        pub struct $name<B: Backend> {
            #[doc = concat!("Random numbers in `[0, 1)` to be used each time, `(n, c, ", $dims, ")`; without them they are drawn.")]
            pub _random_samples: Option<Buffer<B>>,
            /// The size of the window.
            pub kernel_size: PerDim,
            /// The sizes of the result, or their part of the old ones: PyTorch's `output_size` or `output_ratio`.
            pub output: Resize,
        }

        impl<B: Backend> $name<B> {
            /// Windows of this size that make these sizes (`[4, 3]`) or this part of the old ones (`0.5`).
            pub fn new(kernel_size: impl Into<PerDim>, output: impl Into<Resize>) -> Self {
                Self { _random_samples: None, kernel_size: kernel_size.into(), output: output.into() }
            }

            /// What PyTorch gives with `return_indices=True`: the largest, and where they stood, as I64 numbers of
            /// elements in the flattened spatial dims.
            pub fn forward_with_indices(&self, x: &Tensor<B>) -> Result<(Tensor<B>, Tensor<B>)> {
                let samples = self._random_samples.as_ref().map(Buffer::get);
                x.$indices(self.kernel_size.clone(), self.output.clone(), samples.as_ref())
            }
        }

        impl<B: Backend> Layer<B> for $name<B> {
            fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
                Ok(self.forward_with_indices(x)?.0)
            }
        }
    )*};
}

pools! {
    FractionalMaxPool2d fractional_max_pool2d_with_indices 2 "[1, 2, 6, 8]" "[1, 2, 3, 4]";
    FractionalMaxPool3d fractional_max_pool3d_with_indices 3 "[1, 2, 6, 8, 4]" "[1, 2, 3, 4, 2]";
}
