//! A small convolutional network for digits.
use firesteel::{
    ConvOptions,
    nn::{BatchNorm2d, Conv2d, Flatten, Layer, Linear, MaxPool2d, ReLU, Sequential},
    prelude::*,
};

/// What a convolutional network sees in a picture: `(n, 1, 28, 28) -> (n, channels · 7 · 7)`.
type Features<B> = Sequential<(
    Conv2d<B>,
    BatchNorm2d<B>,
    ReLU,
    MaxPool2d,
    Conv2d<B>,
    BatchNorm2d<B>,
    ReLU,
    MaxPool2d,
    Flatten,
)>;

/// Which digit a picture shows: `(n, 1, 28, 28) -> (n, 10)`, in logits. Half a minute of training, and 170 KB.
#[derive(Module)]
pub struct Net<B: Backend> {
    features: Features<B>,
    classifier: Sequential<(Linear<B>, ReLU, Linear<B>)>,
}

impl<B: Backend> Net<B> {
    /// With weights from the device's generator.
    pub fn new(device: &B) -> Result<Self> {
        let same = || ConvOptions { padding: 1.into(), ..Default::default() };
        Ok(Self {
            features: Sequential((
                Conv2d::with_options(1, 16, 3, same(), device)?,
                BatchNorm2d::new(16, device)?,
                ReLU,
                MaxPool2d::new(2),
                Conv2d::with_options(16, 24, 3, same(), device)?,
                BatchNorm2d::new(24, device)?,
                ReLU,
                MaxPool2d::new(2),
                Flatten::default(),
            )),
            classifier: Sequential((
                Linear::new(24 * 7 * 7, 32, device)?,
                ReLU,
                Linear::new(32, 10, device)?,
            )),
        })
    }

    /// A logit for each digit of each picture.
    pub fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        self.classifier.forward(&self.features.forward(x)?)
    }
}
