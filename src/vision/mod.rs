//! Images: read from files, and changed by the transforms of
//! [torchvision](https://docs.pytorch.org/vision/stable/transforms.html).
mod affine;
mod colour;
mod crop;
#[cfg(feature = "vision")]
mod file;
mod levels;
mod rand_augment;
mod resize;
mod transform;

pub use affine::{Affine, RandomRotation, affine, rotate};
pub use colour::{
    ColorJitter, adjust_brightness, adjust_contrast, adjust_hue, adjust_saturation, rgb_to_grayscale,
};
pub use crop::{
    CenterCrop, RandomCrop, RandomErasing, RandomHorizontalFlip, RandomResizedCrop, RandomVerticalFlip, crop,
};
#[cfg(feature = "vision")]
pub use file::{read_image, write_image};
pub use levels::{adjust_sharpness, autocontrast, equalize, posterize, solarize};
pub use rand_augment::RandAugment;
pub use resize::Resize;
pub use transform::{Compose, Normalize, ToTensor, Transform};
