//! Steps of training: forward, backward, and the optimizer.
use crate::{gpt::Gpt, harness::Harness};
use firesteel::{
    nn::{Conv2d, CrossEntropyLoss, Flatten, Linear, MaxPool2d, ReLU, Sequential},
    optim::{Adam, AdamW, Optimizer},
    prelude::*,
};

/// What models are trained on.
pub type Device = Autodiff<Cpu>;
/// Where models are trained.
pub const DEVICE: Device = Device::new(Cpu);

pub fn cases(h: &Harness) {
    h.case("train_mlp", || {
        let linear = |inputs, outputs| Linear::new(inputs, outputs, &DEVICE);
        let model = Sequential((linear(784, 512)?, ReLU, linear(512, 512)?, ReLU, linear(512, 10)?));
        classify(model, [128, 784], Adam::new(1e-3))
    });
    h.case("train_cnn", || {
        let model = Sequential((
            Conv2d::new(1, 32, 3, &DEVICE)?,
            ReLU,
            Conv2d::new(32, 64, 3, &DEVICE)?,
            ReLU,
            MaxPool2d::new(2),
            Flatten::default(),
            Linear::new(9216, 128, &DEVICE)?,
            ReLU,
            Linear::new(128, 10, &DEVICE)?,
        ));
        classify(model, [64, 1, 28, 28], Adam::new(1e-3))
    });
    h.case("train_transformer", || {
        let (batch, context, vocabulary) = (8, 128, 1000);
        let model = Gpt::new(4, 256, 4, context, vocabulary, &DEVICE)?;
        let x = Tensor::randint(0..vocabulary as i64, [batch, context], &DEVICE)?;
        let y = Tensor::randint(0..vocabulary as i64, [batch * context], &DEVICE)?;
        Ok(steps(model, AdamW::new(3e-4).weight_decay(0.01), move |model: &Gpt<_>| {
            CrossEntropyLoss::default().forward(&model.forward(&x)?.flatten(0, 1)?, &y)
        }))
    });
}

/// Steps on one batch of ten classes.
fn classify<const N: usize>(
    model: impl Layer<Device>,
    shape: [usize; N],
    optimizer: impl Optimizer<Device>,
) -> Result<impl FnMut() -> Result<()>> {
    let x = Tensor::randn(shape, &DEVICE)?;
    let y = Tensor::randint(0..10, [shape[0]], &DEVICE)?;
    Ok(steps(model, optimizer, move |model| CrossEntropyLoss::default().forward(&model.forward(&x)?, &y)))
}

/// With `PEER_LOSS=1`, each step prints its loss.
fn steps<M: Module<Device>>(
    mut model: M,
    mut optimizer: impl Optimizer<Device>,
    loss: impl Fn(&M) -> Result<Tensor<Device>>,
) -> impl FnMut() -> Result<()> {
    let show = std::env::var("PEER_LOSS").is_ok();
    move || {
        let loss = loss(&model)?;
        optimizer.step(&mut model, &loss.backward()?)?;
        if show {
            eprintln!("{}", loss.item::<f32>()?);
        }
        Ok(())
    }
}
