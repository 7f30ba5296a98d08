//! Schedulers, each on an optimizer with two groups of parameters.
use super::args::Args;
use super::cases::{Case, Sched};
use super::judge::{Output, Results};
use super::run::{Ran, upload};
use firesteel::optim::lr_scheduler::{
    Anneal, ConstantLR, CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR, CyclicMode, Direction,
    ExponentialLR, LinearLR, LrScheduler, MultiStepLR, OneCycleLR, PolynomialLR, ReduceLROnPlateau, Schedule,
    StepLR, Threshold,
};
use firesteel::optim::{Optimizer, Rates, SGD};
use firesteel::{Differentiable, Error, Gradients, Result};

/// The learning rates before the first step and after each, then the momenta; nothing for a scheduler that there
/// is not.
pub fn run<D: Differentiable>(device: &D, case: &Case, course: &Sched) -> Ran {
    let load = |raw: &_, _| upload(device, raw);
    let a = Args::named(&case.name, &case.kwargs, &load);
    let mut optimizer = SGD::<D>::new(course.base[0]).momentum(course.momentum);
    for lr in course.base[1..].iter().copied() {
        optimizer = optimizer.group(|_, _| false, |options| options.lr = lr);
    }
    macro_rules! follow {
        ($schedule:expr) => {{
            let schedule = $schedule;
            a.finish()?;
            let scheduler = schedule.start(&mut optimizer)?;
            follow(course, optimizer, scheduler).map(Some)
        }};
    }
    match &case.name[..] {
        "StepLR" => follow!(StepLR { step_size: a.size("step_size")?, gamma: a.float_or("gamma", 0.1)? }),
        "MultiStepLR" => {
            follow!(MultiStepLR { milestones: a.sizes("milestones")?, gamma: a.float_or("gamma", 0.1)? })
        }
        "ConstantLR" => {
            let ConstantLR { factor, total_iters } = ConstantLR::default();
            follow!(ConstantLR {
                factor: a.float_or("factor", factor)?,
                total_iters: a.size_or("total_iters", total_iters)?,
            })
        }
        "LinearLR" => {
            let LinearLR { start_factor, end_factor, total_iters } = LinearLR::default();
            follow!(LinearLR {
                start_factor: a.float_or("start_factor", start_factor)?,
                end_factor: a.float_or("end_factor", end_factor)?,
                total_iters: a.size_or("total_iters", total_iters)?,
            })
        }
        "ExponentialLR" => follow!(ExponentialLR { gamma: a.float_or("gamma", 0.1)? }),
        "PolynomialLR" => {
            let PolynomialLR { total_iters, power } = PolynomialLR::default();
            follow!(PolynomialLR {
                total_iters: a.size_or("total_iters", total_iters)?,
                power: a.float_or("power", power)?,
            })
        }
        "CosineAnnealingLR" => {
            follow!(CosineAnnealingLR { t_max: a.size("T_max")?, eta_min: a.float_or("eta_min", 0.)? })
        }
        "CosineAnnealingWarmRestarts" => follow!(CosineAnnealingWarmRestarts {
            t_0: a.size("T_0")?,
            t_mult: a.size_or("T_mult", 1)?,
            eta_min: a.float_or("eta_min", 0.)?,
        }),
        "CyclicLR" => {
            let gamma = a.float_or("gamma", 1.)?;
            let mode = match a.opt_str("mode")? {
                None | Some("triangular") => CyclicMode::Triangular,
                Some("triangular2") => CyclicMode::Triangular2,
                Some("exp_range") => CyclicMode::ExpRange { gamma },
                Some(other) => return Err(Error::value("mode", format!("there is no {other}"))),
            };
            follow!(CyclicLR {
                step_size_up: a.size_or("step_size_up", 2000)?,
                step_size_down: a.opt_size("step_size_down")?,
                mode,
                ..CyclicLR::new(a.float("base_lr")?, a.float("max_lr")?)
            })
        }
        "OneCycleLR" => {
            let anneal_strategy = match a.opt_str("anneal_strategy")? {
                None | Some("cos") => Anneal::Cos,
                Some("linear") => Anneal::Linear,
                Some(other) => return Err(Error::value("anneal_strategy", format!("there is no {other}"))),
            };
            follow!(OneCycleLR {
                anneal_strategy,
                pct_start: a.float_or("pct_start", 0.3)?,
                three_phase: a.bool_or("three_phase", false)?,
                ..OneCycleLR::new(a.float("max_lr")?, a.size("total_steps")?)
            })
        }
        "ReduceLROnPlateau" => {
            let mode = match a.opt_str("mode")? {
                None | Some("min") => Direction::Min,
                Some("max") => Direction::Max,
                Some(other) => return Err(Error::value("mode", format!("there is no {other}"))),
            };
            let threshold = a.float_or("threshold", 1e-4)?;
            let threshold = match a.opt_str("threshold_mode")? {
                None | Some("rel") => Threshold::Relative(threshold),
                Some("abs") => Threshold::Absolute(threshold),
                Some(other) => return Err(Error::value("threshold_mode", format!("there is no {other}"))),
            };
            follow!(ReduceLROnPlateau {
                mode,
                threshold,
                factor: a.float_or("factor", 0.1)?,
                patience: a.size_or("patience", 10)?,
                cooldown: a.size_or("cooldown", 0)?,
                min_lr: a.float_or("min_lr", 0.)?.into(),
                eps: a.float_or("eps", 1e-8)?,
            })
        }
        _ => Ok(None),
    }
}

/// The rates of the optimizer as the scheduler changes them.
fn follow<D: Differentiable>(
    course: &Sched,
    mut optimizer: SGD<D>,
    mut scheduler: impl LrScheduler,
) -> Result<Results> {
    let momenta =
        |optimizer: &SGD<D>| optimizer.options().map(|options| options.momentum).collect::<Vec<_>>();
    let (mut lrs, mut all) = (vec![optimizer.lrs()], vec![momenta(&optimizer)]);
    for step in 0..course.lrs.len() - 1 {
        optimizer.step(&mut Vec::<firesteel::nn::Param<D>>::new(), &Gradients::new(Default::default()))?;
        match &course.metric {
            Some(metric) => scheduler.step_with(&mut optimizer, metric[step])?,
            None => scheduler.step(&mut optimizer)?,
        }
        lrs.push(optimizer.lrs());
        all.push(momenta(&optimizer));
    }
    Ok(Results { outputs: vec![course_of(&lrs), course_of(&all)], grads: None, seconds: None })
}

/// Numbers of each group for each step, as a tensor: `(steps, groups)`.
fn course_of(rows: &[Vec<f64>]) -> Output {
    Output::Tensor(super::cases::Raw::of_rows(rows))
}
