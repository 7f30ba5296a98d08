//! Optimizers, each on the problem of its case.
use super::args::Args;
use super::cases::{Case, Optim, Value};
use super::judge::{Output, Results};
use super::run::{Ran, download, upload};
use firesteel::nn::Param;
use firesteel::optim::{Adam, Optimizer, SGD};
use firesteel::{Differentiable, Result};

/// The losses of all steps, then the parameters after each; nothing for an optimizer that there is not.
pub fn run<D: Differentiable>(device: &D, case: &Case, problem: &Optim) -> Ran {
    let load = |raw: &_, _| upload(device, raw);
    let a = Args::named(&case.name, &case.kwargs, &load);
    let lr = a.float_or("lr", 1e-3)?;
    let (weight_decay, maximize) = (a.float_or("weight_decay", 0.)?, a.bool_or("maximize", false)?);
    match &case.name[..] {
        "Adam" => {
            let adam = Adam::new(lr).weight_decay(weight_decay).maximize(maximize);
            let adam = adam.amsgrad(a.bool_or("amsgrad", false)?);
            a.finish()?;
            descend(device, problem, adam).map(Some)
        }
        "SGD" => {
            let sgd = SGD::new(lr).weight_decay(weight_decay).maximize(maximize);
            let sgd = sgd.momentum(a.float_or("momentum", 0.)?).dampening(a.float_or("dampening", 0.)?);
            let sgd = sgd.nesterov(a.bool_or("nesterov", false)?);
            a.finish()?;
            descend(device, problem, sgd).map(Some)
        }
        _ => Ok(None),
    }
}

/// Minimises mean((x @ w + b - y)²).
fn descend<D: Differentiable>(
    device: &D,
    problem: &Optim,
    mut optimizer: impl Optimizer<D>,
) -> Result<Results> {
    let (x, y) = (upload(device, problem.x.raw()?)?, upload(device, problem.y.raw()?)?);
    let initial = problem.initial.iter().map(|tensor| Param::new(upload(device, tensor.raw()?)?));
    let mut model = initial.collect::<Result<Vec<_>>>()?;
    let (mut losses, mut course) = (Vec::new(), Vec::new());
    for _ in &problem.losses {
        let mut guess = x.matmul(&model[0])?;
        if let Some(bias) = model.get(1) {
            guess = guess.add(&**bias)?;
        }
        let loss = guess.sub(&y)?.square()?.mean(..)?;
        losses.push(Output::Value(Value::Float(loss.item()?)));
        optimizer.step(&mut model, &loss.backward()?)?;
        for param in &model {
            course.push(Output::Tensor(download(param)?));
        }
    }
    losses.append(&mut course);
    Ok(Results { outputs: losses, grads: None, seconds: None })
}
