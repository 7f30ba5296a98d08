//! Optimizers and schedulers beyond the cases of `tests/pytorch.rs`: resumed runs, groups of parameters, what is
//! refused, and numbers recorded from PyTorch 2.15.
use firesteel::{
    io::safetensors,
    nn::{Linear, Param, Sequential, StateDict, Tanh},
    optim::{lr_scheduler::*, *},
    prelude::*,
};

type Stack = Autodiff<Cpu>;

// ---- resumed runs

/// Matrices alone, so that Muon takes it too.
type Net = Sequential<(Linear<Stack>, Tanh, Linear<Stack>)>;

fn net() -> Result<Net> {
    let device = Stack::default();
    Ok(Sequential((Linear::without_bias(2, 5, &device)?, Tanh, Linear::without_bias(5, 1, &device)?)))
}

fn loss(model: &Net) -> Result<Tensor<Stack>> {
    let x = Tensor::new([[0.0, 0.5], [0.3, 1.0], [1.0, -0.7]], &Stack::default())?;
    (model.forward(&x)? - 1.0)?.square()?.mean(..)
}

/// The losses of some steps, bit for bit.
fn train(model: &mut Net, optimizer: &mut impl Optimizer<Stack>, steps: usize) -> Result<Vec<u32>> {
    let mut step = || {
        let loss = loss(model)?;
        optimizer.step(model, &loss.backward()?)?;
        Ok(loss.item::<f32>()?.to_bits())
    };
    (0..steps).map(|_| step()).collect()
}

/// What comes back from the bytes of a file.
fn saved(state: StateDict) -> Result<StateDict> {
    Ok(safetensors::from_bytes(&safetensors::to_bytes(&state, Default::default())?)?.0)
}

fn continues<R: Rule>(options: R) -> Result<()> {
    let optimizer = || {
        Descent::<R, Stack>::with_options(options.clone())
            .group(|name, _| name == "2.weight", |o| *o.lr_mut() *= 0.5)
    };
    let (mut model, mut original) = (net()?, optimizer());
    train(&mut model, &mut original, 7)?;
    let (weights, remembered) = (saved(model.state_dict()?)?, saved(original.state_dict(&model)?)?);
    let uninterrupted = train(&mut model, &mut original, 7)?;

    let (mut model, mut resumed) = (net()?, optimizer());
    // what the program says differently is overruled
    resumed.set_lr(1e9);
    model.load_state_dict(&weights)?;
    resumed.load_state_dict(&model, &remembered)?;
    assert_eq!(train(&mut model, &mut resumed, 7)?, uninterrupted, "{options:?}");

    // a state that lacks something is refused, and so is one that has something else
    for name in remembered.keys().filter(|name| !name.ends_with(".step")) {
        let mut less = remembered.clone();
        less.remove(name);
        assert!(
            optimizer().load_state_dict(&model, &less).is_err_and(|e| e.message().contains(name)),
            "{name}"
        );
    }
    let mut more = remembered.clone();
    more.insert("0.weight.other".into(), remembered["0.weight.step"].clone());
    assert!(optimizer().load_state_dict(&model, &more).is_err());
    Ok(())
}

#[test]
fn a_resumed_run_continues_exactly_whatever_the_optimizer() -> Result<()> {
    continues(AdadeltaOptions { lr: 0.5, weight_decay: 0.1, ..Default::default() })?;
    continues(AdafactorOptions::default())?;
    continues(AdagradOptions { lr_decay: 0.1, initial_accumulator_value: 0.1, ..Default::default() })?;
    continues(AdamOptions { amsgrad: true, ..Default::default() })?;
    continues(AdamWOptions::default())?;
    continues(AdamaxOptions::default())?;
    continues(ASGDOptions { t0: 3., lambd: 0.1, ..Default::default() })?;
    continues(MuonOptions::default())?;
    continues(NAdamOptions { momentum_decay: 0.1, ..Default::default() })?;
    continues(RAdamOptions { decoupled_weight_decay: true, weight_decay: 0.1, ..Default::default() })?;
    continues(RMSpropOptions { centered: true, momentum: 0.5, ..Default::default() })?;
    continues(RpropOptions::default())?;
    continues(SGDOptions { lr: 0.1, momentum: 0.9, dampening: 0.1, ..Default::default() })?;
    continues(SGDOptions { lr: 0.1, ..Default::default() })
}

#[test]
fn lbfgs_resumes_exactly() -> Result<()> {
    for line_search in [LineSearch::None, LineSearch::StrongWolfe] {
        let options = LBFGSOptions { lr: 0.1, max_iter: 3, line_search, ..Default::default() };
        let steps = |model: &mut Net, optimizer: &mut LBFGS<Stack>| -> Result<Vec<u64>> {
            (0..4).map(|_| Ok(optimizer.step(model, loss)?.to_bits())).collect()
        };
        let (mut model, mut original) = (net()?, LBFGS::with_options(options.clone()));
        steps(&mut model, &mut original)?;
        let (weights, remembered) = (saved(model.state_dict()?)?, saved(original.state_dict()?)?);
        let uninterrupted = steps(&mut model, &mut original)?;

        let (mut model, mut resumed) = (net()?, LBFGS::with_options(options));
        model.load_state_dict(&weights)?;
        resumed.load_state_dict(&model, &remembered)?;
        assert_eq!(steps(&mut model, &mut resumed)?, uninterrupted);
    }
    Ok(())
}

// ---- L-BFGS, whose cases in F32 are lost in rounding

/// The losses of six steps down Rosenbrock's function of three numbers in F64.
fn rosenbrock(options: LBFGSOptions) -> Result<Vec<f64>> {
    let start = Tensor::new([-1.2, 1.0, 0.5], (DType::F64, &Stack::default()))?;
    let (mut p, sign) = (Param::new(start)?, if options.maximize { -1.0 } else { 1.0 });
    let mut optimizer = LBFGS::with_options(options);
    let mut step = || {
        optimizer.step(&mut p, |p| {
            let (x, y) = (p.narrow(0, 0, 2)?, p.narrow(0, 1, 2)?);
            let valley = (y.lazy() - x.lazy().square()).square() * 100.;
            (sign * (valley + (1. - x.lazy()).square())).eval()?.sum(..)
        })
    };
    (0..6).map(|_| step()).collect()
}

#[track_caller]
fn assert_near(values: &[f64], expected: &[f64], relative: f64) {
    let near = values.iter().zip(expected).all(|(a, b)| (a - b).abs() <= relative * b.abs());
    assert!(near && values.len() == expected.len(), "{values:?} is not {expected:?}");
}

#[test]
fn lbfgs_goes_down_as_pytorch_does() -> Result<()> {
    let plain = LBFGSOptions { lr: 0.05, ..Default::default() };
    let losses = [
        49.2,
        10.261081133711928,
        4.699971338145224,
        3.9187857953449283,
        3.7926452581781205,
        3.7296902518075585,
    ];
    assert_near(&rosenbrock(plain)?, &losses, 1e-6);
    let forgetful = LBFGSOptions { lr: 0.5, history_size: 2, max_iter: 3, ..Default::default() };
    let losses = [
        49.2,
        4.296834637650641,
        3.696782540403685,
        3.641194836077294,
        3.633908993802382,
        3.6231208313911507,
    ];
    assert_near(&rosenbrock(forgetful)?, &losses, 1e-6);
    let wolfe = LBFGSOptions { line_search: LineSearch::StrongWolfe, max_iter: 4, ..Default::default() };
    let losses = [
        49.2,
        3.69017358526632,
        3.5854138113885643,
        3.3979523265808282,
        2.9399271744719697,
        2.6874443994521373,
    ];
    assert_near(&rosenbrock(wolfe.clone())?, &losses, 1e-6);
    let up = LBFGSOptions { max_iter: 3, maximize: true, ..wolfe };
    let losses = [
        -49.2,
        -5.203542581048499,
        -3.69017358526632,
        -3.595731645621954,
        -3.5854138113885643,
        -3.469729698107506,
    ];
    assert_near(&rosenbrock(up)?, &losses, 1e-6);
    Ok(())
}

// ---- groups, and what is refused

#[test]
fn groups_have_rates_of_their_own() -> Result<()> {
    let device = Stack::default();
    let mut model = Linear::new(1, 1, &device)?;
    let (before, bias) = (model.weight.item::<f64>()?, |m: &Linear<Stack>| {
        m.bias.as_ref().map_or(Ok(0.), |b| b.item::<f64>())
    });
    let bias_before = bias(&model)?;
    let mut optimizer = SGD::new(0.5).group(|name, _| name == "bias", |o| o.lr = 0.25);
    let step = |model: &mut Linear<Stack>, optimizer: &mut SGD<Stack>| {
        let gradients = model.forward(&Tensor::ones([1, 1], &device)?)?.sum(..)?.backward()?;
        optimizer.step(model, &gradients)
    };
    step(&mut model, &mut optimizer)?;
    assert!((before - model.weight.item::<f64>()? - 0.5).abs() < 1e-6);
    assert!((bias_before - bias(&model)? - 0.25).abs() < 1e-6);
    // the weight is left to another
    let kept = model.weight.item::<f64>()?;
    step(&mut model, &mut SGD::new(1.0).only(|name, _| name == "bias"))?;
    assert_eq!(model.weight.item::<f64>()?, kept);
    Ok(())
}

#[test]
fn parameters_in_different_steps_change_as_if_each_were_alone() -> Result<()> {
    let device = Stack::default();
    let gradients = |model: &Linear<Stack>, both: bool| {
        let sum = model.weight.square()?.sum(..)?;
        let bias = model.bias.as_ref().map(|bias| bias.exp()?.sum(..)).transpose()?;
        match bias {
            Some(bias) if both => (sum + bias)?.backward(),
            _ => sum.backward(),
        }
    };
    for decay in [0., 0.1] {
        let mut together = Linear::new(3, 3, &device)?;
        let mut alone = together.clone();
        let all = || AdamW::<Stack>::new(0.1).weight_decay(decay);
        let (mut one, mut of_weight, mut of_bias) =
            (all(), all().only(|name, _| name == "weight"), all().only(|name, _| name == "bias"));
        // the bias is two steps behind
        for step in 0..5 {
            let found = gradients(&together, step > 1)?;
            one.step(&mut together, &found)?;
            let found = gradients(&alone, step > 1)?;
            of_weight.step(&mut alone, &found)?;
            of_bias.step(&mut alone, &found)?;
        }
        for ((name, a), (_, b)) in together.named_parameters().into_iter().zip(alone.named_parameters()) {
            assert_eq!(a.to_vec::<f32>()?, b.to_vec::<f32>()?, "{name} with decay {decay}");
        }
    }
    Ok(())
}

#[test]
fn what_has_no_gradient_stays() -> Result<()> {
    let device = Stack::default();
    let one = || Param::new(Tensor::new([1.0], &device)?);
    let mut model = vec![one()?, one()?];
    let gradients = model[0].square()?.sum(..)?.backward()?;
    let mut optimizer = AdamW::new(0.1);
    optimizer.step(&mut model, &gradients)?;
    assert!(model[0].item::<f32>()? < 1.);
    assert_eq!(model[1].item::<f32>()?, 1.);
    assert!(!optimizer.state_dict(&model)?.contains_key("1.step"));
    Ok(())
}

/// An option out of its range is an error at the step, and then nothing has changed.
fn refuses<R: Rule>(options: R) -> Result<()> {
    let mut p = Param::new(Tensor::new([[1.0]], &Stack::default())?)?;
    let gradients = p.square()?.sum(..)?.backward()?;
    let refused = Descent::with_options(options.clone()).step(&mut p, &gradients);
    assert!(refused.is_err_and(|e| e.op() == R::NAME), "{options:?}");
    assert_eq!(p.item::<f32>()?, 1.);
    Ok(())
}

#[test]
fn options_out_of_range_are_refused() -> Result<()> {
    for lr in [-1., f64::NAN] {
        refuses(AdadeltaOptions { lr, ..Default::default() })?;
        refuses(AdafactorOptions { lr, ..Default::default() })?;
        refuses(AdagradOptions { lr, ..Default::default() })?;
        refuses(AdamOptions { lr, ..Default::default() })?;
        refuses(AdamWOptions { lr, ..Default::default() })?;
        refuses(AdamaxOptions { lr, ..Default::default() })?;
        refuses(ASGDOptions { lr, ..Default::default() })?;
        refuses(MuonOptions { lr, ..Default::default() })?;
        refuses(NAdamOptions { lr, ..Default::default() })?;
        refuses(RAdamOptions { lr, ..Default::default() })?;
        refuses(RMSpropOptions { lr, ..Default::default() })?;
        refuses(RpropOptions { lr, ..Default::default() })?;
        refuses(SGDOptions { lr, ..Default::default() })?;
    }
    refuses(AdamOptions { betas: (1., 0.9), ..Default::default() })?;
    refuses(AdamWOptions { betas: (0.9, -0.1), ..Default::default() })?;
    refuses(AdadeltaOptions { rho: 1.1, ..Default::default() })?;
    refuses(AdafactorOptions { d: 0.5, ..Default::default() })?;
    refuses(MuonOptions { ns_steps: 100, ..Default::default() })?;
    refuses(RpropOptions { etas: (1.5, 1.2), ..Default::default() })?;
    refuses(SGDOptions { nesterov: true, ..Default::default() })?;
    let mut vector = Param::new(Tensor::new([1.0], &Stack::default())?)?;
    let gradients = vector.square()?.sum(..)?.backward()?;
    assert!(
        Muon::new(0.1).step(&mut vector, &gradients).is_err_and(|e| e.message().contains("only matrices"))
    );
    assert!(LBFGS::new(f64::NAN).step(&mut vector, |p| p.square()?.sum(..)).is_err());
    Ok(())
}

// ---- schedulers

/// The rates before the first step and after each.
fn rates(schedule: impl Schedule, steps: usize) -> Result<Vec<f64>> {
    let mut optimizer = SGD::<Stack>::new(0.1).momentum(0.9);
    let mut scheduler = schedule.start(&mut optimizer)?;
    let mut rates = vec![optimizer.lr()];
    for _ in 1..steps {
        scheduler.step(&mut optimizer)?;
        rates.push(optimizer.lr());
    }
    Ok(rates)
}

#[test]
fn schedules_join_as_pytorch_joins_them() -> Result<()> {
    let lambda = LambdaLR::new(|epoch| 0.9f64.powf(epoch as f64));
    assert_near(&rates(lambda, 5)?, &[0.1, 0.09, 0.081, 0.0729, 0.06561], 1e-8);
    let product = MultiplicativeLR::new(|epoch| 1. - 0.1 * epoch as f64);
    assert_near(&rates(product, 5)?, &[0.1, 0.09, 0.072, 0.0504, 0.03024], 1e-8);

    let swa = |anneal_epochs, anneal_strategy| SWALR { anneal_epochs, anneal_strategy, ..SWALR::new(0.02) };
    let expected = [0.1, 0.0882842712, 0.06, 0.0317157288, 0.02, 0.02];
    assert_near(&rates(swa(4, Anneal::Cos), 6)?, &expected, 1e-8);
    let expected = [0.1, 0.0733333333, 0.0466666667, 0.02, 0.02, 0.02];
    assert_near(&rates(swa(3, Anneal::Linear), 6)?, &expected, 1e-8);
    assert_near(&rates(swa(0, Anneal::Cos), 3)?, &[0.02; 3], 1e-8);

    let linear = |total_iters| LinearLR { start_factor: 0.25, end_factor: 1., total_iters };
    let cosine = |t_max| CosineAnnealingLR { t_max, eta_min: 0.01 };
    let constant = |factor, total_iters| ConstantLR { factor, total_iters };
    let chain = ChainedScheduler::new().and(constant(0.5, 3)).and(ExponentialLR { gamma: 0.9 });
    assert_near(&rates(chain, 6)?, &[0.05, 0.045, 0.0405, 0.0729, 0.06561, 0.059049], 1e-8);
    let chain =
        ChainedScheduler::new().and(linear(4)).and(cosine(5)).and(StepLR { step_size: 3, gamma: 0.5 });
    let expected =
        [0.025, 0.0405271618, 0.0446578317, 0.0176833012, 0.013251507, 0.01, 0.00929711763, 0.00745694768];
    assert_near(&rates(chain, 8)?, &expected, 1e-8);

    let sequence = SequentialLR::new(linear(3)).then(3, cosine(4)).then(8, ExponentialLR { gamma: 0.5 });
    let expected = [0.025, 0.05, 0.075, 0.1, 0.0868198052, 0.055, 0.0231801948, 0.01, 0.1, 0.05, 0.025];
    assert_near(&rates(sequence, 11)?, &expected, 1e-8);
    let restarts = CosineAnnealingWarmRestarts { t_mult: 2, ..CosineAnnealingWarmRestarts::new(2) };
    let sequence =
        SequentialLR::new(constant(0.1, 2)).then(3, MultiplicativeLR::new(|_| 0.9)).then(6, restarts);
    let expected = [0.01, 0.01, 0.1, 0.09, 0.081, 0.0729, 0.1, 0.05, 0.1, 0.0853553391];
    assert_near(&rates(sequence, 10)?, &expected, 1e-8);
    let sequence = SequentialLR::new(PolynomialLR { total_iters: 4, power: 2. }).then(3, constant(0.5, 2));
    assert_near(&rates(sequence, 8)?, &[0.1, 0.05625, 0.025, 0.05, 0.05, 0.1, 0.1, 0.1], 1e-8);
    Ok(())
}

#[test]
fn a_resumed_schedule_continues_exactly() -> Result<()> {
    let schedule = || {
        SequentialLR::new(LinearLR::default())
            .then(4, CyclicLR { step_size_up: 3, ..CyclicLR::new(0.1, 0.3) })
    };
    let model: Vec<Param<Stack>> = vec![];
    let make = || SGD::<Stack>::new(0.1).momentum(0.5);
    let mut optimizer = make();
    let mut scheduler = schedule().start(&mut optimizer)?;
    let steps = |optimizer: &mut SGD<Stack>, scheduler: &mut dyn LrScheduler| -> Result<Vec<(f64, f64)>> {
        let mut step = || {
            scheduler.step(optimizer)?;
            Ok(optimizer.options().next().map_or((0., 0.), |o| (o.lr, o.momentum)))
        };
        (0..6).map(|_| step()).collect()
    };
    steps(&mut optimizer, &mut scheduler)?;
    let (remembered, place) = (saved(optimizer.state_dict(&model)?)?, saved(scheduler.state_dict()?)?);
    let uninterrupted = steps(&mut optimizer, &mut scheduler)?;

    let mut optimizer = make();
    let mut scheduler = schedule().start(&mut optimizer)?;
    optimizer.load_state_dict(&model, &remembered)?;
    scheduler.load_state_dict(&place)?;
    assert_eq!(steps(&mut optimizer, &mut scheduler)?, uninterrupted);

    // and one that looks at a metric
    let watch = || ReduceLROnPlateau { patience: 1, cooldown: 1, ..Default::default() };
    let told = |optimizer: &mut SGD<Stack>, scheduler: &mut PlateauScheduler| -> Result<Vec<f64>> {
        let mut step = |metric| {
            scheduler.step_with(optimizer, metric)?;
            Ok(optimizer.lr())
        };
        [1., 0.9, 0.9, 0.9, 0.9, 0.95, 0.5, 0.6, 0.6].into_iter().map(&mut step).collect()
    };
    let mut optimizer = make();
    let mut scheduler = watch().start(&mut optimizer)?;
    told(&mut optimizer, &mut scheduler)?;
    let (remembered, place) = (optimizer.state_dict(&model)?, saved(scheduler.state_dict()?)?);
    let uninterrupted = told(&mut optimizer, &mut scheduler)?;
    let mut optimizer = make();
    let mut scheduler = watch().start(&mut optimizer)?;
    optimizer.load_state_dict(&model, &remembered)?;
    scheduler.load_state_dict(&place)?;
    assert_eq!(told(&mut optimizer, &mut scheduler)?, uninterrupted);
    Ok(())
}

#[test]
fn schedules_that_do_not_fit_are_refused() {
    let refused = |schedule: &dyn Schedule| {
        let rate = Rate { group: 0, lr: 0.1, initial_lr: 0.1, momentum: None };
        schedule.check(&[rate]).is_err()
    };
    assert!(refused(&StepLR::new(0)));
    assert!(refused(&LinearLR { total_iters: 0, ..Default::default() }));
    assert!(refused(&PolynomialLR { power: f64::NAN, ..Default::default() }));
    assert!(refused(&CosineAnnealingLR::new(0)));
    assert!(refused(&CosineAnnealingWarmRestarts::new(0)));
    assert!(refused(&CyclicLR::new(0.1, 0.2)), "there is no momentum to cycle");
    assert!(
        refused(&CyclicLR { cycle_momentum: false, ..CyclicLR::new([0.1, 0.2], 0.3) }),
        "there is one group"
    );
    assert!(refused(&OneCycleLR { cycle_momentum: false, ..OneCycleLR::new(0.1, 0) }));
    assert!(refused(&SequentialLR::new(StepLR::new(1)).then(3, StepLR::new(1)).then(3, StepLR::new(1))));
    let mut optimizer = SGD::<Stack>::new(0.1);
    assert!(ReduceLROnPlateau { factor: 1., ..Default::default() }.start(&mut optimizer).is_err());
    let end = OneCycleLR { cycle_momentum: false, ..OneCycleLR::new(0.1, 3) };
    let mut rate = Rate { group: 0, lr: 0.1, initial_lr: 0.1, momentum: None };
    assert!(end.apply(4, &mut rate).is_err() && end.apply(3, &mut rate).is_ok());
}

// ---- gradients and weights

#[test]
fn gradients_are_clipped_as_pytorch_clips_them() -> Result<()> {
    let device = Stack::default();
    let model = vec![
        Param::new(Tensor::new([3.0, -4.0, 12.0], &device)?)?,
        Param::new(Tensor::new([1.0, -2.0], &device)?)?,
    ];
    // the gradient of p²/2 is p
    let gradients = || ((model[0].square()?.sum(..)? + model[1].square()?.sum(..)?)? / 2.0)?.backward();
    let expected = [
        (1., 22., [0.340909064, -0.454545438, 1.36363626]),
        (2., 13.1909056, [0.568573475, -0.758098006, 2.2742939]),
        (3., 12.2271566, [0.613388658, -0.817851543, 2.45355463]),
        (f64::INFINITY, 12., [0.62499994, -0.833333254, 2.49999976]),
    ];
    for (norm_type, norm, clipped) in expected {
        let mut gradients = gradients()?;
        let options = ClipOptions { norm_type, error_if_nonfinite: true };
        let total = clip_grad_norm(&model, &mut gradients, 2.5, options)?;
        assert_near(&[total.item()?], &[norm], 1e-6);
        assert_near(&gradients.get(&model[0])?.to_vec()?, &clipped, 1e-6);
    }
    let mut unclipped = gradients()?;
    clip_grad_norm(&model, &mut unclipped, 100., Default::default())?;
    assert_eq!(unclipped.get(&model[1])?.to_vec::<f32>()?, [1., -2.]);
    assert!(clip_grad_norm(&model, &mut unclipped, f64::NAN, Default::default()).is_err());
    assert!(clip_grad_value(&model, &mut unclipped, -1.).is_err());
    let infinite = (model[0].sum(..)? * f64::INFINITY)?;
    let options = ClipOptions { error_if_nonfinite: true, ..Default::default() };
    assert!(clip_grad_norm(&model, &mut infinite.backward()?, 1., options).is_err());
    // a model without gradients has none to clip
    let none = Param::new(Tensor::new(1.0, &device)?)?;
    assert_eq!(clip_grad_norm(&none, &mut gradients()?, 1., options)?.item::<f32>()?, 0.);
    Ok(())
}

#[test]
fn averages_of_weights() -> Result<()> {
    let device = Stack::default();
    let mut model = Param::new(Tensor::new(0.0, &device)?)?;
    let (mut swa, mut ema) = (AveragedModel::swa(&model)?, AveragedModel::ema(&model, 0.5)?);
    let mut see = |weight: f64, averages: &mut [&mut AveragedModel<Param<Stack>>]| {
        model.set(&Tensor::new(weight, &device)?)?;
        averages.iter_mut().try_for_each(|average| average.update(&model))
    };
    for weight in [1.0, 2.0, 6.0] {
        see(weight, &mut [&mut swa, &mut ema])?;
    }
    assert_eq!((swa.module().item::<f32>()?, ema.module().item::<f32>()?), (3., 3.75));
    assert!(!swa.module().is_tracked());
    // saved and restored, it goes on as before
    let mut resumed = AveragedModel::swa(&Param::new(Tensor::new(9.0, &device)?)?)?;
    resumed.load_state_dict(&saved(swa.state_dict()?)?)?;
    see(7.0, &mut [&mut swa, &mut resumed])?;
    assert_eq!((swa.module().item::<f32>()?, resumed.module().item::<f32>()?), (4., 4.));
    assert!(AveragedModel::ema(swa.module(), 1.5).is_err());
    Ok(())
}
