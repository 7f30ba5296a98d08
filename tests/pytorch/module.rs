//! Modules: made as the case says, given its state, and run.
//!
//! A family knows some modules by name, as the operators' table does. What is generic over the module is kept small, since
//! it is compiled for each of them and for each stack.
mod attention;
mod layers;
mod losses;
mod recurrent;
mod windows;

use super::args::{Args, Leaves};
use super::cases::Module as Made;
use super::judge::Output;
use super::run::upload;
use firesteel::nn::{Layer, LeafMut, Module, VisitMut};
use firesteel::{Backend, Error, Result, Tensor};
use std::collections::BTreeMap;

/// The outputs of a module, then its buffers by name; and its parameters.
pub type Gave<B> = (Vec<Output<Tensor<B>>>, Leaves<Tensor<B>>);

/// The modules of one family.
type Family<B> = fn(&Task<B>) -> Result<Option<Gave<B>>>;

/// What the module of that name gives for the arguments of its case, or nothing where there is no such module.
pub fn call<B: Backend>(device: &B, name: &str, made: &Made, a: &Args<Tensor<B>>) -> Result<Option<Gave<B>>> {
    let load = |raw: &_, _| upload(device, raw);
    let task = Task { device, name, made, s: Args::constructor(name, made, &load), a };
    task.s.ignore("inplace");
    let families: &[Family<B>] =
        &[attention::attention, layers::layer, losses::loss, recurrent::recurrent, windows::window];
    for family in families {
        if let Some(gave) = family(&task)? {
            task.s.finish()?;
            return Ok(Some(gave));
        }
    }
    Ok(None)
}

/// A module to be made and run.
pub struct Task<'a, B: Backend> {
    /// Where.
    pub device: &'a B,
    /// Which.
    pub name: &'a str,
    /// The arguments of the constructor.
    pub s: Args<'a, Tensor<B>>,
    /// The arguments of the call.
    pub a: &'a Args<'a, Tensor<B>>,
    made: &'a Made,
}

impl<B: Backend> Task<'_, B> {
    /// What a layer makes of its input.
    pub fn layer<L: Layer<B>>(&self, layer: L) -> Result<Option<Gave<B>>> {
        self.run(layer, |layer| Ok(vec![layer.forward(&self.input()?)?]))
    }

    /// Gives a module the state of the case, and runs it.
    pub fn run<M: Module<B>>(
        &self,
        mut module: M,
        forward: impl FnOnce(&M) -> Result<Vec<Tensor<B>>>,
    ) -> Result<Option<Gave<B>>> {
        self.load(|set| module.visit_mut("", set))?;
        let outputs = forward(&module)?.into_iter();
        let parameters = module.named_parameters().into_iter();
        let parameters =
            parameters.map(|(path, param)| (format!("param.{path}"), (**param).clone())).collect();
        let buffers: BTreeMap<_, _> = module.named_buffers().into_iter().collect();
        let buffers = buffers.into_values().map(|buffer| buffer.get());
        Ok(Some((outputs.chain(buffers).map(Output::Tensor).collect(), parameters)))
    }

    /// The first argument of the call.
    pub fn input(&self) -> Result<Tensor<B>> {
        self.a.tensor((0, "input"))
    }

    /// Sets each leaf that `visit` comes to.
    fn load<'m>(&self, visit: impl FnOnce(VisitMut<'_, 'm, B>) -> Result<()>) -> Result<()>
    where
        B: 'm,
    {
        visit(&mut |path, leaf| {
            let state = || {
                let held = self.made.state.get(path);
                let held = held.ok_or_else(|| Error::value("state", format!("PyTorch has no {path}")))?;
                upload(self.device, held.raw()?)
            };
            match leaf {
                LeafMut::Param(param) => param.set(&state()?)?,
                LeafMut::Buffer(buffer) => buffer.set(&state()?),
                LeafMut::Mode(mode) => mode.set(self.made.training),
            }
            Ok(())
        })
    }
}

/// Settings read from the constructor's arguments of the same names, and PyTorch's defaults where there are none.
macro_rules! settings {
    ($s:expr, $type:ident { $($field:ident: $read:ident),* $(,)? $(; $($other:tt)*)? }) => {{
        #[allow(unused_variables)]
        let default = $type::default();
        #[allow(clippy::needless_update)]
        $type { $($field: $s.$read(stringify!($field), default.$field)?,)* $($($other)*)? ..default }
    }};
}
use settings;
