//! Models written down.
use super::{
    GRAPH, Graph, Memory, Plan,
    sizes::{Concrete, MOST, Template, uneven},
};
use crate::{
    Backend, DType, Error, Meta, Op, Result, Shape, Tensor, TensorData, Trace,
    io::Limits,
    nn::{Layer, Leaf, Module, StateDict},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

impl<B: Backend> Graph<B> {
    /// What a layer does with F32 inputs `(batch, ..input)`, for batches of any size.
    #[track_caller]
    pub fn of<A: Backend, M: Module<A>>(model: &M, input: impl Into<Shape>, device: &B) -> Result<Self>
    where
        M::Over<Trace>: Layer<Trace>,
    {
        let mut shape = input.into();
        shape.insert(0, 0);
        let input = |[batch]: [usize; 1]| vec![Meta::new(shape.with(0, batch), DType::F32)];
        Self::trace(model, [("batch", 2)], input, |model, x| Ok(vec![model.forward(&x[0])?]), device)
    }

    /// What a model does with inputs of any shapes: it is run on a backend that writes down what it is asked, as it is now
    /// (in training or in evaluation).
    ///
    /// `sizes` are those that stay open, by name, each with one that the model can take: it is run at that size and up
    /// to `sizes.len() + 3` more. `inputs` are the shapes for a choice of sizes, and `forward` calls the model.
    ///
    /// ```
    /// use firesteel::{Meta, io::Graph, nn::Embedding, prelude::*};
    /// let model = Embedding::new(100, 8, &Cpu)?;
    /// let tokens = |[batch, time]: [usize; 2]| vec![Meta::new([batch, time], DType::I64)];
    /// let graph = Graph::trace(&model, [("batch", 2), ("time", 4)], tokens, |model, x| {
    ///     Ok(vec![model.forward(&x[0])?.mean(1)?])
    /// }, &Cpu)?;
    /// assert_eq!(graph.signature(), "int64 [batch, time]");
    /// let tokens = Tensor::zeros([1, 30], (DType::I64, &Cpu))?;
    /// assert_eq!(graph.call(&[&tokens])?[0].shape(), &[1, 8]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    ///
    /// What depends on numbers is not seen (an `if` on a loss); a model that draws random numbers is refused, since a
    /// file of it would draw the same each time.
    #[track_caller]
    pub fn trace<A: Backend, M: Module<A>, const N: usize>(
        model: &M,
        sizes: [(&str, usize); N],
        inputs: impl Fn([usize; N]) -> Vec<Meta>,
        forward: impl Fn(&M::Over<Trace>, &[Tensor<Trace>]) -> Result<Vec<Tensor<Trace>>>,
        device: &B,
    ) -> Result<Self> {
        if N > MOST {
            return Err(Error::value(GRAPH, format!("{N} sizes cannot stay open: at most {MOST}")));
        }
        let run = |chosen: [usize; N]| written(model, &inputs(chosen), &forward);
        let size = |i: usize, more: usize| sizes[i].1.saturating_add(more);
        let names: Vec<_> = sizes.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect();

        let Written { concrete, weights, parameters, tensors } = run(std::array::from_fn(|i| size(i, 0)))?;
        let mut corners = vec![concrete];
        for set in 1..1 << N {
            let other = run(std::array::from_fn(|i| size(i, set >> i & 1)))?;
            if !same(&other.tensors, &tensors) {
                let why = "a tensor that the model uploads on its way changes with the open sizes: make it by \
                           operations, such as `arange`";
                return Err(Error::unsupported(GRAPH, why));
            }
            corners.push(other.concrete);
        }
        let template = Template::of(names.clone(), &corners)?;
        let far = std::array::from_fn(|i| size(i, 3 + i));
        if N > 0 && !template.agrees(&far, &run(far)?.concrete) {
            return Err(uneven(&names));
        }
        let memory = Memory { limits: Limits::default(), file: None };
        Self::assemble(Plan { template: Arc::new(template), weights, parameters }, tensors, device, memory)
    }
}

/// Whether all tensors are the same, bit by bit: NaN is as good as any number.
fn same(a: &StateDict, b: &StateDict) -> bool {
    let pairs = a.iter().zip(b);
    let equal = |((name, x), (other, y)): ((&String, &TensorData), (&String, &TensorData))| {
        name == other && x.meta() == y.meta() && x.data().bytes() == y.data().bytes()
    };
    a.len() == b.len() && pairs.into_iter().all(equal)
}

/// A model at one choice of sizes.
struct Written {
    concrete: Concrete,
    /// The names of the program's inputs after those of a call.
    weights: Vec<String>,
    /// Those that are learned.
    parameters: BTreeSet<String>,
    tensors: StateDict,
}

fn written<A: Backend, M: Module<A>>(
    model: &M,
    inputs: &[Meta],
    forward: impl Fn(&M::Over<Trace>, &[Tensor<Trace>]) -> Result<Vec<Tensor<Trace>>>,
) -> Result<Written> {
    let trace = Trace::standing_alone();
    let moved = model.to(&trace)?;
    let (names, parameters) = leaves(&moved);
    let symbols = inputs.iter().map(|meta| trace.input(meta)).collect::<Result<Vec<_>>>()?;
    let results = forward(&moved, &symbols)?;
    let (program, constants) = trace.finish_with_constants(&results.iter().collect::<Vec<_>>())?;
    if let Some(op) = program.code.iter().find(|op| matches!(op, Op::Random(..))) {
        let why = format!("the model draws random numbers ({}): put it in evaluation by `eval`", op.name());
        return Err(Error::unsupported(GRAPH, why));
    }
    let mut free = (0..).map(|i| format!("constant.{i}")).filter(|name| !names.values().any(|n| n == name));
    let (mut weights, mut tensors) = (vec![], BTreeMap::new());
    for (number, data) in constants {
        let name = names.get(&number).cloned().or_else(|| free.next()).unwrap_or_default();
        weights.push(name.clone());
        tensors.insert(name, data);
    }
    let concrete = Concrete { inputs: inputs.to_vec(), program };
    Ok(Written { concrete, weights, parameters, tensors })
}

/// The name of each leaf by the number of its symbol, where tied ones have the first's, and which are learned.
fn leaves<M: Module<Trace>>(model: &M) -> (HashMap<usize, String>, BTreeSet<String>) {
    let (mut names, mut parameters, mut tied) = (HashMap::new(), BTreeSet::new(), HashMap::new());
    model.read(|path, leaf| match leaf {
        Leaf::Param(param) => {
            let name = tied.entry(param.id()).or_insert_with(|| path.to_owned()).clone();
            parameters.insert(name.clone());
            names.insert(param.value().number(), name);
        }
        Leaf::Buffer(buffer) => {
            names.insert(buffer.get().value().number(), path.to_owned());
        }
        Leaf::Mode(_) => (),
    });
    (names, parameters)
}
