//! A backend that runs nothing, and writes down what it was asked.
use crate::{
    Backend, Device, Error, Generator, Meta, Metas, Op, Outputs, Program, Result, Tensor, TensorData,
};
use std::{
    future::{Future, ready},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Writes operations down as a [`Program`].
///
/// ```
/// use firesteel_core::{DType, Meta, Trace};
/// let trace = Trace::default();
/// let x = trace.input(&Meta::new([2], DType::F32))?;
/// let program = trace.finish(&[&x.exp()?])?;
/// assert_eq!(program.code[0].name(), "exp");
/// # Ok::<(), firesteel_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Trace(Arc<Notes>);

#[derive(Debug)]
struct Notes {
    /// Trace values belong to one trace; the number tells them apart.
    lines: Mutex<Lines>,
    generator: Generator,
}

impl Default for Notes {
    fn default() -> Self {
        Self { lines: Mutex::default(), generator: Generator::new(0) }
    }
}

#[derive(Debug, Default)]
struct Lines {
    program: Program,
    /// How many values there are so far: inputs and results.
    values: usize,
}

/// A value that stands for the result of a line.
#[derive(Clone, Debug)]
pub struct Symbol {
    number: usize,
    meta: Meta,
}

impl Trace {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A tensor that stands for one of the program's inputs. Inputs come before all else.
    pub fn input(&self, meta: &Meta) -> Result<Tensor<Trace>> {
        let mut lines = self.lines();
        if !lines.program.code.is_empty() {
            return Err(Error::value("trace", "inputs have to be made before the first operation"));
        }
        lines.program.inputs += 1;
        lines.values += 1;
        let symbol = Symbol { number: lines.values - 1, meta: meta.clone() };
        Ok(Tensor::from_value(self.clone(), symbol))
    }

    /// The program that computes these.
    pub fn finish(&self, results: &[&Tensor<Trace>]) -> Result<Program> {
        if results.iter().any(|t| !Arc::ptr_eq(&t.backend().0, &self.0)) {
            return Err(Error::value("trace", "a result belongs to another trace"));
        }
        let results = results.iter().map(|t| t.value().number).collect();
        Ok(Program { results, ..self.lines().program.clone() })
    }
}

impl Backend for Trace {
    type Value = Symbol;

    fn device(&self) -> Device {
        Device { kind: "trace", index: 0 }
    }
    fn meta(v: &Symbol) -> &Meta {
        &v.meta
    }
    fn upload(&self, _: TensorData) -> Result<Symbol> {
        Err(Error::unsupported("trace", "a trace has no memory: make the tensor an input"))
    }
    fn download(&self, _: &Symbol) -> impl Future<Output = Result<TensorData>> + Send {
        ready(Err(Error::unsupported("trace", "a trace has no numbers to read")))
    }
    fn generator(&self) -> &Generator {
        &self.0.generator
    }
    fn fuses(&self, _: &Op<&Meta>) -> bool {
        true
    }
    fn eval(&self, op: Op<&Symbol>, out: &Metas) -> Result<Outputs<Symbol>> {
        let mut lines = self.lines();
        let first = lines.values;
        lines.values += out.len();
        lines.program.code.push(op.map(|v| v.number));
        Ok(out.iter().cloned().enumerate().map(|(i, meta)| Symbol { number: first + i, meta }).collect())
    }
}
