//! Modules: made as the case says, given its state, and run.
use super::args::{Args, Leaves};
use super::cases::Module as Made;
use super::judge::Output;
use super::run::upload;
use super::table::{conv as windows, each_dim};
use firesteel::nn::{
    AvgPool1d, AvgPool2d, AvgPool3d, BatchNorm1d, BatchNorm2d, BatchNorm3d, Conv1d, Conv2d, Conv3d, Layer,
    LeafMut, Linear, MaxPool1d, MaxPool2d, MaxPool3d, ReLU, SiLU, Sigmoid, Tanh,
};
use firesteel::{Backend, Error, Result, Tensor};
use std::collections::BTreeMap;

/// The outputs of a module, then its buffers by name; and its parameters.
pub type Gave<B> = (Vec<Output<Tensor<B>>>, Leaves<Tensor<B>>);

/// What the module of that name gives for the arguments of its case, or nothing where there is no such module.
pub fn call<B: Backend>(device: &B, name: &str, made: &Made, a: &Args<Tensor<B>>) -> Result<Option<Gave<B>>> {
    let load = |raw: &_, _| upload(device, raw);
    let s = Args::constructor(name, made, &load);
    s.ignore("inplace");
    /// A layer with a kernel and options, with or without a bias.
    macro_rules! conv {
        ($layer:ident) => {{
            let kernel = each_dim(&s, "kernel_size", 1)?;
            let (channels, options) =
                ([s.size("in_channels")?, s.size("out_channels")?], windows::conv_options(&s)?);
            let layer = $layer::with_options(channels[0], channels[1], kernel, options, device)?;
            run(if s.bool_or("bias", true)? { layer } else { layer.without_bias() }, s, made, a)
        }};
    }
    macro_rules! pool {
        ($layer:ident $options:ident) => {{
            let layer = $layer::with_options(each_dim(&s, "kernel_size", 1)?, windows::$options(&s)?);
            run(layer, s, made, a)
        }};
    }
    macro_rules! batch_norm {
        ($layer:ident) => {{
            let mut layer = $layer::new(s.size("num_features")?, device)?.eps(s.float_or("eps", 1e-5)?);
            if s.value("momentum").is_some() {
                layer = layer.momentum(s.opt_float("momentum")?);
            }
            if !s.bool_or("affine", true)? {
                layer = layer.without_affine();
            }
            if !s.bool_or("track_running_stats", true)? {
                layer = layer.without_running_stats();
            }
            run(layer, s, made, a)
        }};
    }
    let gave = match name {
        "AvgPool1d" => pool!(AvgPool1d avg_options),
        "AvgPool2d" => pool!(AvgPool2d avg_options),
        "AvgPool3d" => pool!(AvgPool3d avg_options),
        "BatchNorm1d" => batch_norm!(BatchNorm1d),
        "BatchNorm2d" => batch_norm!(BatchNorm2d),
        "BatchNorm3d" => batch_norm!(BatchNorm3d),
        "Conv1d" => conv!(Conv1d),
        "Conv2d" => conv!(Conv2d),
        "Conv3d" => conv!(Conv3d),
        "Linear" => {
            let (inside, outside) = (s.size("in_features")?, s.size("out_features")?);
            let layer = match s.bool_or("bias", true)? {
                true => Linear::new(inside, outside, device)?,
                false => Linear::without_bias(inside, outside, device)?,
            };
            run(layer, s, made, a)
        }
        "MaxPool1d" => pool!(MaxPool1d max_options),
        "MaxPool2d" => pool!(MaxPool2d max_options),
        "MaxPool3d" => pool!(MaxPool3d max_options),
        "ReLU" => run(ReLU, s, made, a),
        "SiLU" => run(SiLU, s, made, a),
        "Sigmoid" => run(Sigmoid, s, made, a),
        "Tanh" => run(Tanh, s, made, a),
        _ => return Ok(None),
    };
    gave.map(Some)
}

/// Gives the layer its state and runs it.
fn run<B: Backend, L: Layer<B>>(
    mut layer: L,
    settings: Args<Tensor<B>>,
    made: &Made,
    a: &Args<Tensor<B>>,
) -> Result<Gave<B>> {
    settings.finish()?;
    let x = a.tensor((0, "input"))?;
    let state = |path: &str| {
        let held =
            made.state.get(path).ok_or_else(|| Error::value("state", format!("PyTorch has no {path}")))?;
        upload(x.backend(), held.raw()?)
    };
    layer.visit_mut("", &mut |path, leaf| {
        match leaf {
            LeafMut::Param(param) => param.set(&state(path)?)?,
            LeafMut::Buffer(buffer) => buffer.set(&state(path)?),
            LeafMut::Mode(mode) => mode.set(made.training),
        }
        Ok(())
    })?;
    let y = layer.forward(&x)?;
    let parameters = layer.named_parameters().into_iter();
    let parameters = parameters.map(|(path, param)| (format!("param.{path}"), (**param).clone())).collect();
    let buffers: BTreeMap<_, _> = layer.named_buffers().into_iter().collect();
    let buffers = buffers.into_values().map(|buffer| Output::Tensor(buffer.get()));
    Ok(([Output::Tensor(y)].into_iter().chain(buffers).collect(), parameters))
}
