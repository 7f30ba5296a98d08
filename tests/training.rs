//! What a training loop relies on: optimizers, what is saved and loaded, tied weights and batches.
use firesteel::{
    data::{DataLoader, Dataset},
    io::safetensors,
    nn::{Linear, Param, Sequential, Tanh},
    optim::{Adam, Optimizer, SGD},
    prelude::*,
};

type Stack = Autodiff<Cpu>;

/// The values of `p` after each step down `p²` from 1.
fn path(mut optimizer: impl Optimizer<Stack>, steps: usize) -> Result<Vec<f64>> {
    let mut p = Param::new(Tensor::new(1.0, (DType::F64, &Stack::default()))?)?;
    let mut step = || {
        let gradients = p.square()?.backward()?;
        optimizer.step(&mut p, &gradients)?;
        p.item()
    };
    (0..steps).map(|_| step()).collect()
}

#[track_caller]
fn assert_near(values: Vec<f64>, expected: &[f64]) {
    let near = values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-7);
    assert!(near && values.len() == expected.len(), "{values:?} is not {expected:?}");
}

#[test]
fn sgd_by_hand() -> Result<()> {
    assert_near(path(SGD::new(0.1), 2)?, &[0.8, 0.64]);
    assert_near(path(SGD::new(0.1).maximize(true), 2)?, &[1.2, 1.44]);
    assert_near(path(SGD::new(0.1).weight_decay(0.5), 2)?, &[0.75, 0.5625]);
    assert_near(path(SGD::new(0.1).momentum(0.5), 3)?, &[0.8, 0.54, 0.302]);
    assert_near(path(SGD::new(0.1).momentum(0.5).dampening(0.5), 2)?, &[0.8, 0.62]);
    assert_near(path(SGD::new(0.1).momentum(0.5).nesterov(true), 2)?, &[0.7, 0.44]);
    Ok(())
}

#[test]
fn adam_by_hand() -> Result<()> {
    // m = 0.2, 0.36 and v = 0.004, 0.007236; 0.36 / 0.19 / √(0.007236 / 0.001999) = 0.9958777
    assert_near(path(Adam::new(0.1), 2)?, &[0.9, 0.9 - 0.09958777]);
    // with β = (0.5, 0.5): m = 1, 1.4 and v = 2, 2.62; 1.4 / 0.75 / √(2.62 / 0.75) = 0.9987269
    assert_near(path(Adam::new(0.1).betas((0.5, 0.5)).eps(0.), 2)?, &[0.9, 0.9 - 0.09987269]);
    Ok(())
}

type Net = Sequential<(Linear<Stack>, Tanh, Linear<Stack>)>;

fn net() -> Result<Net> {
    let device = Stack::default();
    Ok(Sequential((Linear::new(2, 5, &device)?, Tanh, Linear::new(5, 1, &device)?)))
}

/// The losses of some steps, bit for bit.
fn train(model: &mut Net, optimizer: &mut impl Optimizer<Stack>, steps: usize) -> Result<Vec<u32>> {
    let x = Tensor::new([[0.0, 0.5], [0.3, 1.0], [1.0, -0.7]], &Stack::default())?;
    let mut step = || {
        let loss = model.forward(&x)?.square()?.mean(..)?;
        optimizer.step(model, &loss.backward()?)?;
        Ok(loss.item::<f32>()?.to_bits())
    };
    (0..steps).map(|_| step()).collect()
}

fn continues<O: Optimizer<Stack>>(optimizer: impl Fn() -> O) -> Result<()> {
    let (mut model, mut original) = (net()?, optimizer());
    train(&mut model, &mut original, 7)?;
    // through the bytes of a file
    let weights = safetensors::to_bytes(&model.state_dict()?, Default::default())?;
    let averages = safetensors::to_bytes(&original.state_dict(&model)?, Default::default())?;
    let uninterrupted = train(&mut model, &mut original, 10)?;

    let (mut model, mut resumed) = (net()?, optimizer());
    model.load_state_dict(&safetensors::from_bytes(&weights)?.0)?;
    resumed.load_state_dict(&model, &safetensors::from_bytes(&averages)?.0)?;
    assert_eq!(train(&mut model, &mut resumed, 10)?, uninterrupted);
    Ok(())
}

#[test]
fn a_run_that_is_saved_and_loaded_continues_exactly() -> Result<()> {
    continues(|| SGD::new(0.1).momentum(0.9).dampening(0.1))?;
    continues(|| Adam::new(0.05))?;
    continues(|| Adam::new(0.05).amsgrad(true).weight_decay(0.01))
}

/// A weight that stands in two places.
#[derive(Module)]
struct Tied<B: Backend> {
    one: Param<B>,
    other: Param<B>,
}

#[test]
fn tied_weights_move_together() -> Result<()> {
    let one = Param::new(Tensor::new(0.0, &Stack::default())?)?;
    let mut model = Tied { other: one.clone(), one };
    assert_eq!(model.num_parameters(), 1);
    let mut optimizer = SGD::new(1.0);
    let mut step = |model: &mut Tied<Stack>| {
        let loss = ((&*model.one * 3.0)? + (&*model.other * 5.0)?)?;
        optimizer.step(model, &loss.backward()?)?;
        Ok::<_, Error>((model.one.item::<f32>()?, model.other.item::<f32>()?))
    };
    assert_eq!(step(&mut model)?, (-8., -8.));
    assert_eq!(step(&mut model)?, (-16., -16.));
    // what is loaded is still one weight
    let state = model.state_dict()?;
    model.load_state_dict(&state)?;
    assert_eq!(step(&mut model)?, (-24., -24.));
    // and so is what was moved to another device
    let mut model = model.to(&Stack::default())?;
    assert_eq!(step(&mut model)?, (-32., -32.));
    assert_eq!(step(&mut model)?, (-40., -40.));
    Ok(())
}

#[test]
fn batches_are_the_same_for_any_number_of_workers() -> Result<()> {
    let examples: Vec<(f32, i64)> = (0..50).map(|i| (i as f32 / 2., i)).collect();
    let batches = |workers: usize, seed: u64, epoch: u64| -> Result<Vec<(Vec<f32>, Vec<i64>)>> {
        let loader = DataLoader::new(examples.clone(), 8)?.shuffle(seed).num_workers(workers);
        let host = |batch: Result<(Tensor<Cpu>, Tensor<Cpu>)>| {
            let (x, y) = batch?;
            Ok((x.to_vec()?, y.to_vec()?))
        };
        loader.iter(epoch, &Cpu).map(host).collect()
    };
    let alone = batches(0, 3, 1)?;
    assert_eq!(batches(1, 3, 1)?, alone);
    assert_eq!(batches(3, 3, 1)?, alone);
    assert_ne!(batches(3, 4, 1)?, alone, "another seed");
    assert_ne!(batches(3, 3, 2)?, alone, "another epoch");
    let mut seen: Vec<i64> = alone.into_iter().flat_map(|(_, y)| y).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..50).collect::<Vec<_>>(), "every example once");
    Ok(())
}

/// A dataset that cannot read its example 5.
struct Faulty {
    panics: bool,
}

impl Dataset for Faulty {
    type Item = f32;
    fn len(&self) -> usize {
        12
    }
    fn item(&self, index: usize) -> Result<f32> {
        match index {
            #[allow(clippy::panic)] // what the loader has to survive
            5 if self.panics => panic!("a scratch"),
            5 => Err(Error::value("faulty", "a scratch")),
            _ => Ok(index as f32),
        }
    }
}

#[test]
fn what_fails_in_a_dataset_reaches_who_asks_for_the_batch() -> Result<()> {
    for (panics, workers) in [(false, 0), (false, 2), (true, 0), (true, 2)] {
        let loader = DataLoader::new(Faulty { panics }, 4)?.num_workers(workers);
        let batches: Vec<Result<Tensor<Cpu>>> = loader.iter(0, &Cpu).collect();
        let [Ok(first), Err(error), Ok(last)] = &batches[..] else {
            panic!("panics: {panics}, {workers} workers: {batches:?}");
        };
        assert!(error.to_string().contains("a scratch"), "{error}");
        assert_eq!(first.to_vec::<f32>()?, [0., 1., 2., 3.]);
        assert_eq!(last.to_vec::<f32>()?, [8., 9., 10., 11.]);
    }
    Ok(())
}
