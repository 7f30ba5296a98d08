//! Gradients kept from growing too large.
use super::{options::check, parameters};
use crate::{DType, Differentiable, Error, Expr, Gradients, Result, Tensor, nn::Module, no_grad};
use std::collections::HashSet;

/// The options of [`clip_grad_norm`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipOptions {
    /// Which norm: 2 is Euclid's, infinity the largest magnitude.
    pub norm_type: f64,
    /// Whether a norm that is not finite is an error. The program then waits for the device.
    pub error_if_nonfinite: bool,
}

impl Default for ClipOptions {
    fn default() -> Self {
        Self { norm_type: 2., error_if_nonfinite: false }
    }
}

/// Scales the gradients of a model so that their norm, as if they were one vector, is no more than `max_norm`; the
/// norm before, as a tensor without dims. Nothing waits for the device.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html>
///
/// ```
/// use firesteel::{nn::Param, optim::clip_grad_norm, prelude::*};
/// let model = Param::new(Tensor::new([3.0, 4.0], &Autodiff::new(Cpu))?)?;
/// let mut gradients = (model.square()? / 2.0)?.sum(..)?.backward()?;
/// let norm = clip_grad_norm(&model, &mut gradients, 1.0, Default::default())?;
/// assert_eq!(norm.item::<f32>()?, 5.0);
/// assert!((gradients.get(&model)?.norm(2, ..)?.item::<f32>()? - 1.0).abs() < 1e-5);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn clip_grad_norm<D: Differentiable>(
    model: &impl Module<D>,
    gradients: &mut Gradients<D::Inner>,
    max_norm: f64,
    options: ClipOptions,
) -> Result<Tensor<D::Inner>> {
    check("clip_grad_norm", [("max_norm", max_norm)], 0.0..)?;
    let total = grad_norm(model, gradients, options.norm_type)?;
    if options.error_if_nonfinite && !total.item::<f64>()?.is_finite() {
        let why = format!("the norm of the gradients is {}: they can't be scaled", total.item::<f64>()?);
        return Err(Error::value("clip_grad_norm", why));
    }
    let factor = (max_norm / (total.lazy() + 1e-6)).minimum(1.).eval()?;
    each_gradient(model, gradients, |g| Expr::update([g], |[g]| [g * factor.lazy()]))?;
    Ok(total)
}

/// Keeps every number of the gradients of a model between `-clip_value` and `clip_value`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html>
///
/// ```
/// use firesteel::{nn::Param, optim::clip_grad_value, prelude::*};
/// let model = Param::new(Tensor::new([3.0, -0.5], &Autodiff::new(Cpu))?)?;
/// let mut gradients = model.square()?.sum(..)?.backward()?;
/// clip_grad_value(&model, &mut gradients, 2.0)?;
/// assert_eq!(gradients.get(&model)?.to_vec::<f32>()?, [2., -1.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn clip_grad_value<D: Differentiable>(
    model: &impl Module<D>,
    gradients: &mut Gradients<D::Inner>,
    clip_value: f64,
) -> Result<()> {
    check("clip_grad_value", [("clip_value", clip_value)], 0.0..)?;
    each_gradient(model, gradients, |g| Expr::update([g], |[g]| [g.maximum(-clip_value).minimum(clip_value)]))
}

/// The norm of the gradients of a model as if they were one vector, as a tensor without dims; zero where there are
/// none. Those of tied parameters are added first.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.get_total_norm.html>
///
/// ```
/// use firesteel::{nn::Param, optim::grad_norm, prelude::*};
/// let model = Param::new(Tensor::new([3.0, -4.0], &Autodiff::new(Cpu))?)?;
/// let gradients = model.square()?.sum(..)?.backward()?;
/// assert_eq!(grad_norm(&model, &gradients, f64::INFINITY)?.item::<f32>()?, 8.0);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn grad_norm<D: Differentiable>(
    model: &impl Module<D>,
    gradients: &Gradients<D::Inner>,
    norm_type: f64,
) -> Result<Tensor<D::Inner>> {
    no_grad(|| {
        let found = parameters::gradients("grad_norm", model, gradients)?;
        let norms =
            found.iter().map(|found| found.gradient.norm(norm_type, ..)).collect::<Result<Vec<_>>>()?;
        let Some(dtype) = norms.iter().map(Tensor::dtype).reduce(DType::promote) else {
            let Some(param) = model.parameters().into_iter().next() else {
                return Err(Error::value("grad_norm", "the model has no parameters, and so no gradients"));
            };
            return Tensor::zeros((), param.backend().beneath());
        };
        let norms = norms.iter().map(|norm| norm.to(dtype)).collect::<Result<Vec<_>>>()?;
        Tensor::stack(&norms.iter().collect::<Vec<_>>(), 0)?.norm(norm_type, ..)
    })
}

/// Changes the gradient of each parameter, in its own memory where nobody else holds it.
fn each_gradient<D: Differentiable>(
    model: &impl Module<D>,
    gradients: &mut Gradients<D::Inner>,
    mut change: impl FnMut(&mut Tensor<D::Inner>) -> Result<()>,
) -> Result<()> {
    let mut seen = HashSet::new();
    for param in model.parameters().into_iter().filter(|param| seen.insert(D::place(param.value()))) {
        if let Some(mut gradient) = gradients.take(param) {
            let done = no_grad(|| change(&mut gradient));
            gradients.set(param, gradient);
            done?;
        }
    }
    Ok(())
}
