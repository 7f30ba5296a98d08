//! The state of a training in one file, from which it goes on as if it had never stopped.
use super::{
    atomic::remove_unfinished,
    pth::{self, Tree, Value},
};
use crate::{Error, Result, Stream, nn::StateDict};
use std::{collections::BTreeMap, panic::Location, path::Path};

/// All that a training needs to go on exactly. What a training does not have stays as it is by default.
///
/// The file is one of PyTorch's, with the keys that its tutorials use: `torch.load(path, weights_only=True)` gives a
/// dict with `model_state_dict`, `optimizer_state_dict` and so on, and every part has a checksum.
///
/// ```
/// use firesteel::{io::Checkpoint, nn::{Linear, State}, optim::{Adam, Optimizer}, prelude::*};
/// let device = Autodiff::new(Cpu);
/// let (mut model, mut optimizer) = (Linear::new(1, 1, &device)?, Adam::new(0.1));
/// let path = std::env::temp_dir().join("firesteel-doc-checkpoint.pth");
///
/// // where there is a file of an earlier run, go on from it
/// let mut step = 0;
/// if let Some(checkpoint) = Checkpoint::resume(&path)? {
///     model.load_state_dict(&checkpoint.model)?;
///     optimizer.load_state_dict(&model, &checkpoint.optimizer)?;
///     checkpoint.restore_random(&device);
///     step = checkpoint.step;
/// }
/// while step < 3 {
///     let loss = model.forward(&Tensor::randn([4, 1], &device)?)?.square()?.mean(..)?;
///     optimizer.step(&mut model, &loss.backward()?)?;
///     step += 1;
///     let (weights, averages) = (model.state_dict()?, optimizer.state_dict(&model)?);
///     let random = Some(device.generator().state());
///     Checkpoint { step, random, model: weights, optimizer: averages, ..Checkpoint::default() }.save(&path)?;
/// }
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// How many steps were done.
    pub step: u64,
    /// How many epochs were done.
    pub epoch: u64,
    /// The parameters and buffers, of [`State::state_dict`](crate::nn::State::state_dict).
    pub model: StateDict,
    /// What the optimizer remembers, of [`Optimizer::state_dict`](crate::optim::Optimizer::state_dict).
    pub optimizer: StateDict,
    /// Where the scheduler of the learning rate stands.
    pub scheduler: StateDict,
    /// Where the device's random numbers stand, of [`Generator::state`](crate::Generator::state).
    pub random: Option<Stream>,
    /// Whatever else a program wants to find again, such as the best loss or its own options.
    pub extra: BTreeMap<String, Value>,
}

/// What a file of ours says it is.
const FORMAT: &str = "firesteel.checkpoint";
/// The version of what is written. A reader knows all versions up to its own.
const VERSION: i64 = 1;
/// How errors name it.
const CHECKPOINT: &str = "checkpoint";

impl Checkpoint {
    /// Writes the file, which is there whole or not at all: a process that is killed in the middle leaves the one
    /// before as it was.
    #[track_caller]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let (format, version) = (FORMAT.into(), VERSION.into());
        let (step, epoch) = (self.step.into(), self.epoch.into());
        let random = self.random.map_or(Value::None, |stream| {
            Value::dict([("seed", stream.seed.into()), ("offset", stream.offset.into())])
        });
        let extra = self.extra.iter().map(|(name, value)| (&**name, Tree::Value(value)));
        let tree = Tree::Dict(vec![
            ("format", Tree::Value(&format)),
            ("version", Tree::Value(&version)),
            ("step", Tree::Value(&step)),
            ("epoch", Tree::Value(&epoch)),
            ("model_state_dict", Tree::State(&self.model)),
            ("optimizer_state_dict", Tree::State(&self.optimizer)),
            ("scheduler_state_dict", Tree::State(&self.scheduler)),
            ("random", Tree::Value(&random)),
            ("extra", Tree::Dict(extra.collect())),
        ]);
        pth::save_tree(path.as_ref(), tree)
    }

    /// Reads a file of [`save`](Self::save).
    #[track_caller]
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let (here, path) = (Location::caller(), path.as_ref());
        pth::load_value(path).and_then(Self::of).map_err(|e| {
            let why = format!("cannot load {}: {e}", path.display());
            Error::new(e.kind(), CHECKPOINT, why).because(e).at(here)
        })
    }

    /// [`load`](Self::load) where there is a file, and nothing where there is none, so that a program starts and goes
    /// on by the same command. What a killed run left unfinished beside the file is removed.
    #[track_caller]
    pub fn resume(path: impl AsRef<Path>) -> Result<Option<Self>> {
        let path = path.as_ref();
        // a folder that is not there holds nothing unfinished either
        if path.parent().is_some_and(|folder| folder.as_os_str().is_empty() || folder.is_dir()) {
            remove_unfinished(path).map_err(|e| {
                let why = format!("cannot tidy up beside {}: {e}", path.display());
                Error::io(CHECKPOINT, why).because(e)
            })?;
        }
        if path.exists() { Self::load(path).map(Some) } else { Ok(None) }
    }

    /// Puts a device's random numbers where they stood, if that was saved.
    pub fn restore_random(&self, device: &impl crate::Backend) {
        if let Some(stream) = self.random {
            device.generator().set_state(stream);
        }
    }

    fn of(value: Value) -> Result<Self> {
        let Value::Dict(entries) = value else {
            return Err(Error::format(CHECKPOINT, format!("a dict is needed, and this is {value}")));
        };
        let mut parts = Parts(BTreeMap::new());
        for (key, value) in entries {
            if let Value::String(key) = key {
                parts.0.insert(key, value);
            }
        }
        if parts.take("format")?.as_str() != Some(FORMAT) {
            return Err(Error::format(
                CHECKPOINT,
                "this is no checkpoint of Firesteel's: load it by io::pth",
            ));
        }
        match parts.take("version")?.as_i64() {
            Some(VERSION) => (),
            version => {
                let why = format!("its version is {version:?}, and this program reads up to {VERSION}");
                return Err(Error::unsupported(CHECKPOINT, why));
            }
        }
        Ok(Self {
            step: unsigned(&parts.take("step")?)?,
            epoch: unsigned(&parts.take("epoch")?)?,
            model: parts.take("model_state_dict")?.into_state_dict()?,
            optimizer: parts.take("optimizer_state_dict")?.into_state_dict()?,
            scheduler: parts.take("scheduler_state_dict")?.into_state_dict()?,
            random: random(&parts.take("random")?)?,
            extra: extra(parts.take("extra")?)?,
        })
    }
}

/// The entries of a file that were not read yet.
struct Parts(BTreeMap<String, Value>);

impl Parts {
    fn take(&mut self, name: &str) -> Result<Value> {
        self.0.remove(name).ok_or_else(|| Error::format(CHECKPOINT, format!("{name:?} is missing")))
    }
}

fn unsigned(value: &Value) -> Result<u64> {
    let number = if let Value::Int(x) = value { u64::try_from(*x).ok() } else { None };
    number.ok_or_else(|| Error::format(CHECKPOINT, format!("{value} is no number from 0 to 2^64 - 1")))
}

fn random(value: &Value) -> Result<Option<Stream>> {
    if *value == Value::None {
        return Ok(None);
    }
    let part = |name| unsigned(value.get(name).unwrap_or(&Value::None));
    Ok(Some(Stream { seed: part("seed")?, offset: part("offset")? }))
}

fn extra(value: Value) -> Result<BTreeMap<String, Value>> {
    let Value::Dict(entries) = value else {
        return Err(Error::format(CHECKPOINT, format!("\"extra\" is {value}, and should be a dict")));
    };
    let entry = |(key, value)| match key {
        Value::String(key) => Ok((key, value)),
        key => Err(Error::format(CHECKPOINT, format!("{key} in \"extra\" is no name"))),
    };
    entries.into_iter().map(entry).collect()
}
