//! What optimizers remember of each parameter.
use crate::{
    Data, Differentiable, Error, Result, Tensor, TensorData,
    nn::{Module, StateDict},
};
use std::collections::{BTreeMap, HashMap};

/// What is remembered, by the identity of the parameter.
#[derive(Clone, Debug)]
pub struct States<D: Differentiable>(HashMap<u64, State<D>>);

/// What is remembered of one parameter.
#[derive(Clone, Debug)]
pub struct State<D: Differentiable> {
    /// How many steps it has taken.
    pub step: i64,
    /// Averages and the like, by PyTorch's names.
    pub tensors: BTreeMap<&'static str, Tensor<D>>,
}

impl<D: Differentiable> Default for States<D> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<D: Differentiable> States<D> {
    pub fn of(&mut self, param: u64) -> &mut State<D> {
        self.0.entry(param).or_insert_with(|| State { step: 0, tensors: BTreeMap::new() })
    }

    /// `NAME.KEY` for each tensor of each parameter, and `NAME.step`.
    pub fn save(&self, model: &impl Module<D>) -> Result<StateDict> {
        let mut saved = StateDict::new();
        for (name, param) in model.named_parameters() {
            let Some(state) = self.0.get(&param.id()) else {
                continue;
            };
            saved.insert(format!("{name}.step"), TensorData::new((), Data::I64(vec![state.step]))?);
            for (key, tensor) in &state.tensors {
                saved.insert(format!("{name}.{key}"), tensor.to_data()?);
            }
        }
        Ok(saved)
    }

    /// Restores what `save` gave; `keys` are the tensors that this optimizer keeps.
    pub fn load(model: &impl Module<D>, saved: &StateDict, keys: &[&'static str]) -> Result<Self> {
        let mut states = Self::default();
        let mut used = 0;
        for (name, param) in model.named_parameters() {
            let Some(step) = saved.get(&format!("{name}.step")) else {
                continue;
            };
            let Some(&step) = step.to_vec::<i64>().first() else {
                return Err(Error::format("load_state_dict", format!("{name}.step is empty")));
            };
            used += 1;
            let state = states.of(param.id());
            state.step = step;
            for &key in keys {
                let Some(data) = saved.get(&format!("{name}.{key}")) else {
                    continue;
                };
                if data.shape() != param.shape() {
                    let why =
                        format!("{name}.{key} has shape {}, and {name} {}", data.shape(), param.shape());
                    return Err(Error::shape("load_state_dict", why));
                }
                used += 1;
                state.tensors.insert(key, Tensor::from_data(data.clone(), param.backend())?);
            }
        }
        if used != saved.len() {
            let why = format!("{} of {} entries fit this model and optimizer", used, saved.len());
            return Err(Error::value("load_state_dict", why));
        }
        Ok(states)
    }
}

impl<D: Differentiable> State<D> {
    /// The tensors with these names, out of the map so that they can change in place; made as zeros beside
    /// `param` where they are not there yet.
    pub fn take<const N: usize>(
        &mut self,
        keys: [&'static str; N],
        param: &Tensor<D>,
    ) -> Result<[Tensor<D>; N]> {
        let mut taken = Vec::with_capacity(N);
        for key in keys {
            taken.push(match self.tensors.remove(key) {
                Some(tensor) => tensor,
                None => param.detach().zeros_like()?,
            });
        }
        taken.try_into().map_err(|_| Error::internal("optimizer", "a state was lost"))
    }

    pub fn put<const N: usize>(&mut self, keys: [&'static str; N], tensors: [Tensor<D>; N]) {
        self.tensors.extend(keys.into_iter().zip(tensors));
    }
}
