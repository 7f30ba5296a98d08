//! What optimizers remember of each parameter.
use super::Rule;
use crate::{
    Data, Differentiable, Error, Result, Shape, Tensor, TensorData,
    nn::{Module, StateDict},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is remembered of one parameter.
#[derive(Clone, Debug)]
pub struct ParamState<D: Differentiable> {
    step: i64,
    numbers: BTreeMap<&'static str, f64>,
    tensors: HashMap<&'static str, Tensor<D>>,
}

impl<D: Differentiable> Default for ParamState<D> {
    fn default() -> Self {
        Self { step: 0, numbers: BTreeMap::new(), tensors: HashMap::new() }
    }
}

impl<D: Differentiable> ParamState<D> {
    /// Which step this is: 1 in the first.
    pub fn step(&self) -> i64 {
        self.step
    }

    /// Counts a step.
    pub(super) fn advance(&mut self) {
        self.step += 1;
    }

    /// The number with this name, as it was left by the step before; `initial` in the first.
    pub fn number(&mut self, key: &'static str, initial: f64) -> &mut f64 {
        self.numbers.entry(key).or_insert(initial)
    }

    /// The tensors with these names, to be changed in place; zeros that look like `param` in the first step.
    pub fn tensors<const N: usize>(
        &mut self,
        keys: [&'static str; N],
        param: &Tensor<D>,
    ) -> Result<[&mut Tensor<D>; N]> {
        self.tensors_of(keys.map(|key| (key, 0.)), param)
    }

    /// [`tensors`](Self::tensors), with another number than zero in the first step.
    pub fn tensors_of<const N: usize>(
        &mut self,
        keys: [(&'static str, f64); N],
        param: &Tensor<D>,
    ) -> Result<[&mut Tensor<D>; N]> {
        for (key, initial) in keys {
            if !self.tensors.contains_key(key) {
                self.set(key, param.detach().full_like(initial)?);
            }
        }
        let mut found = Vec::with_capacity(N);
        for tensor in self.tensors.get_disjoint_mut(keys.each_ref().map(|(key, _)| key)) {
            found.extend(tensor);
        }
        found.try_into().map_err(|_| Error::internal("optimizer", "a state was lost"))
    }

    /// The tensor with this name, where there is one yet.
    pub fn get(&self, key: &str) -> Option<&Tensor<D>> {
        self.tensors.get(key)
    }

    /// Remembers a tensor.
    pub fn set(&mut self, key: &'static str, tensor: Tensor<D>) {
        self.tensors.insert(key, tensor);
    }
}

/// What is remembered of all parameters, by their identities.
#[derive(Clone, Debug)]
pub struct States<D: Differentiable>(HashMap<u64, ParamState<D>>);

impl<D: Differentiable> Default for States<D> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<D: Differentiable> States<D> {
    pub fn of(&mut self, param: u64) -> &mut ParamState<D> {
        self.0.entry(param).or_default()
    }

    /// `NAME.step`, and `NAME.KEY` for each number and each tensor of each parameter.
    pub fn save(&self, model: &impl Module<D>) -> Result<StateDict> {
        let mut saved = StateDict::new();
        for (name, param) in model.named_parameters() {
            let Some(state) = self.0.get(&param.id()) else {
                continue;
            };
            saved.insert(format!("{name}.step"), whole_number(state.step)?);
            for (key, number) in &state.numbers {
                saved.insert(format!("{name}.{key}"), real_number(*number)?);
            }
            for (key, tensor) in &state.tensors {
                saved.insert(format!("{name}.{key}"), tensor.to_data()?);
            }
        }
        Ok(saved)
    }

    /// Restores what `save` gave, for parameters that change by the rule that `rule` finds.
    pub fn load<'r, R: Rule>(
        model: &impl Module<D>,
        saved: &mut Saved<'_>,
        rule: impl Fn(&str, &Tensor<D>) -> Option<&'r R>,
    ) -> Result<Self> {
        let mut states = Self::default();
        for (name, param) in model.named_parameters() {
            let (Some(rule), true) = (rule(&name, param), saved.has(&format!("{name}.step"))) else {
                continue;
            };
            let state = states.of(param.id());
            state.step = saved.whole_number(&format!("{name}.step"))?;
            for &key in rule.numbers() {
                state.numbers.insert(key, saved.number(&format!("{name}.{key}"))?);
            }
            for key in rule.tensors(param.shape()) {
                let shape = rule.shape(key, param.shape());
                let data = saved.tensor(&format!("{name}.{key}"), &shape)?.clone().cast(param.dtype());
                state.tensors.insert(key, Tensor::from_data(data, param.backend())?);
            }
        }
        Ok(states)
    }
}

/// A whole number as it is saved.
pub fn whole_number(x: i64) -> Result<TensorData> {
    TensorData::new((), Data::I64(vec![x]))
}

/// A real number as it is saved.
pub fn real_number(x: f64) -> Result<TensorData> {
    TensorData::new((), Data::F64(vec![x]))
}

/// A saved state that is being read: what is missing is an error, and so is what nobody asked for.
pub struct Saved<'a> {
    entries: &'a StateDict,
    read: BTreeSet<String>,
}

impl<'a> Saved<'a> {
    pub fn new(entries: &'a StateDict) -> Self {
        Self { entries, read: BTreeSet::new() }
    }

    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    pub fn data(&mut self, name: &str) -> Result<&'a TensorData> {
        let Some(data) = self.entries.get(name) else {
            return Err(Error::value("load_state_dict", format!("{name} is missing")));
        };
        self.read.insert(name.to_owned());
        Ok(data)
    }

    pub fn tensor(&mut self, name: &str, shape: &Shape) -> Result<&'a TensorData> {
        let data = self.data(name)?;
        if data.shape() != shape {
            let why = format!("{name} has shape {}, not {shape}", data.shape());
            return Err(Error::shape("load_state_dict", why));
        }
        Ok(data)
    }

    pub fn number(&mut self, name: &str) -> Result<f64> {
        self.tensor(name, &Shape::scalar())?.to_vec::<f64>().first().copied().ok_or_else(|| empty(name))
    }

    pub fn whole_number(&mut self, name: &str) -> Result<i64> {
        let x = self.tensor(name, &Shape::scalar())?.to_vec::<i64>().first().copied();
        x.filter(|x| *x >= 0).ok_or_else(|| empty(name))
    }

    /// An error that names what was not read.
    pub fn finish(self) -> Result<()> {
        let unread: Vec<_> =
            self.entries.keys().filter(|name| !self.read.contains(*name)).map(String::as_str).collect();
        if unread.is_empty() {
            return Ok(());
        }
        let why = format!("unexpected for this model and optimizer: {}", unread.join(", "));
        Err(Error::value("load_state_dict", why))
    }
}

fn empty(name: &str) -> Error {
    Error::format("load_state_dict", format!("{name} is not a number from 0 on"))
}
