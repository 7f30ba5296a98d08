//! Trains the page's network on all of MNIST, each batch a little turned, moved and scaled as hands do, and writes its
//! weights where the page has them.
//!
//!     cargo run --release -p firesteel-web --example train
use firesteel::{
    GridMode,
    data::{DataLoader, Dataset, Mnist, Rng},
    io::safetensors,
    nn::CrossEntropyLoss,
    optim::{Adam, Optimizer, Rates},
    prelude::*,
    vision::{Affine, affine},
};
use firesteel_web::net::Net;

const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/page/digits.safetensors");
const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/mnist");
const EPOCHS: u64 = 6;

fn main() -> Result<()> {
    let device = Autodiff::new(Cpu);
    device.generator().manual_seed(0);
    let train = DataLoader::new(Mnist::train(DIGITS)?, 64)?.shuffle(0).drop_last().num_workers(1);
    let test = DataLoader::new(Mnist::test(DIGITS)?, 500)?.num_workers(1);

    let mut net = Net::new(&device)?;
    let mut optimizer = Adam::new(2e-3);
    let mut rng = Rng::new(0);
    for epoch in 0..EPOCHS {
        optimizer.set_lr(2e-3 * 0.3f64.powf(epoch as f64));
        net.train();
        for batch in train.iter(epoch, &device) {
            let (images, labels) = batch?;
            let images = affine(&images, hand(&mut rng))?;
            let loss = CrossEntropyLoss::default().forward(&net.forward(&images)?, &labels)?;
            optimizer.step(&mut net, &loss.backward()?)?;
        }
        net.eval();
        let mut right = 0;
        for batch in test.iter(0, &device) {
            let (images, labels) = batch?;
            let guesses = no_grad(|| net.forward(&images))?.argmax(1)?;
            right += guesses.eq(&labels)?.sum(..)?.item::<i64>()?;
        }
        let percent = 100. * right as f64 / test.dataset().len() as f64;
        println!("epoch {}: {percent:.2} % of the test digits are read right", epoch + 1);
    }
    safetensors::save(WEIGHTS, &net.state_dict()?)?;
    println!("saved {WEIGHTS}");
    Ok(())
}

/// How one hand writes.
fn hand(rng: &mut Rng) -> Affine {
    Affine {
        angle: rng.uniform_in(-15., 15.),
        translate: [rng.uniform_in(-1.5, 1.5), rng.uniform_in(-1.5, 1.5)],
        scale: rng.uniform_in(0.85, 1.1),
        shear: [rng.uniform_in(-15., 15.), 0.],
        mode: GridMode::Bilinear,
        ..Default::default()
    }
}
