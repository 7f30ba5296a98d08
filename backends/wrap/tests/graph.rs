//! What the graph remembers, forgets and frees.
use firesteel::{Autodiff, Cpu, Result, Tensor};

#[test]
fn the_first_lines_that_anyone_tries() -> Result<()> {
    let device = Autodiff::new(Cpu::default());
    let x = Tensor::new(2.0, &device)?.requires_grad()?;
    let y = (((&x * &x)? + (3.0 * &x)?)? + 1.0)?;
    assert_eq!(y.backward()?.get(&x)?.item::<f32>()?, 7.0);
    Ok(())
}

#[test]
fn third_order_of_the_fourth_power() -> Result<()> {
    let device = Autodiff::new(Autodiff::new(Autodiff::new(Cpu::default())));
    let x = Tensor::new(2.0, &device)?.requires_grad()?;
    let squared = (&x * &x)?;
    let y = (&squared * &squared)?;
    let first = y.backward()?.get(&x)?.clone();
    let second = first.backward()?.get(&x.inner())?.clone();
    let third = second.backward()?.get(&x.inner().inner())?.clone();
    assert_eq!(first.item::<f32>()?, 32.0);
    assert_eq!(second.item::<f32>()?, 48.0);
    assert_eq!(third.item::<f32>()?, 48.0);
    Ok(())
}
