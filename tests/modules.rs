//! What goes for every module: how it is printed, changed by type, begun, summed up and moved.
use firesteel::{
    ConvOptions,
    nn::{
        BatchNorm2d, Conv2d, Dropout, Flatten, Linear, Param, ReLU, Sequential,
        init::{self, FanMode, KaimingOptions, Nonlinearity},
        parameters_to_vector, summary, vector_to_parameters,
    },
    prelude::*,
};

#[derive(Module)]
struct Net<B: Backend> {
    conv: Conv2d<B>,
    norm: BatchNorm2d<B>,
    blocks: Vec<Linear<B>>,
    drop: Dropout<B>,
    head: Option<Linear<B>>,
    none: Option<Linear<B>>,
    scale: Param<B>,
    width: usize,
}

fn net() -> Result<Net<Cpu>> {
    let options = ConvOptions { padding: 1.into(), ..Default::default() };
    Ok(Net {
        conv: Conv2d::with_options(1, 4, 3, options, &Cpu)?,
        norm: BatchNorm2d::new(4, &Cpu)?,
        blocks: vec![Linear::new(4, 4, &Cpu)?, Linear::new(4, 4, &Cpu)?, Linear::without_bias(4, 8, &Cpu)?],
        drop: Dropout::new(0.25)?,
        head: Some(Linear::new(8, 2, &Cpu)?),
        none: None,
        scale: Param::new(Tensor::ones((), &Cpu)?)?,
        width: 4,
    })
}

#[test]
fn a_module_is_printed_as_pytorch_prints_it() -> Result<()> {
    let printed = "Net(width=4
  (conv): Conv2d(1, 4, kernel_size=[3, 3], stride=[1, 1], padding=[1, 1])
  (norm): BatchNorm2d(4, eps=1e-5, momentum=0.1, affine=true, track_running_stats=true)
  (blocks): ModuleList(
    (0-1): 2 x Linear(in_features=4, out_features=4, bias=true)
    (2): Linear(in_features=4, out_features=8, bias=false)
  )
  (drop): Dropout(p=0.25)
  (head): Linear(in_features=8, out_features=2, bias=true)
)";
    assert_eq!(format!("{:?}", net()?), printed);
    let nested = Sequential((Sequential((ReLU, ReLU)), Flatten::default()));
    let printed = "Sequential(
  (0): Sequential(
    (0-1): 2 x ReLU()
  )
  (1): Flatten(start_dim=1, end_dim=-1)
)";
    assert_eq!(format!("{nested:?}"), printed);
    Ok(())
}

#[test]
fn modules_are_changed_by_their_type() -> Result<()> {
    let mut net = net()?;
    let mut paths = vec![];
    net.visit_modules("", &mut |path, module| {
        if module.is::<Linear<Cpu>>() {
            paths.push(path.to_owned());
        }
        Ok(())
    })?;
    assert_eq!(paths, ["blocks.0", "blocks.1", "blocks.2", "head"]);
    net.apply::<Linear<Cpu>>(|layer| init::ones(&mut layer.weight))?;
    assert_eq!(net.blocks[1].weight.sum(..)?.item::<f32>()?, 16.);
    assert_ne!(net.conv.weight.sum(..)?.item::<f32>()?, 36.);
    let mut whole = 0;
    net.apply::<Net<Cpu>>(|_| {
        whole += 1;
        Ok(())
    })?;
    assert_eq!(whole, 1);
    let failed = net.apply::<Linear<Cpu>>(|layer| init::dirac(&mut layer.weight, 1));
    assert!(failed.is_err_and(|e| e.op() == "dirac"));
    Ok(())
}

/// The mean and the deviation of a parameter after it was begun, and its largest magnitude.
fn begun(
    shape: impl Into<Shape>,
    begin: impl FnOnce(&mut Param<Cpu>) -> Result<()>,
) -> Result<(f64, f64, f64)> {
    let mut p = Param::new(Tensor::zeros(shape, &Cpu)?)?;
    let id = p.id();
    begin(&mut p)?;
    assert_eq!(p.id(), id);
    let deviation = p.square()?.mean(..)?.sqrt()?.item()?;
    Ok((p.mean(..)?.item()?, deviation, p.abs()?.amax(..)?.item()?))
}

#[track_caller]
fn assert_spread((mean, deviation, most): (f64, f64, f64), want: f64, bound: f64) {
    assert!(
        mean.abs() < want / 20. && (deviation / want - 1.).abs() < 0.05 && most <= bound,
        "{mean} {deviation} {most}"
    );
}

#[test]
fn parameters_begin_as_pytorch_begins_them() -> Result<()> {
    let shape = || [64, 16, 3, 3];
    // fans: 16 · 9 = 144 and 64 · 9 = 576; an even number in ±b deviates by b / √3
    let even = |bound: f64| (bound / 3f64.sqrt(), bound);
    let (std, bound) = even(2. * (6f64 / 720.).sqrt());
    assert_spread(begun(shape(), |p| init::xavier_uniform(p, 2.))?, std, bound);
    assert_spread(begun(shape(), |p| init::xavier_normal(p, 1.))?, (2f64 / 720.).sqrt(), 1.);
    let tanh = KaimingOptions { mode: FanMode::Out, nonlinearity: Nonlinearity::Tanh };
    let (std, bound) = even(5. / 3. * (3f64 / 576.).sqrt());
    assert_spread(begun(shape(), |p| init::kaiming_uniform(p, tanh))?, std, bound);
    let relu = KaimingOptions::default();
    assert_spread(begun(shape(), |p| init::kaiming_normal(p, relu))?, (2f64 / 144.).sqrt(), 1.);
    assert_spread(begun(shape(), |p| init::uniform(p, -1., 1.))?, 1. / 3f64.sqrt(), 1.);
    assert_spread(begun(shape(), |p| init::normal(p, 0., 3.))?, 3., 20.);
    // a normal number between -1 and 1 has a variance of 1 - 2 φ(1) / (2 Φ(1) - 1) = 0.29112
    assert_spread(begun(shape(), |p| init::trunc_normal(p, 0., 1., -1., 1.))?, 0.29112f64.sqrt(), 1.);
    assert_eq!(begun(5, |p| init::trunc_normal(p, 3., 0., -1., 1.))?.0, 1.);

    // rows of length 2, and more than one block of them
    let mut p = Param::new(Tensor::zeros([100, 150], &Cpu)?)?;
    init::orthogonal(&mut p, 2.)?;
    let gram = p.matmul(&p.t()?)?;
    let apart = (gram - (Tensor::eye(100, &Cpu)? * 4.0)?)?.abs()?.amax(..)?.item::<f32>()?;
    assert!(apart < 1e-4, "{apart}");
    let groups = begun([4, 2, 3], |p| init::dirac(p, 2))?;
    assert_eq!(((groups.0 * 24.).round(), groups.2), (4., 1.));

    for bad in [f64::NAN, -1.] {
        assert!(begun(3, |p| init::normal(p, 0., bad)).is_err());
        assert!(begun([3, 3], |p| init::sparse(p, bad, 1.)).is_err());
    }
    assert!(begun(3, |p| init::uniform(p, 1., 0.)).is_err());
    assert!(begun(3, |p| init::xavier_uniform(p, 1.)).is_err());
    assert!(begun(3, |p| init::orthogonal(p, 1.)).is_err());
    assert!(begun([3, 3, 3], |p| init::eye(p)).is_err());
    assert!(begun([3, 2, 3], |p| init::dirac(p, 2)).is_err());
    // nothing to begin
    init::orthogonal(&mut Param::new(Tensor::zeros([0, 3], &Cpu)?)?, 1.)
}

#[test]
fn a_summary_counts_without_running() -> Result<()> {
    let options = ConvOptions { padding: 1.into(), ..Default::default() };
    let mut model = Sequential((
        Conv2d::with_options(1, 4, 3, options, &Cpu)?,
        BatchNorm2d::new(4, &Cpu)?,
        ReLU,
        Flatten::default(),
        Linear::new(4 * 8 * 8, 10, &Cpu)?,
    ));
    model.freeze(|path| path.starts_with("0."))?;
    let counted = summary(&model, [2, 1, 8, 8])?;
    let rows: Vec<_> = counted.rows.iter().map(|row| (&row.name[..], row.parameters, row.flops)).collect();
    let conv = 2 * (2 * 4 * 8 * 8) * 9;
    let linear = 2 * 2 * 10 * 256;
    assert_eq!(rows, [("0", 40, conv), ("1", 8, 0), ("relu", 0, 0), ("4", 2570, linear)]);
    assert_eq!(counted.rows[0].output.to_vec(), [2, 4, 8, 8]);
    assert_eq!((counted.parameters, counted.trainable, counted.flops), (2618, 2578, conv + linear));
    let table = counted.to_string();
    assert!(
        table.starts_with("layer  output") && table.contains("2618 parameters, 2578 of them learned"),
        "{table}"
    );
    assert!(summary(&model, [2, 3, 8, 8]).is_err_and(|e| e.op() == "conv2d"), "an input that does not fit");
    Ok(())
}

#[test]
fn a_model_becomes_another_dtype() -> Result<()> {
    let mut model = net()?;
    model.norm.forward(&Tensor::randn([2, 4, 3, 3], &Cpu)?)?;
    let before = model.state_dict()?;
    model.to_dtype(DType::F64)?;
    for (name, data) in model.state_dict()? {
        let counted = name == "norm.num_batches_tracked";
        assert_eq!(data.dtype(), if counted { DType::I64 } else { DType::F64 }, "{name}");
        assert_eq!(data.to_vec::<f64>(), before[&name].to_vec::<f64>(), "{name}");
    }
    model.eval();
    let x = Tensor::ones([1, 1, 3, 3], (DType::F64, &Cpu))?;
    assert_eq!(model.norm.forward(&model.conv.forward(&x)?)?.dtype(), DType::F64);
    // what is loaded is cast to what the model is
    model.to_dtype(DType::F16)?;
    model.load_state_dict(&before)?;
    assert_eq!(model.conv.weight.dtype(), DType::F16);
    assert!(model.to_dtype(DType::I64).is_err());

    let mut tracked = Linear::new(2, 3, &Autodiff::new(Cpu))?;
    tracked.freeze(|name| name == "bias")?;
    tracked.to_dtype(DType::F64)?;
    assert!(tracked.weight.is_tracked() && !tracked.bias.as_ref().is_some_and(|b| b.is_tracked()));
    Ok(())
}

#[test]
fn parameters_are_one_vector() -> Result<()> {
    let device = Autodiff::new(Cpu);
    let mut model = Sequential((Linear::new(3, 3, &device)?, Linear::new(3, 3, &device)?));
    model.0.1.weight = model.0.0.weight.clone();
    let vector = parameters_to_vector(&model)?;
    assert_eq!(vector.shape(), &[9 + 3 + 3]);
    let gradients = (&vector * &vector)?.sum(..)?.backward()?;
    let doubled = (model.0.0.weight.lower() * 2.0)?;
    assert_eq!(gradients.get(&model.0.0.weight)?.to_vec::<f32>()?, doubled.to_vec::<f32>()?);

    let new = Tensor::arange(0.0..15.0, &device)?;
    vector_to_parameters(&new, &mut model)?;
    assert_eq!(model.0.1.weight.to_vec::<f32>()?, model.0.0.weight.to_vec::<f32>()?);
    assert_eq!(parameters_to_vector(&model)?.to_vec::<f32>()?, new.to_vec::<f32>()?);
    assert!(model.0.0.weight.is_tracked());
    assert!(vector_to_parameters(&new.narrow(0, 0, 14)?, &mut model).is_err());
    assert!(parameters_to_vector::<Cpu>(&ReLU).is_err());
    Ok(())
}
