//! A formula written down as one operation.
use super::{Expr, Node};
use crate::{
    Arg, Backend, Binary, DType, Error, Fused, Meta, Op, Program, Result, Scalar, Shape, Tensor, Unary,
};
use std::sync::Arc;

/// A formula written down: one chain over what is named by numbers, and leaves.
pub(super) struct Plan<B: Backend> {
    pub op: Op<usize>,
    pub leaves: Vec<Tensor<B>>,
    pub shape: Shape,
    pub dtype: DType,
}

impl<B: Backend> Plan<B> {
    #[track_caller]
    pub fn new(formulas: &[Expr<B>], named: &[Meta]) -> Result<Self> {
        let mut survey = Survey::default();
        formulas.iter().for_each(|f| survey.visit(f));
        let Survey { leaves, numbers, real, .. } = survey;
        let inputs = || named.iter().chain(leaves.iter().map(Tensor::meta));
        let shape = inputs().try_fold(Shape::scalar(), |shape, meta| {
            shape.broadcast(&meta.shape).ok_or_else(|| {
                Error::shape(
                    "eval",
                    format!("{shape} and {} do not broadcast: sizes have to be equal or 1", meta.shape),
                )
            })
        })?;
        if inputs().next().is_none() {
            return Err(Error::value("eval", "a formula of numbers alone has no device"));
        }
        let dtype = common_dtype(inputs(), &numbers, real);
        let leaves = leaves.iter().map(|leaf| leaf.broadcast_to(&shape)).collect::<Result<Vec<_>>>()?;
        let kinds = named.iter().map(|m| m.dtype).chain(leaves.iter().map(Tensor::dtype)).collect();
        let writer = Writer { code: vec![], kinds, shape: &shape, dtype, named: named.len(), known: vec![] };
        let program = writer.write(formulas)?;
        let operands = (0..program.inputs).collect();
        Ok(Plan { op: Op::Fused(Fused::Chain(Arc::new(program)), operands), leaves, shape, dtype })
    }
}

/// The dtype of a formula: where all that meet in it meet. Masks do not count beside numbers.
fn common_dtype<'a>(inputs: impl Iterator<Item = &'a Meta> + Clone, numbers: &[Scalar], real: bool) -> DType {
    let meet = |metas: &mut dyn Iterator<Item = &'a Meta>| metas.map(|m| m.dtype).reduce(DType::promote);
    let dims = meet(&mut inputs.clone().filter(|m| m.shape.rank() > 0));
    let single = meet(&mut inputs.filter(|m| m.shape.rank() == 0));
    let mut dtype = match (dims, single) {
        (Some(dims), Some(single)) if single.category() > dims.category() => single,
        (Some(dtype), _) | (None, Some(dtype)) => dtype,
        (None, None) => DType::F32,
    };
    for x in numbers {
        if x.category() > dtype.category() {
            dtype = x.dtype();
        }
    }
    if real && !dtype.is_float() { DType::F32 } else { dtype }
}

/// What a formula is made of.
struct Survey<B: Backend> {
    leaves: Vec<Tensor<B>>,
    numbers: Vec<Scalar>,
    /// Whether something in it is for real numbers only.
    real: bool,
    /// The parts that may be found again.
    seen: Vec<*const ()>,
}

impl<B: Backend> Default for Survey<B> {
    fn default() -> Self {
        Self { leaves: vec![], numbers: vec![], real: false, seen: vec![] }
    }
}

impl<B: Backend> Survey<B> {
    fn visit(&mut self, formula: &Expr<B>) {
        match &formula.0 {
            Node::Named(_) => (),
            Node::Leaf(leaf) => {
                if self.is_new(leaf) {
                    match &**leaf {
                        Arg::Tensor(t) => self.leaves.push(t.clone()),
                        Arg::Scalar(x) => self.numbers.push(*x),
                    }
                }
            }
            Node::Op(op) => {
                if self.is_new(op) {
                    self.real |= match **op {
                        Op::Unary(kind, _) => {
                            !matches!(kind, Unary::Neg | Unary::Abs | Unary::Sign | Unary::Relu | Unary::Not)
                        }
                        Op::Binary(kind, ..) => {
                            matches!(kind, Binary::Div | Binary::Atan2 | Binary::Copysign | Binary::Zeta)
                        }
                        _ => false,
                    };
                    match &**op {
                        Op::Unary(_, x) => self.visit(x),
                        Op::Binary(_, a, b) | Op::Compare(_, a, b) => {
                            self.visit(a);
                            self.visit(b);
                        }
                        Op::Select(c, a, b) => {
                            [c, a, b].into_iter().for_each(|x| self.visit(x));
                        }
                        // formulas are made of nothing else
                        _ => (),
                    }
                }
            }
        }
    }

    /// Whether a part of the formula was not visited before.
    fn is_new<T>(&mut self, part: &Arc<T>) -> bool {
        if !is_shared(part) {
            return true;
        }
        let is_new = !self.seen.contains(&Arc::as_ptr(part).cast());
        if is_new {
            self.seen.push(Arc::as_ptr(part).cast());
        }
        is_new
    }
}

/// Whether a part may be found more than once: what is, is remembered.
fn is_shared<T>(part: &Arc<T>) -> bool {
    Arc::strong_count(part) > 1
}

/// Writes lines, each in the formula's dtype or in Bool.
struct Writer<'a> {
    code: Vec<Op<usize>>,
    /// The dtype of each value so far: what is named, leaves, lines.
    kinds: Vec<DType>,
    shape: &'a Shape,
    dtype: DType,
    named: usize,
    /// Where the parts are that may be found again: few, so that looking through them is quick.
    known: Vec<(*const (), usize)>,
}

impl Writer<'_> {
    fn write<B: Backend>(mut self, formulas: &[Expr<B>]) -> Result<Program> {
        let inputs = self.kinds.len();
        let mut next_leaf = self.named;
        let mut results = vec![];
        for formula in formulas {
            let slot = self.visit(formula, &mut next_leaf)?;
            // what is replaced stays of its dtype; else a bare input, or a comparison alone, is a result as it is
            results.push(if self.named > 0 { self.number(slot) } else { slot });
        }
        Ok(Program { inputs, code: self.code, results })
    }

    fn visit<B: Backend>(&mut self, formula: &Expr<B>, next_leaf: &mut usize) -> Result<usize> {
        match &formula.0 {
            Node::Named(i) => Ok(*i),
            Node::Leaf(leaf) => {
                if let Some(slot) = self.find(leaf) {
                    return Ok(slot);
                }
                let slot = match &**leaf {
                    Arg::Tensor(_) => {
                        *next_leaf += 1;
                        *next_leaf - 1
                    }
                    Arg::Scalar(x) => self.line(Op::Full(*x, self.shape.clone(), self.dtype), self.dtype),
                };
                Ok(self.remember(leaf, slot))
            }
            Node::Op(op) => {
                if let Some(slot) = self.find(op) {
                    return Ok(slot);
                }
                let slot = match &**op {
                    Op::Unary(kind, x) => {
                        let x = self.visit(x, next_leaf)?;
                        let masks = *kind == Unary::Not && self.kinds[x] == DType::Bool;
                        let (x, dtype) = if masks { (x, DType::Bool) } else { (self.number(x), self.dtype) };
                        self.line(Op::Unary(*kind, x), dtype)
                    }
                    Op::Binary(kind, a, b) => {
                        let (a, b) = (self.visit(a, next_leaf)?, self.visit(b, next_leaf)?);
                        // masks are joined as masks
                        let masks = matches!(kind, Binary::BitAnd | Binary::BitOr | Binary::BitXor)
                            && [a, b].iter().all(|&x| self.kinds[x] == DType::Bool);
                        let dtype = if masks { DType::Bool } else { self.dtype };
                        let (a, b) = if masks { (a, b) } else { (self.number(a), self.number(b)) };
                        self.line(Op::Binary(*kind, a, b), dtype)
                    }
                    Op::Compare(kind, a, b) => {
                        let (a, b) = (self.operand(a, next_leaf)?, self.operand(b, next_leaf)?);
                        self.line(Op::Compare(*kind, a, b), DType::Bool)
                    }
                    Op::Select(c, a, b) => {
                        let c = self.visit(c, next_leaf)?;
                        if self.kinds[c] != DType::Bool {
                            return Err(Error::dtype("where", "the condition has to be bool"));
                        }
                        let (a, b) = (self.operand(a, next_leaf)?, self.operand(b, next_leaf)?);
                        self.line(Op::Select(c, a, b), self.dtype)
                    }
                    other => {
                        return Err(Error::internal("eval", format!("{} is not element-wise", other.name())));
                    }
                };
                Ok(self.remember(op, slot))
            }
        }
    }

    /// Where a part is that was written before.
    fn find<T>(&self, part: &Arc<T>) -> Option<usize> {
        let is_it = |(known, _): &&(*const (), usize)| is_shared(part) && *known == Arc::as_ptr(part).cast();
        self.known.iter().rev().find(is_it).map(|(_, slot)| *slot)
    }

    fn remember<T>(&mut self, part: &Arc<T>, slot: usize) -> usize {
        if is_shared(part) {
            self.known.push((Arc::as_ptr(part).cast(), slot));
        }
        slot
    }

    /// A formula's value as a number of the common dtype.
    fn operand<B: Backend>(&mut self, formula: &Expr<B>, next_leaf: &mut usize) -> Result<usize> {
        let slot = self.visit(formula, next_leaf)?;
        Ok(self.number(slot))
    }

    fn number(&mut self, slot: usize) -> usize {
        if self.kinds[slot] == self.dtype { slot } else { self.line(Op::Cast(slot, self.dtype), self.dtype) }
    }

    fn line(&mut self, op: Op<usize>, dtype: DType) -> usize {
        self.code.push(op);
        self.kinds.push(dtype);
        self.kinds.len() - 1
    }
}
