//! Gradients of a user's own: functions with their way back, and functions on a tensor's gradient.
use firesteel_core::{Differentiable, Error, Result, Tensor};
use smallvec::smallvec;

/// A function with a gradient of its own, as PyTorch's `autograd.Function`: `f` runs beneath, without a record,
/// and returns its result and the way back, from the result's gradient to one for each of `xs` (or nothing
/// for those that have none).
/// <https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.Function>
///
/// Its gradient can be differentiated where the way back is made of operations on tensors that were tracked
/// beneath.
///
/// ```
/// use firesteel::{prelude::*, with_gradient};
/// // rounds, and passes the gradient straight through
/// let device = Autodiff::new(Cpu::default());
/// let x = Tensor::new([0.4, 1.6], &device)?.requires_grad()?;
/// let y = with_gradient(&[&x], |xs| Ok((xs[0].round()?, |g: &Tensor<Cpu>| Ok(vec![Some(g.clone())]))))?;
/// assert_eq!(y.to_vec::<f32>()?, [0., 2.]);
/// assert_eq!(y.sum(..)?.backward()?.get(&x)?.to_vec::<f32>()?, [1., 1.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn with_gradient<D: Differentiable, P>(
    xs: &[&Tensor<D>],
    f: impl FnOnce(&[Tensor<D::Inner>]) -> Result<(Tensor<D::Inner>, P)>,
) -> Result<Tensor<D>>
where
    P: Fn(&Tensor<D::Inner>) -> Result<Vec<Option<Tensor<D::Inner>>>> + Send + Sync + 'static,
{
    let Some(first) = xs.first() else {
        return Err(Error::value("with_gradient", "needs at least one tensor"));
    };
    let (y, back) = f(&xs.iter().map(|x| x.lower()).collect::<Vec<_>>())?;
    let count = xs.len();
    recorded("with_gradient", first.backend(), xs, y, move |g| match g {
        Some(g) => back(g),
        None => Ok(vec![None; count]),
    })
}

/// The same tensor with a function on its gradient: what flows back through the result passes through `f`, to
/// be looked at, scaled or replaced by another of the same shape.
/// <https://docs.pytorch.org/docs/stable/generated/torch.Tensor.register_hook.html>
///
/// Unlike PyTorch's hook it belongs to the tensor that is returned, so what does not use that is not touched.
///
/// ```
/// use firesteel::{prelude::*, register_hook};
/// let device = Autodiff::new(Cpu::default());
/// let x = Tensor::new([1.0, 2.0], &device)?.requires_grad()?;
/// let y = (register_hook(&x, |g| g * 10.0)? * 3.0)?;
/// assert_eq!(y.sum(..)?.backward()?.get(&x)?.to_vec::<f32>()?, [30., 30.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn register_hook<D: Differentiable>(
    x: &Tensor<D>,
    f: impl Fn(&Tensor<D::Inner>) -> Result<Tensor<D::Inner>> + Send + Sync + 'static,
) -> Result<Tensor<D>> {
    recorded("register_hook", x.backend(), &[x], x.lower(), move |g| Ok(vec![g.map(&f).transpose()?]))
}

/// One value with its way back.
fn recorded<D: Differentiable>(
    name: &'static str,
    device: &D,
    xs: &[&Tensor<D>],
    y: Tensor<D::Inner>,
    back: impl Fn(Option<&Tensor<D::Inner>>) -> Result<Vec<Option<Tensor<D::Inner>>>> + Send + Sync + 'static,
) -> Result<Tensor<D>> {
    let parents: Vec<_> = xs.iter().map(|x| x.value()).collect();
    let pullback = Box::new(move |received: &[Option<_>]| back(received.first().and_then(Option::as_ref)));
    let values = device.record(name, &parents, smallvec![y.into_value()], pullback)?;
    let value = values.into_iter().next().ok_or_else(|| Error::internal(name, "recorded no result"))?;
    Ok(Tensor::from_value(device.clone(), value))
}
