//! Graphs in files, which are checked before anything is made of them.
use super::{GRAPH, Graph, Memory, Plan, Weight, sizes::MOST};
use crate::{
    Backend, Error, Result, Tensor,
    io::{
        Limits,
        mapped::map,
        safetensors::{self, Metadata},
    },
    nn::{Buffer, Param, State, StateDict},
};
use std::{collections::BTreeMap, panic::Location, path::Path, sync::Arc};

/// What a file of ours says it is.
const FORMAT: &str = "firesteel.graph";
/// The version of what is written. A reader knows all versions up to its own.
const VERSION: &str = "1";
/// The keys of the strings beside the weights.
const KIND: &str = "format";
const NUMBER: &str = "version";
const BODY: &str = "graph";

/// Why a file was not read.
fn broken(why: impl std::fmt::Display) -> Error {
    Error::format(GRAPH, why.to_string())
}

impl<B: Backend> Graph<B> {
    /// Writes the operations and the weights to a file, which is there whole or not at all.
    #[track_caller]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let here = Location::caller();
        let parts = || Ok((self.state_dict()?, self.metadata()?));
        parts()
            .and_then(|(state, metadata)| safetensors::save_with(path, &state, metadata))
            .map_err(|e| e.at(here))
    }

    /// The bytes of such a file.
    #[track_caller]
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let here = Location::caller();
        let parts = || Ok((self.state_dict()?, self.metadata()?));
        parts().and_then(|(state, metadata)| safetensors::to_bytes(&state, metadata)).map_err(|e| e.at(here))
    }

    /// Reads a file of [`save`](Self::save).
    #[track_caller]
    pub fn load(path: impl AsRef<Path>, device: &B) -> Result<Self> {
        Self::load_with(path, device, Limits::default())
    }

    /// [`load`](Self::load) within bounds: what is read, and what a call takes in memory at any time. Unless they are set,
    /// a call may take 1 GiB, and eight times the length of the file and of its inputs.
    #[track_caller]
    pub fn load_with(path: impl AsRef<Path>, device: &B, limits: Limits) -> Result<Self> {
        let here = Location::caller();
        let read = || Self::from_bytes(&map(GRAPH, path.as_ref())?, device, limits);
        read().map_err(|e: Error| e.at(here))
    }

    /// Reads the bytes of such a file. Operations are checked as if they were called: that they are there, and that their
    /// operands, shapes and dtypes fit.
    #[track_caller]
    pub fn from_bytes(bytes: &[u8], device: &B, limits: Limits) -> Result<Self> {
        let here = Location::caller();
        let read = || {
            let (state, strings) = safetensors::from_bytes(bytes)?;
            let string = |key: &str| strings.get(key).map(String::as_str);
            if string(KIND) != Some(FORMAT) {
                return Err(broken("this is no graph of Firesteel's: load weights by io::safetensors"));
            }
            match string(NUMBER) {
                Some(VERSION) => (),
                version => {
                    let why = format!("its version is {version:?}, and this program reads up to {VERSION}");
                    return Err(Error::unsupported(GRAPH, why));
                }
            }
            let body = string(BODY).ok_or_else(|| broken("it has no operations"))?;
            // what JSON takes when it is unfolded, for a list of numbers of one digit
            limits.budget(GRAPH, bytes.len()).charge(body.len().saturating_mul(32))?;
            let plan: Plan = serde_json::from_str(body).map_err(|e| broken(&e).because(e))?;
            if plan.template.sizes.len() > MOST {
                return Err(broken(format!("more than {MOST} sizes are open")));
            }
            let memory = Memory { limits, file: Some(bytes.len()) };
            let graph = Self::assemble(plan, state, device, memory)?;
            graph.check(&graph.template.at(&graph.template.traced())?)?;
            Ok(graph)
        };
        read().map_err(|e: Error| e.at(here))
    }

    fn metadata(&self) -> Result<Metadata> {
        let name = |&i: &usize| self.weights.get(i).map(|(name, _)| name.clone());
        let learned = self.weights.iter().filter(|(_, weight)| matches!(weight, Weight::Param(_)));
        let plan = Plan {
            template: self.template.clone(),
            weights: self.operands.iter().filter_map(name).collect(),
            parameters: learned.map(|(name, _)| name.clone()).collect(),
        };
        let body =
            serde_json::to_string(&plan).map_err(|e| Error::internal(GRAPH, e.to_string()).because(e))?;
        let strings = [(KIND, FORMAT.to_owned()), (NUMBER, VERSION.to_owned()), (BODY, body)];
        Ok(strings.map(|(key, value)| (key.to_owned(), value)).into())
    }

    /// A graph of its parts; the weights go to the device.
    pub(super) fn assemble(plan: Plan, state: StateDict, device: &B, memory: Memory) -> Result<Self> {
        let places: BTreeMap<_, _> = state.keys().cloned().enumerate().map(|(i, name)| (name, i)).collect();
        let place = |name: &String| {
            places.get(name).copied().ok_or_else(|| broken(format!("the weight {name:?} is missing")))
        };
        let operands: Arc<[usize]> = plan.weights.iter().map(place).collect::<Result<_>>()?;
        plan.parameters.iter().try_for_each(|name| place(name).map(|_| ()))?;
        let concrete = plan.template.at(&plan.template.traced())?;
        let given = concrete.inputs.len() + operands.len();
        if concrete.program.inputs != given {
            return Err(broken(format!(
                "the operations read {} tensors, not {given}",
                concrete.program.inputs
            )));
        }
        let weights = state.into_iter().map(|(name, data)| {
            let value = Tensor::from_data(data, device)?;
            let weight = match plan.parameters.contains(&name) {
                true => Weight::Param(Param::new(value)?),
                false => Weight::Buffer(Buffer::new(value)),
            };
            Ok((name, weight))
        });
        Ok(Graph {
            weights: weights.collect::<Result<_>>()?,
            template: plan.template,
            operands,
            device: device.clone(),
            memory,
            latest: Arc::default(),
        })
    }
}
