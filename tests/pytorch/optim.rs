//! Optimizers, each on the problem of its case.
use super::args::Args;
use super::cases::{Case, Optim, Value};
use super::judge::{Output, Results};
use super::run::{Ran, download, upload};
use firesteel::nn::Param;
use firesteel::optim::{
    ASGDOptions, AdadeltaOptions, AdafactorOptions, AdagradOptions, AdamOptions, AdamWOptions, AdamaxOptions,
    AdjustLr, Descent, LBFGS, LBFGSOptions, LineSearch, MuonOptions, NAdamOptions, Optimizer, RAdamOptions,
    RMSpropOptions, RpropOptions, SGDOptions,
};
use firesteel::{Differentiable, Error, Result, Tensor, block_on};

/// The losses of all steps, then the parameters after each; nothing for an optimizer that there is not.
pub fn run<D: Differentiable>(device: &D, case: &Case, problem: &Optim) -> Ran {
    let load = |raw: &_, _| upload(device, raw);
    let a = Args::named(&case.name, &case.kwargs, &load);
    /// The optimizer with the options of the case, each read by its type, and else the defaults.
    macro_rules! descend {
        ($options:ident: $($reader:ident $($field:ident)+),+) => {{
            let mut options = $options::default();
            $($(options.$field = $reader(&a, stringify!($field), options.$field)?;)+)+
            a.finish()?;
            let mut optimizer = Descent::with_options(options);
            let step = |model: &mut Vec<Param<D>>, guess: &Guess<D>| {
                let loss = guess.loss(model)?;
                optimizer.step(model, &loss.backward()?)?;
                loss.item()
            };
            descend(device, problem, step).map(Some)
        }};
    }
    match &case.name[..] {
        "Adadelta" => descend!(AdadeltaOptions: number lr rho eps weight_decay, flag maximize),
        "Adafactor" => descend!(AdafactorOptions: number lr beta2_decay d weight_decay, flag maximize),
        "Adagrad" => {
            descend!(AdagradOptions: number lr lr_decay weight_decay initial_accumulator_value eps, flag maximize)
        }
        "Adam" => descend!(AdamOptions: number lr eps weight_decay, pair betas, flag amsgrad maximize),
        "AdamW" => descend!(AdamWOptions: number lr eps weight_decay, pair betas, flag amsgrad maximize),
        "Adamax" => descend!(AdamaxOptions: number lr eps weight_decay, pair betas, flag maximize),
        "ASGD" => descend!(ASGDOptions: number lr lambd alpha t0 weight_decay, flag maximize),
        "LBFGS" => {
            let default = LBFGSOptions::default();
            let line_search = match a.opt_str("line_search_fn")? {
                None => LineSearch::None,
                Some("strong_wolfe") => LineSearch::StrongWolfe,
                Some(other) => return Err(Error::value("line_search_fn", format!("there is no {other}"))),
            };
            let mut optimizer = LBFGS::with_options(LBFGSOptions {
                lr: a.float_or("lr", default.lr)?,
                tolerance_grad: a.float_or("tolerance_grad", default.tolerance_grad)?,
                maximize: a.bool_or("maximize", default.maximize)?,
                line_search,
                ..default
            });
            a.finish()?;
            let step = |model: &mut Vec<Param<D>>, guess: &Guess<D>| {
                optimizer.step(model, |model| guess.loss(model))
            };
            descend(device, problem, step).map(Some)
        }
        "Muon" => {
            descend!(MuonOptions: number lr weight_decay momentum eps, flag nesterov, triple ns_coefficients,
            size ns_steps, adjustment adjust_lr)
        }
        "NAdam" => descend!(NAdamOptions: number lr eps weight_decay momentum_decay, pair betas,
            flag decoupled_weight_decay maximize),
        "RAdam" => {
            descend!(RAdamOptions: number lr eps weight_decay, pair betas, flag decoupled_weight_decay maximize)
        }
        "RMSprop" => {
            descend!(RMSpropOptions: number lr alpha eps weight_decay momentum, flag centered maximize)
        }
        "Rprop" => descend!(RpropOptions: number lr, pair etas step_sizes, flag maximize),
        "SGD" => descend!(SGDOptions: number lr momentum dampening weight_decay, flag nesterov maximize),
        _ => Ok(None),
    }
}

/// The arguments of a case.
type Kwargs<'a, D> = Args<'a, Tensor<D>>;

fn number<D: Differentiable>(a: &Kwargs<D>, name: &'static str, default: f64) -> Result<f64> {
    a.float_or(name, default)
}

fn flag<D: Differentiable>(a: &Kwargs<D>, name: &'static str, default: bool) -> Result<bool> {
    a.bool_or(name, default)
}

fn size<D: Differentiable>(a: &Kwargs<D>, name: &'static str, default: usize) -> Result<usize> {
    a.size_or(name, default)
}

fn pair<D: Differentiable>(a: &Kwargs<D>, name: &'static str, default: (f64, f64)) -> Result<(f64, f64)> {
    match a.opt_floats(name)?.as_deref() {
        None => Ok(default),
        Some(&[x, y]) => Ok((x, y)),
        Some(other) => Err(Error::value(name, format!("{other:?} are not two"))),
    }
}

fn triple<D: Differentiable>(
    a: &Kwargs<D>,
    name: &'static str,
    default: (f64, f64, f64),
) -> Result<(f64, f64, f64)> {
    match a.opt_floats(name)?.as_deref() {
        None => Ok(default),
        Some(&[x, y, z]) => Ok((x, y, z)),
        Some(other) => Err(Error::value(name, format!("{other:?} are not three"))),
    }
}

fn adjustment<D: Differentiable>(a: &Kwargs<D>, _: &'static str, default: AdjustLr) -> Result<AdjustLr> {
    Ok(match a.opt_str("adjust_lr_fn")? {
        None => default,
        Some("original") => AdjustLr::Original,
        Some("match_rms_adamw") => AdjustLr::MatchRmsAdamW,
        Some("spectral_unclamped") => AdjustLr::SpectralUnclamped,
        Some(other) => return Err(Error::value("adjust_lr_fn", format!("there is no {other}"))),
    })
}

/// The inputs and what should come of them.
struct Guess<D: Differentiable> {
    x: Tensor<D>,
    y: Tensor<D>,
}

impl<D: Differentiable> Guess<D> {
    /// mean((x @ w + b - y)²)
    fn loss(&self, model: &[Param<D>]) -> Result<Tensor<D>> {
        let mut guess = self.x.matmul(&model[0])?;
        if let Some(bias) = model.get(1) {
            guess = guess.add(&**bias)?;
        }
        guess.sub(&self.y)?.square()?.mean(..)
    }
}

/// Minimises the loss by steps, each of which gives the loss before it.
fn descend<D: Differentiable>(
    device: &D,
    problem: &Optim,
    mut step: impl FnMut(&mut Vec<Param<D>>, &Guess<D>) -> Result<f64>,
) -> Result<Results> {
    let guess = Guess { x: upload(device, problem.x.raw()?)?, y: upload(device, problem.y.raw()?)? };
    let initial = problem.initial.iter().map(|tensor| Param::new(upload(device, tensor.raw()?)?));
    let mut model = initial.collect::<Result<Vec<_>>>()?;
    let (mut losses, mut course) = (Vec::new(), Vec::new());
    for _ in &problem.losses {
        losses.push(Output::Value(Value::Float(step(&mut model, &guess)?)));
        for param in &model {
            course.push(Output::Tensor(block_on(download(param))?));
        }
    }
    losses.append(&mut course);
    Ok(Results { outputs: losses, grads: None, seconds: None })
}
