//! A module's parameters and buffers by name, out and in.
use super::module::{LeafMut, Module};
use crate::{Backend, Error, Result, Tensor, TensorData};
use std::{collections::BTreeMap, fmt};

/// Tensors in host memory by name: what is saved and loaded.
pub type StateDict = BTreeMap<String, TensorData>;

/// What did not fit when a state was loaded, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// In the module, and not in the state.
    pub missing: Vec<String>,
    /// In the state, and not in the module.
    pub unexpected: Vec<String>,
    /// In both, with other shapes: the name, the module's and the state's.
    pub misshapen: Vec<String>,
}

impl Mismatch {
    /// Whether everything fitted.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty()
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let parts = [
            ("missing", &self.missing),
            ("unexpected", &self.unexpected),
            ("of another shape", &self.misshapen),
        ];
        let said: Vec<_> = parts
            .iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| format!("{what}: {}", names.join(", ")))
            .collect();
        f.write_str(&said.join("; "))
    }
}

/// What every module can do with its state.
pub trait State<B: Backend>: Module<B> {
    /// Copies all parameters and buffers to host memory, by PyTorch's names.
    ///
    /// ```
    /// use firesteel::{nn::{Linear, State}, prelude::*};
    /// let (a, mut b) = (Linear::new(2, 3, &Cpu)?, Linear::new(2, 3, &Cpu)?);
    /// b.load_state_dict(&a.state_dict()?)?;
    /// assert_eq!(a.weight.to_vec::<f32>()?, b.weight.to_vec::<f32>()?);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    fn state_dict(&self) -> Result<StateDict> {
        let params = self.named_parameters().into_iter().map(|(name, param)| (name, (**param).clone()));
        let buffers = self.named_buffers().into_iter().map(|(name, buffer)| (name, buffer.get()));
        params.chain(buffers).map(|(name, tensor)| Ok((name, tensor.to_data()?))).collect()
    }

    /// Sets every parameter and buffer; anything missing, unexpected or of another shape is an error, which
    /// names it, and then nothing is changed.
    fn load_state_dict(&mut self, state: &StateDict) -> Result<()> {
        let mismatch = self.compare(state);
        if !mismatch.is_empty() {
            return Err(Error::value("load_state_dict", mismatch.to_string()));
        }
        self.load_state_dict_lenient(state).map(|_| ())
    }

    /// Sets what fits, and reports the rest.
    fn load_state_dict_lenient(&mut self, state: &StateDict) -> Result<Mismatch> {
        let mismatch = self.compare(state);
        self.visit_mut("", &mut |path, leaf| {
            let fitting = |tensor: &Tensor<B>| -> Result<Option<Tensor<B>>> {
                match state.get(path).filter(|data| data.shape() == tensor.shape()) {
                    Some(data) => {
                        Tensor::from_data(data.clone().cast(tensor.dtype()), tensor.backend()).map(Some)
                    }
                    None => Ok(None),
                }
            };
            match leaf {
                LeafMut::Param(param) => fitting(param)?.map_or(Ok(()), |value| param.set(&value)),
                LeafMut::Buffer(buffer) => {
                    if let Some(value) = fitting(&buffer.get())? {
                        buffer.set(&value);
                    }
                    Ok(())
                }
                LeafMut::Mode(_) => Ok(()),
            }
        })?;
        Ok(mismatch)
    }

    /// What would not fit.
    fn compare(&self, state: &StateDict) -> Mismatch {
        let params = self.named_parameters().into_iter().map(|(name, p)| (name, p.shape().clone()));
        let buffers = self.named_buffers().into_iter().map(|(name, b)| (name, b.get().shape().clone()));
        let own: BTreeMap<String, _> = params.chain(buffers).collect();
        let mut mismatch = Mismatch::default();
        for (name, shape) in &own {
            match state.get(name) {
                None => mismatch.missing.push(name.clone()),
                Some(data) if data.shape() != shape => {
                    mismatch.misshapen.push(format!("{name} ({shape}, not {})", data.shape()));
                }
                Some(_) => (),
            }
        }
        mismatch.unexpected = state.keys().filter(|name| !own.contains_key(*name)).cloned().collect();
        mismatch
    }
}

impl<B: Backend, M: Module<B>> State<B> for M {}
