//! Training takes no memory with it. Alone in its process, where nobody else allocates.
use firesteel::{
    nn::{Linear, ReLU, Sequential},
    optim::{Adam, Optimizer, SGD},
    prelude::*,
};

#[test]
fn ten_thousand_steps_leave_memory_where_it_was() -> Result<()> {
    let device = Autodiff::new(Cpu);
    let mut model = Sequential((Linear::new(2, 8, &device)?, ReLU, Linear::new(8, 1, &device)?));
    let x = Tensor::new([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], &device)?;
    let y = Tensor::new([[0.0], [1.0], [1.0], [0.0]], &device)?;

    let mut train = |optimizer: &mut dyn FnMut(&mut _, &_) -> Result<()>, steps: usize| -> Result<usize> {
        for _ in 0..steps {
            let loss = (model.forward(&x)? - &y)?.square()?.mean(..)?;
            optimizer(&mut model, &loss.backward()?)?;
            assert!(loss.item::<f32>()?.is_finite());
        }
        Ok(device.memory().allocated)
    };
    let mut adam = Adam::new(1e-3);
    let mut step = |model: &mut _, gradients: &_| adam.step(model, gradients);
    let before = train(&mut step, 10)?;
    assert_eq!(train(&mut step, 5_000)?, before);
    drop(adam);

    let mut sgd = SGD::new(1e-3).momentum(0.9);
    let mut step = |model: &mut _, gradients: &_| sgd.step(model, gradients);
    let before = train(&mut step, 10)?;
    assert_eq!(train(&mut step, 5_000)?, before);
    Ok(())
}
