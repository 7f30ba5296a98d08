//! More elements around.
use super::stateless::stateless;
use crate::{Error, PadMode, Result, Scalar, Sizes};

/// Declares layers that pad 1 to 3 dims in one mode.
macro_rules! pads {
    ($($name:ident $dims:literal $what:literal $mode:expr, $($value:ident)?;)*) => {$(
        #[doc = concat!("Pads the last ", $dims, " dims with ", $what, ".")]
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::{Layer, ", stringify!($name), "}, prelude::*};")]
        #[doc = concat!("let x = Tensor::ones([1, 3].into_iter().chain([4; ", $dims, "]).collect::<Shape>(), &Cpu)?;")]
        #[doc = concat!("let layer = ", stringify!($name), "::new(1", $(pads!(@example $value),)? ");")]
        /// assert_eq!(layer.forward(&x)?.shape()[2..], [6; 3][..x.rank() - 2]);
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            /// One number for all sides, or two for each dim, from the last to the first; negative ones take away.
            pub padding: Sizes,
            $(
                /// What is put around.
                pub $value: Scalar,
            )?
        }

        impl $name {
            /// This many elements on all sides, or for each dim, from the last to the first, so many before and so
            /// many after: `[left, right, top, bottom, ..]`.
            pub fn new(padding: impl Into<Sizes> $(, $value: impl Into<Scalar>)?) -> Self {
                Self { padding: padding.into() $(, $value: $value.into())? }
            }
        }

        stateless! { $name |layer, x| {
            $(let $value = layer.$value;)?
            x.pad(&each_side(stringify!($name), &layer.padding, $dims)?, $mode)
        } }
    )*};
    (@example $value:ident) => { ", 0.5" };
}

pads! {
    ZeroPad1d 1 "zeros" PadMode::Constant(Scalar::Int(0)),;
    ZeroPad2d 2 "zeros" PadMode::Constant(Scalar::Int(0)),;
    ZeroPad3d 3 "zeros" PadMode::Constant(Scalar::Int(0)),;
    ConstantPad1d 1 "one number" PadMode::Constant(value), value;
    ConstantPad2d 2 "one number" PadMode::Constant(value), value;
    ConstantPad3d 3 "one number" PadMode::Constant(value), value;
    ReflectionPad1d 1 "what is inside, mirrored at the first and last element" PadMode::Reflect,;
    ReflectionPad2d 2 "what is inside, mirrored at the first and last element" PadMode::Reflect,;
    ReflectionPad3d 3 "what is inside, mirrored at the first and last element" PadMode::Reflect,;
    ReplicationPad1d 1 "the first and the last element" PadMode::Replicate,;
    ReplicationPad2d 2 "the first and the last element" PadMode::Replicate,;
    ReplicationPad3d 3 "the first and the last element" PadMode::Replicate,;
    CircularPad1d 1 "what is inside, from the other end" PadMode::Circular,;
    CircularPad2d 2 "what is inside, from the other end" PadMode::Circular,;
    CircularPad3d 3 "what is inside, from the other end" PadMode::Circular,;
}

/// Two numbers for each of `dims` dims.
fn each_side(op: &'static str, padding: &Sizes, dims: usize) -> Result<Vec<isize>> {
    let sides: Vec<isize> = match padding.0[..] {
        [all] => vec![isize::try_from(all).unwrap_or(isize::MAX); 2 * dims],
        ref each => each.iter().map(|&n| isize::try_from(n).unwrap_or(isize::MAX)).collect(),
    };
    if sides.len() == 2 * dims {
        return Ok(sides);
    }
    Err(Error::value(op, format!("the padding {:?} has to be one number or {}", &padding.0[..], 2 * dims)))
}
