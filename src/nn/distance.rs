//! How alike two batches of vectors are.
use super::stateless::leafless;
use crate::{Backend, CosineSimilarityOptions, PairwiseDistanceOptions, Result, Tensor};

/// Declares layers of two inputs with options.
macro_rules! distances {
    ($($(#[$doc:meta])* $name:ident $method:ident $options:ident;)*) => {$(
        $(#[$doc])*
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::", stringify!($name), ", prelude::*};")]
        /// let x = Tensor::ones([5, 4], &Cpu)?;
        #[doc = concat!("assert_eq!(", stringify!($name), "::default().forward(&x, &x)?.shape(), &[5]);")]
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct $name {
            /// Along which dim, and how exactly.
            pub options: $options,
        }

        impl $name {
            /// A layer with these options.
            pub fn new(options: $options) -> Self {
                Self { options }
            }

            /// One number for each pair of vectors.
            pub fn forward<B: Backend>(&self, a: &Tensor<B>, b: &Tensor<B>) -> Result<Tensor<B>> {
                a.$method(b, self.options)
            }
        }

        leafless! { $name }
    )*};
}

distances! {
    /// The cosine of the angle between vectors along a dim, which is 1 by default.
    CosineSimilarity cosine_similarity CosineSimilarityOptions;
    /// The length of the difference of vectors along the last dim.
    PairwiseDistance pairwise_distance PairwiseDistanceOptions;
}
