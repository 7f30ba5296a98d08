//! What optimizers remember of each parameter.
use super::Rule;
use crate::{
    Data, Differentiable, Error, Result, Shape, Tensor, TensorData,
    nn::{Module, StateDict},
};
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is remembered of one parameter.
#[derive(Clone, Debug)]
pub struct ParamState<D: Differentiable> {
    step: i64,
    numbers: BTreeMap<&'static str, f64>,
    tensors: Vec<(&'static str, Tensor<D>)>,
}

impl<D: Differentiable> Default for ParamState<D> {
    fn default() -> Self {
        Self { step: 0, numbers: BTreeMap::new(), tensors: vec![] }
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

    /// The number with this name, as it was left by the step before.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.numbers.get(key).copied()
    }

    /// Remembers a number.
    pub fn set_number(&mut self, key: &'static str, number: f64) {
        self.numbers.insert(key, number);
    }

    /// Whether another parameter is in the same step, with the same numbers and tensors of the same names.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let names = other.tensors.iter().map(|(key, _)| key);
        self.step == other.step
            && self.numbers == other.numbers
            && self.tensors.iter().map(|(key, _)| key).eq(names)
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
            if self.get(key).is_none() {
                self.set(key, param.detach().full_like(initial)?);
            }
        }
        let mut found = [const { None }; N];
        for (name, tensor) in &mut self.tensors {
            if let Some(place) = keys.iter().position(|(key, _)| key == name) {
                found[place] = Some(tensor);
            }
        }
        let all = found.into_iter().flatten().collect::<SmallVec<[_; N]>>();
        all.into_inner().map_err(|_| Error::internal("optimizer", "a state was lost"))
    }

    /// The tensor with this name, where there is one yet.
    pub fn get(&self, key: &str) -> Option<&Tensor<D>> {
        self.tensors.iter().find(|(name, _)| *name == key).map(|(_, tensor)| tensor)
    }

    /// Remembers a tensor.
    pub fn set(&mut self, key: &'static str, tensor: Tensor<D>) {
        match self.tensors.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = tensor,
            None => self.tensors.push((key, tensor)),
        }
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
    /// What is remembered of each of these, by identity; of what is new, nothing yet.
    pub fn of_each(&mut self, params: impl Iterator<Item = u64>) -> HashMap<u64, &mut ParamState<D>> {
        for param in params {
            self.0.entry(param).or_default();
        }
        self.0.iter_mut().map(|(param, state)| (*param, state)).collect()
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
            let state = states.0.entry(param.id()).or_default();
            state.step = saved.whole_number(&format!("{name}.step"))?;
            for &key in rule.numbers() {
                state.set_number(key, saved.number(&format!("{name}.{key}"))?);
            }
            for key in rule.tensors(param.shape()) {
                let shape = rule.shape(key, param.shape());
                let data = saved.tensor(&format!("{name}.{key}"), &shape)?.clone().cast(param.dtype());
                state.set(key, Tensor::from_data(data, param.backend())?);
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
