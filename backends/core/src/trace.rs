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
    /// Whether the program is to be whole without what is around it.
    stands_alone: bool,
}

impl Default for Notes {
    fn default() -> Self {
        Self { lines: Mutex::default(), generator: Generator::new(0), stands_alone: false }
    }
}

/// What was written down so far, over the numbers of symbols.
#[derive(Debug, Default)]
struct Lines {
    inputs: Vec<usize>,
    constants: Vec<(usize, TensorData)>,
    code: Vec<Op<usize>>,
    /// How many symbols there are.
    symbols: usize,
}

impl Lines {
    /// The next symbol.
    fn symbol(&mut self, meta: Meta) -> Symbol {
        self.symbols += 1;
        Symbol { number: self.symbols - 1, meta }
    }

    /// The number in the program of each symbol: first come inputs, then constants, then what is computed.
    fn places(&self) -> Vec<usize> {
        let given = self.inputs.iter().chain(self.constants.iter().map(|(number, _)| number)).copied();
        let mut places = vec![None; self.symbols];
        let mut count = 0;
        for number in given.chain(0..self.symbols) {
            if places[number].is_none() {
                places[number] = Some(count);
                count += 1;
            }
        }
        places.into_iter().flatten().collect()
    }
}

/// A value that stands for the result of a line.
#[derive(Clone, Debug)]
pub struct Symbol {
    number: usize,
    meta: Meta,
}

impl Symbol {
    /// Its number among all symbols of its trace.
    pub fn number(&self) -> usize {
        self.number
    }
}

impl Trace {
    /// A trace whose program needs nothing but its inputs: what is uploaded to it (the weights of a model that is moved
    /// there) becomes a constant, and an operation of a user's is written down by its parts.
    ///
    /// ```
    /// use firesteel_core::{DType, Meta, Tensor, Trace};
    /// let trace = Trace::standing_alone();
    /// let x = trace.input(&Meta::new([2], DType::F32))?;
    /// let y = (x * Tensor::new([2.0, 3.0], &trace)?)?;
    /// let (program, constants) = trace.finish_with_constants(&[&y])?;
    /// assert_eq!((program.inputs, constants.len()), (2, 1));
    /// # Ok::<(), firesteel_core::Error>(())
    /// ```
    pub fn standing_alone() -> Self {
        Trace(Arc::new(Notes { stands_alone: true, ..Notes::default() }))
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A tensor that stands for one of the program's inputs.
    pub fn input(&self, meta: &Meta) -> Result<Tensor<Trace>> {
        let mut lines = self.lines();
        let symbol = lines.symbol(meta.clone());
        lines.inputs.push(symbol.number);
        Ok(Tensor::from_value(self.clone(), symbol))
    }

    /// The program that computes these.
    pub fn finish(&self, results: &[&Tensor<Trace>]) -> Result<Program> {
        self.finish_with_constants(results).map(|(program, _)| program)
    }

    /// The program that computes these, whose inputs are those of [`input`](Self::input) and then the constants, which
    /// stand beside it with the numbers of their symbols.
    pub fn finish_with_constants(
        &self,
        results: &[&Tensor<Trace>],
    ) -> Result<(Program, Vec<(usize, TensorData)>)> {
        if results.iter().any(|t| !Arc::ptr_eq(&t.backend().0, &self.0)) {
            return Err(Error::value("trace", "a result belongs to another trace"));
        }
        let lines = self.lines();
        let places = lines.places();
        let program = Program {
            inputs: lines.inputs.len() + lines.constants.len(),
            code: lines.code.iter().map(|op| op.clone().map(|number| places[number])).collect(),
            results: results.iter().map(|t| places[t.value().number]).collect(),
        };
        Ok((program, lines.constants.clone()))
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
    fn upload(&self, data: TensorData) -> Result<Symbol> {
        if !self.0.stands_alone {
            return Err(Error::unsupported("trace", "a trace has no memory: make the tensor an input"));
        }
        let mut lines = self.lines();
        let symbol = lines.symbol(data.meta());
        lines.constants.push((symbol.number, data));
        Ok(symbol)
    }
    fn download(&self, _: &Symbol) -> impl Future<Output = Result<TensorData>> + Send {
        ready(Err(Error::unsupported("trace", "a trace has no numbers to read")))
    }
    fn generator(&self) -> &Generator {
        &self.0.generator
    }
    fn fuses(&self, op: &Op<&Meta>) -> bool {
        !(self.0.stands_alone && matches!(op, Op::Custom(..)))
    }
    fn eval(&self, op: Op<&Symbol>, out: &Metas) -> Result<Outputs<Symbol>> {
        let mut lines = self.lines();
        lines.code.push(op.map(|v| v.number));
        Ok(out.iter().map(|meta| lines.symbol(meta.clone())).collect())
    }
}
