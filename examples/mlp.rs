//! A perceptron of two layers on MNIST, by the trainer.
//!
//!     cargo run --release --example mlp
//!     cargo run --release --example mlp --features wgpu -- --backend wgpu
//!     tensorboard --logdir target/mlp
use clap::Parser;
use firesteel::{
    data::{DataLoader, Mnist},
    nn::{CrossEntropyLoss, Flatten, Linear, ReLU, Sequential},
    optim::{
        Adam,
        lr_scheduler::{CosineAnnealingLR, Direction, Schedule},
    },
    prelude::*,
    train::{
        CsvLogger, EarlyStopping, Interval, Learner, LearningRateMonitor, Log, ModelCheckpoint, ProgressBar,
        TableLogger, TensorBoardLogger, Trainer, TrainerOptions, metrics::Accuracy,
    },
};

/// Reads digits: `(n, 1, 28, 28) -> (n, 10)`.
#[derive(Module)]
struct Perceptron<B: Backend> {
    layers: Sequential<(Flatten, Linear<B>, ReLU, Linear<B>)>,
}

impl<D: Differentiable> Learner<D> for Perceptron<D> {
    type Batch = (Tensor<D>, Tensor<D>);

    fn training_step(&self, (images, labels): &Self::Batch, _log: &mut Log) -> Result<Tensor<D>> {
        CrossEntropyLoss::default().forward(&self.layers.forward(images)?, labels)
    }

    fn validation_step(&self, (images, labels): &Self::Batch, log: &mut Log) -> Result<()> {
        let scores = self.layers.forward(images)?;
        log.mean("loss", &CrossEntropyLoss::default().forward(&scores, labels)?, labels.numel());
        log.metric("accuracy", Accuracy::new, &scores, labels)
    }
}

/// Trains a perceptron on MNIST.
#[derive(Parser)]
struct Options {
    /// The machine to train on
    #[arg(long, default_value = "cpu")]
    backend: Any,
}

fn main() -> Result<()> {
    let device = Autodiff::new(Options::parse().backend);
    device.generator().manual_seed(0);
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist");
    let train = DataLoader::new(Mnist::train(digits)?, 64)?.shuffle(0).num_workers(1);
    let test = DataLoader::new(Mnist::test(digits)?, 500)?.num_workers(1);

    let layers = Sequential((
        Flatten::default(),
        Linear::new(784, 256, &device)?,
        ReLU,
        Linear::new(256, 10, &device)?,
    ));
    let mut model = Perceptron { layers };
    println!("{model:?}");

    let epochs = 5;
    let mut optimizer = Adam::new(1e-3);
    let rates = CosineAnnealingLR::new(epochs * train.len()).start(&mut optimizer)?;
    let mut trainer = Trainer::new(TrainerOptions { max_epochs: epochs, ..Default::default() })?
        .lr_scheduler(rates, Interval::Step)
        .callback(EarlyStopping::new("val_loss"))
        .callback(ModelCheckpoint::new("target/mlp").monitor("val_accuracy", Direction::Max))
        .callback(LearningRateMonitor::new(50))
        .callback(ProgressBar::new())
        .logger(TableLogger::new())
        .logger(CsvLogger::new("target/mlp/log.csv"))
        .logger(TensorBoardLogger::new("target/mlp")?);
    trainer.fit_validated(&mut model, &mut optimizer, &train, &test)?;

    let reached = trainer.test(&model, &test)?["test_accuracy"];
    println!("{:.2} % of the test digits are read right", 100. * reached);
    Ok(())
}
