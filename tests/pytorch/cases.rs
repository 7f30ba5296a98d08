//! PyTorch's cases, typed. `cases/README.md` says where the files come from.
pub use super::read::{load, own_folder};
use firesteel_core::{DType, Data, Element, Error, Result, with_dtype};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// What a case tests. Each kind has a file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An operator.
    Op,
    /// An `nn` module.
    Module,
    /// An optimizer.
    Optim,
    /// A learning-rate scheduler.
    Sched,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 4] = [Kind::Op, Kind::Module, Kind::Optim, Kind::Sched];

    /// The stem of its files, and the key under which a case has its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Op => "op",
            Kind::Module => "module",
            Kind::Optim => "optim",
            Kind::Sched => "sched",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A tensor of a file: row-major, little-endian.
#[derive(Clone, Debug, PartialEq)]
pub struct Raw {
    /// The type of the elements.
    pub dtype: DType,
    /// The sizes of the axes.
    pub shape: Vec<usize>,
    /// The elements.
    pub bytes: Vec<u8>,
}

impl Raw {
    /// A shape and its elements.
    pub fn new(shape: &[usize], data: &Data) -> Self {
        Self { dtype: data.dtype(), shape: shape.to_vec(), bytes: data.bytes().to_vec() }
    }

    /// Rows of equal length, in F64.
    pub fn of_rows(rows: &[Vec<f64>]) -> Self {
        Self::new(&[rows.len(), rows.first().map_or(0, Vec::len)], &Data::F64(rows.concat()))
    }

    /// How many elements there are.
    pub fn numel(&self) -> usize {
        self.shape.iter().product()
    }

    /// The elements, typed.
    pub fn data(&self) -> Result<Data> {
        Data::from_bytes(self.dtype, &self.bytes)
            .ok_or_else(|| Error::format("pytorch", format!("{} bytes of {}", self.bytes.len(), self.dtype)))
    }

    /// The elements as f64, exact but for large int64.
    pub fn floats(&self) -> Result<Vec<f64>> {
        let data = self.data()?;
        Ok(
            with_dtype!(self.dtype, T => T::peek(&data).unwrap_or_default().iter().map(|x| x.to_f64()).collect()),
        )
    }
}

/// A tensor by its name in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// `abs/0/arg0`
    pub name: String,
    /// Whether it holds complex numbers as a last axis of two.
    pub complex: bool,
    /// What the file holds under that name, or the name of a dtype that Firesteel does not have.
    pub(super) raw: Result<Arc<Raw>, String>,
}

impl Tensor {
    /// Another shape or other elements under the same name, as `tests/bad_input.rs` makes them.
    #[allow(dead_code)]
    pub fn with(&self, raw: Raw) -> Self {
        Self { raw: Ok(Arc::new(raw)), ..self.clone() }
    }

    /// The name of its dtype, which need not be one that Firesteel has.
    pub fn dtype(&self) -> String {
        self.raw.as_ref().map_or_else(Clone::clone, |raw| raw.dtype.to_string())
    }

    /// Its shape and elements; an error where Firesteel does not have its dtype.
    pub fn raw(&self) -> Result<&Raw> {
        match &self.raw {
            Ok(raw) => Ok(raw),
            Err(dtype) => Err(Error::dtype("pytorch", format!("unsupported dtype {dtype}"))),
        }
    }
}

/// A Python value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A tensor.
    Tensor(Tensor),
    /// An int.
    Int(i64),
    /// A float.
    Float(f64),
    /// A bool.
    Bool(bool),
    /// A string.
    Str(String),
    /// None.
    Null,
    /// A dtype by its name, which need not be one that Firesteel has.
    DType(String),
    /// A list, or a size.
    List(Vec<Value>),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A dict.
    Dict(Vec<(String, Value)>),
    /// An index of start, stop and step.
    Slice([Option<i64>; 3]),
    /// The index `...`.
    Ellipsis,
    /// A module by its constructor's arguments.
    Module(String, Vec<(String, Value)>),
    /// A function by its name.
    Function(String),
    /// A device, a layout or a memory format.
    Ignored(String),
}

/// Tensors or nothing, by the path of the argument: `args.0`, `args.1.2`, `kwargs.weight`, `param.bias`.
pub type Gradients = BTreeMap<String, Option<Tensor>>;

/// One case: a call and what it gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// `nn.functional.conv2d/float64/0`
    pub id: String,
    /// What it tests.
    pub kind: Kind,
    /// The name of the operator, module, optimizer or scheduler.
    pub name: String,
    /// The operator's variant, or nothing.
    pub variant: String,
    /// The arguments by position.
    pub args: Vec<Value>,
    /// The arguments by name.
    pub kwargs: Vec<(String, Value)>,
    /// The results.
    pub outputs: Vec<Value>,
    /// For each output that can be differentiated, its index and what flows back from it.
    pub cotangents: Vec<(usize, Tensor)>,
    /// The gradient of each argument that wants one.
    pub grads: Gradients,
    /// What each gradient is multiplied with before it is differentiated again.
    pub directions: Gradients,
    /// The second gradients.
    pub seconds: Gradients,
    /// The absolute tolerance of the outputs.
    pub atol: Option<f64>,
    /// The absolute tolerance of the gradients.
    pub grad_atol: Option<f64>,
    /// The absolute tolerance of the second gradients.
    pub second_atol: Option<f64>,
    /// Whether the result depends on the generator.
    pub random: bool,
    /// A dtype in it that Firesteel does not have.
    pub unsupported: Option<String>,
    /// What only its kind has.
    pub detail: Detail,
}

/// What only cases of one kind have.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// Nothing more.
    Op,
    /// How a module is made, and its state.
    Module(Module),
    /// The problem of an optimizer, and its course.
    Optim(Optim),
    /// The course of a scheduler.
    Sched(Sched),
}

/// How a module is made, and its state.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    /// Whether it trains.
    pub training: bool,
    /// The constructor's arguments, all by name.
    pub settings: Vec<(String, Value)>,
    /// The state_dict before the call.
    pub state: BTreeMap<String, Tensor>,
    /// The buffers after the call.
    pub state_after: BTreeMap<String, Tensor>,
}

/// Minimising mean((x @ w + b - y)^2).
#[derive(Clone, Debug, PartialEq)]
pub struct Optim {
    /// The inputs.
    pub x: Tensor,
    /// The targets.
    pub y: Tensor,
    /// The weight, and mostly a bias.
    pub initial: Vec<Tensor>,
    /// The loss before each step.
    pub losses: Vec<f64>,
    /// The parameters after each step.
    pub trajectory: Vec<Vec<Tensor>>,
}

/// The course of a scheduler over two groups of parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Sched {
    /// The groups' rates at the start.
    pub base: Vec<f64>,
    /// The momentum of both groups at the start.
    pub momentum: f64,
    /// What the scheduler is told at each step, where it listens.
    pub metric: Option<Vec<f64>>,
    /// The groups' rates before the first step and after each.
    pub lrs: Vec<Vec<f64>>,
    /// The groups' momenta likewise.
    pub momenta: Vec<Vec<f64>>,
}

impl Case {
    /// The dtypes of its tensors and those that it names, by PyTorch's names.
    pub fn dtypes(&self) -> BTreeSet<String> {
        fn collect(value: &Value, found: &mut BTreeSet<String>) {
            match value {
                Value::Tensor(tensor) => found.extend([tensor.dtype()]),
                Value::DType(name) => found.extend([name.clone()]),
                Value::List(items) | Value::Tuple(items) => items.iter().for_each(|v| collect(v, found)),
                Value::Dict(members) => members.iter().for_each(|(_, v)| collect(v, found)),
                Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Str(_) | Value::Null => (),
                Value::Slice(_) | Value::Ellipsis | Value::Module(..) => (),
                Value::Function(_) | Value::Ignored(_) => (),
            }
        }
        let mut found = BTreeSet::new();
        let kwargs = self.kwargs.iter().map(|(_, value)| value);
        self.args.iter().chain(kwargs).chain(&self.outputs).for_each(|value| collect(value, &mut found));
        found
    }

    /// The results; of a module its buffers besides, of an optimizer the losses of all steps, then the
    /// parameters after each, and of a scheduler the rates and the momenta.
    pub fn wanted(&self) -> Cow<'_, [Value]> {
        let held = |tensor: &Tensor| Value::Tensor(tensor.clone());
        match &self.detail {
            Detail::Op => Cow::Borrowed(&self.outputs),
            Detail::Module(module) => {
                self.outputs.iter().cloned().chain(module.state_after.values().map(held)).collect()
            }
            Detail::Optim(problem) => {
                let losses = problem.losses.iter().map(|loss| Value::Float(*loss));
                losses.chain(problem.trajectory.iter().flatten().map(held)).collect()
            }
            Detail::Sched(course) => [("lrs", &course.lrs), ("momenta", &course.momenta)]
                .map(|(name, rows)| {
                    let raw = Ok(Arc::new(Raw::of_rows(rows)));
                    Value::Tensor(Tensor { name: name.into(), complex: false, raw })
                })
                .to_vec()
                .into(),
        }
    }
}
