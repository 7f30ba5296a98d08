//! Gradients written down as programs.
use super::graph::Rule;
use firesteel_core::{
    Backend, DType, Error, Fused, Metas, Op, Operands, Outputs, Program, Result, Scalar, Tensor,
};
use std::{collections::HashMap, sync::Arc};

/// A gradient as a program: from operands, then results, then the results' gradients, to the gradients of
/// those operands that have one.
#[derive(Clone)]
pub(super) struct Derivative {
    program: Arc<Program>,
    /// Which of the inputs the program is given: those that it reads.
    reads: Arc<[bool]>,
    /// Which operands have a gradient.
    has: Arc<[bool]>,
    /// Whether it runs in one pass.
    chain: bool,
}

impl Derivative {
    /// Of a program whose inputs are all that there are.
    pub fn new(program: &Program, has: Vec<bool>) -> Result<Self> {
        let (whole, needed) = (program.inputs, needed(program)?);
        let program = pruned(program, &needed)?;
        let reads = needed[..needed.len().min(whole)].to_vec();
        let chain = program.inputs > 0 && program.code.iter().all(is_elementwise);
        Ok(Self { program: Arc::new(program), reads: reads.into(), has: has.into(), chain })
    }

    /// The rule, which keeps of operands and results only what the program reads.
    pub fn rule<B: Backend>(self, xs: Operands<Tensor<B>>, ys: Outputs<Tensor<B>>) -> Rule<B> {
        let metas: Metas = ys.iter().map(|y| y.meta().clone()).collect();
        let there = xs.into_iter().chain(ys).zip(&self.reads[..]);
        let kept: Vec<Tensor<B>> = there.filter(|(_, reads)| **reads).map(|(t, _)| t).collect();
        let seeds = self.reads[self.reads.len() - metas.len()..].to_vec();
        Rule::Joint(Box::new(move |received| {
            let Some(backend) = received.iter().flatten().next().map(Tensor::backend) else {
                return Ok(vec![None; self.has.len()]);
            };
            let mut inputs = kept.clone();
            for ((meta, g), _) in metas.iter().zip(received).zip(&seeds).filter(|(_, reads)| **reads) {
                inputs.push(match g {
                    Some(g) => g.clone(),
                    None => Tensor::zeros(&meta.shape, (meta.dtype, backend))?,
                });
            }
            let mut results = self.run(backend, &inputs)?.into_iter();
            Ok(self.has.iter().map(|&has| if has { results.next() } else { None }).collect())
        }))
    }

    fn run<B: Backend>(&self, backend: &B, inputs: &[Tensor<B>]) -> Result<Outputs<Tensor<B>>> {
        if self.chain {
            return Tensor::apply(Op::Fused(Fused::Chain(self.program.clone()), inputs.iter().collect()));
        }
        self.program.call(backend, &inputs.iter().collect::<Vec<_>>())
    }
}

fn is_elementwise(op: &Op<usize>) -> bool {
    matches!(
        op,
        Op::Full(..) | Op::Unary(..) | Op::Binary(..) | Op::Compare(..) | Op::Select(..) | Op::Cast(..)
    )
}

/// Copies a program line by line, with chains written out, views of one number seen as that number, and some
/// values replaced by others.
pub(super) struct Writer {
    program: Program,
    /// How many values there are in the copy so far.
    values: usize,
    /// Where each value of the original is in the copy.
    places: Vec<usize>,
    /// Values of the original that are replaced by values of the copy.
    replaced: HashMap<usize, usize>,
    /// The values of the copy that are one number everywhere.
    numbers: HashMap<usize, (Scalar, DType)>,
}

impl Writer {
    pub fn new(inputs: usize) -> Self {
        let program = Program { inputs, ..Program::default() };
        let places = (0..inputs).collect();
        Self { program, values: inputs, places, replaced: HashMap::new(), numbers: HashMap::new() }
    }

    /// Whatever reads the original's value `old` reads the copy's value `new` instead.
    pub fn replace(&mut self, old: usize, new: usize) {
        self.replaced.insert(old, new);
    }

    pub fn write(&mut self, code: &[Op<usize>]) -> Result<()> {
        for op in code {
            let copies =
                self.line(op.clone().try_map(|i| self.places.get(i).copied().ok_or_else(missing))?)?;
            for copy in copies {
                let place = self.replaced.get(&self.places.len()).copied().unwrap_or(copy);
                self.places.push(place);
            }
        }
        Ok(())
    }

    /// The copy, with these values of the original as its results.
    pub fn finish(self, results: &[usize]) -> Result<Program> {
        let place = |&i: &usize| self.places.get(i).copied().ok_or_else(missing);
        let results = results.iter().map(place).collect::<Result<_>>()?;
        Ok(Program { results, ..self.program })
    }

    /// Writes one line over values of the copy; gives its results.
    fn line(&mut self, op: Op<usize>) -> Result<Vec<usize>> {
        if let Op::Fused(Fused::Chain(program), operands) = &op {
            return self.chain(program, operands);
        }
        let op = match &op {
            Op::Reshape(x, shape) | Op::Broadcast(x, shape) => match self.numbers.get(x) {
                Some(&(number, dtype)) => Op::Full(number, shape.clone(), dtype),
                None => op,
            },
            _ => op,
        };
        if let Op::Full(number, _, dtype) = op {
            self.numbers.insert(self.values, (number, dtype));
        }
        let first = self.values;
        self.values += op.outputs();
        self.program.code.push(op);
        Ok((first..self.values).collect())
    }

    fn chain(&mut self, program: &Program, operands: &[usize]) -> Result<Vec<usize>> {
        let mut places = operands.to_vec();
        for op in &program.code {
            let op = op.clone().try_map(|i| places.get(i).copied().ok_or_else(missing))?;
            places.extend(self.line(op)?);
        }
        program.results.iter().map(|&i| places.get(i).copied().ok_or_else(missing)).collect()
    }
}

/// Which values of a program its results come from.
fn needed(program: &Program) -> Result<Vec<bool>> {
    let values = program.inputs + program.code.iter().map(Op::outputs).sum::<usize>();
    let mut needed = vec![false; values];
    let mut end = values;
    program.results.iter().try_for_each(|&i| mark(&mut needed, i))?;
    for op in program.code.iter().rev() {
        let first = end - op.outputs();
        if needed[first..end].contains(&true) {
            op.clone().try_map(|i| mark(&mut needed, i))?;
        }
        end = first;
    }
    Ok(needed)
}

fn mark(needed: &mut [bool], i: usize) -> Result<()> {
    *needed.get_mut(i).ok_or_else(missing)? = true;
    Ok(())
}

/// The same program without the lines and inputs that nothing needs.
fn pruned(program: &Program, needed: &[bool]) -> Result<Program> {
    let mut places: Vec<Option<usize>> = vec![];
    let mut values = 0;
    let mut keep = |places: &mut Vec<Option<usize>>, kept: bool, count: usize| {
        places.extend((values..values + count).map(|new| kept.then_some(new)));
        values += if kept { count } else { 0 };
    };
    needed[..program.inputs].iter().for_each(|&kept| keep(&mut places, kept, 1));
    let mut code = vec![];
    for op in &program.code {
        let outputs = places.len()..places.len() + op.outputs();
        let kept = needed[outputs.clone()].contains(&true);
        if kept {
            code.push(op.clone().try_map(|i| place(&places, i))?);
        }
        keep(&mut places, kept, outputs.len());
    }
    let inputs = places[..program.inputs].iter().flatten().count();
    let results = program.results.iter().map(|&i| place(&places, i)).collect::<Result<_>>()?;
    Ok(Program { inputs, code, results })
}

fn place(places: &[Option<usize>], i: usize) -> Result<usize> {
    places.get(i).copied().flatten().ok_or_else(missing)
}

fn missing() -> Error {
    Error::internal("program", "reads a value that is not there")
}
