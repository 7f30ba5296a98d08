//! Models without their code: what they do with an input, written down with their weights.
mod file;
mod sizes;
mod trace;

use super::Limits;
use crate::{
    Backend, Error, Meta, Result, Tensor,
    nn::{Buffer, Layer, Module, Param, Printer, Visit, VisitModules, VisitMut, join},
};
use serde::{Deserialize, Serialize};
use sizes::{Concrete, Template};
use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// How errors name it.
const GRAPH: &str = "graph";

/// A model without its code: the operations that it does, and its weights. It is what
/// [`torch.export`](https://docs.pytorch.org/docs/stable/export.html) makes of a model, and what `torch.save(model)` is
/// used for.
///
/// A file of it is one of safetensors, with the weights by their names and the operations as JSON beside them. It is a
/// module like others: it can be moved to a device, and trained further.
///
/// ```
/// use firesteel::{io::Graph, nn::{Linear, ReLU, Sequential}, prelude::*};
/// let model = Sequential((Linear::new(4, 8, &Cpu)?, ReLU, Linear::new(8, 2, &Cpu)?));
/// model.eval();
/// let path = std::env::temp_dir().join("firesteel-doc-graph.safetensors");
/// Graph::of(&model, [4], &Cpu)?.save(&path)?;
///
/// // elsewhere, and without `model`
/// let loaded = Graph::load(&path, &Cpu)?;
/// let x = Tensor::randn([5, 4], &Cpu)?;
/// assert_eq!(loaded.forward(&x)?.to_vec::<f32>()?, model.forward(&x)?.to_vec::<f32>()?);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
pub struct Graph<B: Backend> {
    template: Arc<Template>,
    /// Each by its name, in alphabetical order.
    weights: Vec<(String, Weight<B>)>,
    /// Which weights follow the inputs of a call as the program's.
    operands: Arc<[usize]>,
    device: B,
    /// What a call may take in memory.
    memory: Memory,
    latest: Arc<Mutex<Option<Call>>>,
}

/// The sizes of the last call, and what was done: mostly the next is like it.
type Call = (Vec<usize>, Arc<Concrete>);

/// A graph without its weights, as it stands in a file beside them.
#[derive(Serialize, Deserialize)]
struct Plan {
    #[serde(flatten)]
    template: Arc<Template>,
    /// The names of what follows the inputs of a call as the program's.
    weights: Vec<String>,
    /// Those that are learned.
    parameters: BTreeSet<String>,
}

/// What a graph holds besides its operations.
enum Weight<B: Backend> {
    Param(Param<B>),
    Buffer(Buffer<B>),
}

impl<B: Backend> Weight<B> {
    fn value(&self) -> Tensor<B> {
        match self {
            Weight::Param(param) => (**param).clone(),
            Weight::Buffer(buffer) => buffer.get(),
        }
    }
}

/// What the values of a program may take at one time.
#[derive(Clone, Copy, Debug)]
struct Memory {
    limits: Limits,
    /// The length of the file that the program comes from; nothing where it was traced here.
    file: Option<usize>,
}

impl Memory {
    /// Programs of files are not believed: a few bytes ask for terabytes.
    fn check(self, program: &crate::Program, inputs: &[&Meta]) -> Result<()> {
        let Some(len) = self.file else {
            return Ok(());
        };
        // a call on much data may take more
        let given = inputs.iter().map(|meta| meta.bytes()).fold(len, usize::saturating_add);
        self.limits.budget(GRAPH, given).charge(program.memory(inputs)?)
    }
}

impl<B: Backend> Graph<B> {
    /// The results for these inputs, in their order.
    #[track_caller]
    pub fn call(&self, inputs: &[&Tensor<B>]) -> Result<Vec<Tensor<B>>> {
        if let Some(x) = inputs.iter().find(|x| x.device() != self.device.device()) {
            let why =
                format!("an input is on {}, and the weights are on {}", x.device(), self.device.device());
            return Err(Error::device(GRAPH, why));
        }
        let concrete = self.concrete(&inputs.iter().map(|x| x.meta()).collect::<Vec<_>>())?;
        let weights = self.operands();
        let operands: Vec<_> = inputs.iter().copied().chain(&weights).collect();
        Ok(concrete.program.call(&self.device, &operands)?.into_vec())
    }

    /// What it takes: `float32 [batch, 3]`.
    pub fn signature(&self) -> String {
        self.template.signature()
    }

    /// What is done with such inputs.
    fn concrete(&self, inputs: &[&Meta]) -> Result<Arc<Concrete>> {
        let sizes = self.template.solve(inputs)?;
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let found =
            latest.as_ref().filter(|(known, _)| *known == sizes).map(|(_, concrete)| concrete.clone());
        let concrete = match found {
            Some(concrete) => concrete,
            None => Arc::new(self.template.at(&sizes)?),
        };
        if !concrete.inputs.iter().eq(inputs.iter().copied()) {
            let given: Vec<_> = inputs.iter().map(|meta| meta.to_string()).collect();
            let why = format!("takes {}, not {}", self.signature(), given.join(" and "));
            return Err(Error::shape(GRAPH, why));
        }
        if latest.as_ref().is_none_or(|(known, _)| *known != sizes) {
            self.check(&concrete)?;
            *latest = Some((sizes, concrete.clone()));
        }
        Ok(concrete)
    }

    /// Whether every operation of it fits its operands, and all of it the memory.
    fn check(&self, concrete: &Concrete) -> Result<()> {
        let weights = self.operands();
        let operands: Vec<_> = concrete.inputs.iter().chain(weights.iter().map(|w| w.meta())).collect();
        self.memory.check(&concrete.program, &operands)
    }

    fn operands(&self) -> Vec<Tensor<B>> {
        self.operands.iter().filter_map(|&i| self.weights.get(i)).map(|(_, weight)| weight.value()).collect()
    }
}

impl<B: Backend> Layer<B> for Graph<B> {
    fn forward(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        let results = self.call(&[x])?;
        let count = results.len();
        match <[Tensor<B>; 1]>::try_from(results) {
            Ok([y]) => Ok(y),
            Err(_) => Err(Error::value(GRAPH, format!("it has {count} results: get them by `call`"))),
        }
    }
}

impl<B: Backend> fmt::Debug for Graph<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::new("Graph").settings(self.signature()).finish(f)
    }
}

/// Its leaves have the names that they had in the model.
impl<B: Backend> Module<B> for Graph<B> {
    type Over<C: Backend> = Graph<C>;

    fn visit<'a>(&'a self, path: &str, visit: Visit<'_, 'a, B>) -> Result<()> {
        self.weights.iter().try_for_each(|(name, weight)| match weight {
            Weight::Param(param) => param.visit(&join(path, name), visit),
            Weight::Buffer(buffer) => buffer.visit(&join(path, name), visit),
        })
    }
    fn visit_mut<'a>(&'a mut self, path: &str, visit: VisitMut<'_, 'a, B>) -> Result<()> {
        self.weights.iter_mut().try_for_each(|(name, weight)| match weight {
            Weight::Param(param) => param.visit_mut(&join(path, name), visit),
            Weight::Buffer(buffer) => buffer.visit_mut(&join(path, name), visit),
        })
    }
    fn to<C: Backend>(&self, device: &C) -> Result<Graph<C>> {
        let moved = self.weights.iter().map(|(name, weight)| {
            let weight = match weight {
                Weight::Param(param) => Weight::Param(param.to(device)?),
                Weight::Buffer(buffer) => Weight::Buffer(buffer.to(device)?),
            };
            Ok((name.clone(), weight))
        });
        Ok(Graph {
            template: self.template.clone(),
            weights: moved.collect::<Result<_>>()?,
            operands: self.operands.clone(),
            device: device.clone(),
            memory: self.memory,
            latest: self.latest.clone(),
        })
    }
    fn visit_modules(&mut self, path: &str, visit: VisitModules<'_>) -> Result<()> {
        visit(path, self)
    }
}
