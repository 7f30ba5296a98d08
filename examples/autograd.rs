//! The first lines that a PyTorch user tries: a number, a formula, its gradient.
//!
//!     cargo run --release --example autograd
//!     cargo run --release --example autograd --features wgpu -- --backend wgpu
use clap::Parser;
use firesteel::prelude::*;

/// Computes a few gradients.
#[derive(Parser)]
struct Options {
    /// The machine to compute on
    #[arg(long, default_value = "cpu")]
    backend: Any,
}

fn main() -> Result<()> {
    let machine = Options::parse().backend;
    let device = Autodiff::new(machine.clone());

    // x = torch.tensor(2.0, requires_grad=True)
    let x = Tensor::new(2.0, &device)?.requires_grad()?;

    // y = x ** 2 + 3 * x + 1
    let y = ((x.square()? + (&x * 3.0)?)? + 1.0)?;
    println!("x² + 3x + 1 at 2 is {}", y.item::<f32>()?);

    // y.backward(); x.grad
    let gradients = y.backward()?;
    println!("its gradient is {}", gradients.get(&x)?.item::<f32>()?);

    // the same in one pass over memory
    let y = (x.lazy() * &x + 3.0 * x.lazy() + 1.0).eval()?;
    println!("in one pass: {} and {}", y.item::<f32>()?, y.backward()?.get(&x)?.item::<f32>()?);

    // a second derivative is a stack of two: d²/dx² x⁴ = 12 x²
    let device = Autodiff::new(Autodiff::new(machine));
    let inner = Tensor::new(2.0, device.beneath())?.requires_grad()?;
    let x = Tensor::lift(&device, inner.clone()).requires_grad()?;
    let first = x.pow(4)?.backward()?.get(&x)?.clone();
    let second = first.backward()?.get(&inner)?.clone();
    println!("x⁴ at 2: first derivative {}, second {}", first.item::<f32>()?, second.item::<f32>()?);
    Ok(())
}
