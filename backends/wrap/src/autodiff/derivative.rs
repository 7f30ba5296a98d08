//! Derivatives of functions: gradients, Jacobians, Hessians and their products with vectors.
use super::Autodiff;
use firesteel_core::{Backend, Differentiable, Error, Op, Operands, Result, Tensor, backward_all};

/// `Σ y` differentiated by each of `xs`, which need not be leaves; zeros where it does not depend on one. As
/// `torch.autograd.grad`; on a backend that differentiates twice the result can be differentiated again.
/// <https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad.html>
///
/// ```
/// use firesteel::{grad, prelude::*};
/// let device = Autodiff::new(Autodiff::new(Cpu::default()));
/// let x = Tensor::new(2.0, &device)?.requires_grad()?;
/// let y = ((&x * &x)? * &x)?;
/// let [first] = &grad(&y, &[&x])?[..] else { unreachable!() };
/// let [second] = &grad(first, &[&x.lower()])?[..] else { unreachable!() };
/// assert_eq!((first.item::<f32>()?, second.item::<f32>()?), (12.0, 12.0));
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn grad<D: Differentiable>(y: &Tensor<D>, xs: &[&Tensor<D>]) -> Result<Vec<Tensor<D::Inner>>> {
    let gradients = backward_all(&[(y, &y.lower().ones_like()?)], xs)?;
    xs.iter().map(|x| gradients.find(x).cloned().map_or_else(|| x.lower().zeros_like(), Ok)).collect()
}

/// The matrix of all derivatives of `f` at `x`, one row for each element of `f(x)`:
/// `(f(x).numel(), x.numel())`, both in row-major order.
/// <https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.jacobian.html>
///
/// ```
/// use firesteel::{jacobian, prelude::*};
/// let x = Tensor::new([1.0, 2.0], &Cpu::default())?;
/// assert_eq!(jacobian(|x| x * x, &x)?.to_vec::<f32>()?, [2., 0., 0., 4.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn jacobian<B: Backend>(
    f: impl FnOnce(&Tensor<Autodiff<B>>) -> Result<Tensor<Autodiff<B>>>,
    x: &Tensor<B>,
) -> Result<Tensor<B>> {
    let x = variable(x)?;
    let y = f(&x)?;
    let (rows, columns) = (y.numel(), x.numel());
    let flat = y.reshape([rows])?;
    let row = |i| grad(&flat.narrow(0, i, 1)?, &[&x])?.swap_remove(0).reshape([1, columns]);
    if rows == 0 || !y.is_tracked() {
        return Tensor::zeros([rows, columns], (x.dtype(), x.lower().backend()));
    }
    let rows = (0..rows).map(row).collect::<Result<Vec<_>>>()?;
    Tensor::one(Op::Concat(rows.iter().collect::<Operands<_>>(), 0))
}

/// The matrix of second derivatives at `x` of `f`, which gives one number: `(x.numel(), x.numel())`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.hessian.html>
///
/// ```
/// use firesteel::{hessian, prelude::*};
/// let x = Tensor::new([1.0, 2.0], &Cpu::default())?;
/// let cubes = hessian(|x| ((x * x)? * x)?.sum(..), &x)?;
/// assert_eq!(cubes.to_vec::<f32>()?, [6., 0., 0., 12.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn hessian<B: Backend>(
    f: impl FnOnce(&Tensor<Autodiff<Autodiff<B>>>) -> Result<Tensor<Autodiff<Autodiff<B>>>>,
    x: &Tensor<B>,
) -> Result<Tensor<B>> {
    jacobian(|x| gradient(f, x), x)
}

/// The product of `f`'s matrix of second derivatives at `x` with a vector `v` that looks like `x`, without the
/// matrix.
/// <https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.hvp.html>
///
/// ```
/// use firesteel::{hvp, prelude::*};
/// let cpu = Cpu::default();
/// let (x, v) = (Tensor::new([1.0, 2.0], &cpu)?, Tensor::new([1.0, -1.0], &cpu)?);
/// let product = hvp(|x| ((x * x)? * x)?.sum(..), &x, &v)?;
/// assert_eq!(product.to_vec::<f32>()?, [6., -12.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn hvp<B: Backend>(
    f: impl FnOnce(&Tensor<Autodiff<Autodiff<B>>>) -> Result<Tensor<Autodiff<Autodiff<B>>>>,
    x: &Tensor<B>,
    v: &Tensor<B>,
) -> Result<Tensor<B>> {
    let x = variable(x)?;
    let g = gradient(f, &x)?;
    if !g.is_tracked() {
        return x.lower().zeros_like();
    }
    let found = g.backward_with(v)?.find(&x).cloned();
    found.map_or_else(|| x.lower().zeros_like(), Ok)
}

/// The gradient of `f`, which gives one number, as a function that can be differentiated.
fn gradient<D: Backend>(
    f: impl FnOnce(&Tensor<Autodiff<D>>) -> Result<Tensor<Autodiff<D>>>,
    x: &Tensor<D>,
) -> Result<Tensor<D>> {
    let x = variable(x)?;
    let y = f(&x)?;
    if y.numel() != 1 {
        return Err(Error::shape(
            "hessian",
            format!("the function has to give one number, not {}", y.shape()),
        ));
    }
    if !y.is_tracked() {
        return x.lower().zeros_like();
    }
    Ok(grad(&y, &[&x])?.swap_remove(0))
}

/// The same tensor as a leaf, one level up.
fn variable<B: Backend>(x: &Tensor<B>) -> Result<Tensor<Autodiff<B>>> {
    Tensor::lift(&Autodiff::new(x.backend().clone()), x.clone()).requires_grad()
}
