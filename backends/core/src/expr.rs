//! Operators that wait: a formula is built, and runs in one pass when it is asked for its value.
use crate::{
    Arg, Backend, Binary, Compare, DType, Error, Fused, Meta, Op, Operand, Program, Result, Scalar, Shape,
    Tensor, Unary,
};
use std::{
    collections::{HashMap, HashSet},
    ops,
    sync::Arc,
};

/// A formula over tensors, element by element, in their common dtype and shape. Nothing in it can fail
/// until it is evaluated.
///
/// ```
/// use firesteel::prelude::*;
/// let x = Tensor::new([1.0, 2.0], &Cpu::default())?;
/// let y = (x.lazy() * &x + 3.0 * x.lazy() + 1.0).eval()?;
/// assert_eq!(y.to_vec::<f32>()?, [5., 11.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a formula does nothing until `.eval()?`"]
pub struct Expr<B: Backend>(Node<B>);

#[derive(Clone)]
enum Node<B: Backend> {
    /// Shared as well: a tensor used twice in a formula is one operand.
    Leaf(Arc<Arg<B>>),
    /// What [`Expr::update`] replaces.
    Target(usize),
    /// An operation on formulas; those below share, so that a formula used twice is computed once.
    Op(Arc<Op<Expr<B>>>),
}

macro_rules! methods {
    (@unary $($method:ident $kind:ident)*) => {$(
        #[doc = concat!("As [`Tensor::", stringify!($method), "`].")]
        pub fn $method(&self) -> Self {
            Self::op(Op::Unary(Unary::$kind, self.clone()))
        }
    )*};
    (@binary $($method:ident $kind:ident)*) => {$(
        #[doc = concat!("As [`Tensor::", stringify!($method), "`].")]
        pub fn $method(&self, other: impl Into<Expr<B>>) -> Self {
            Self::op(Op::Binary(Binary::$kind, self.clone(), other.into()))
        }
    )*};
    (@compare $($method:ident $kind:ident)*) => {$(
        #[doc = concat!("As [`Tensor::", stringify!($method), "`].")]
        pub fn $method(&self, other: impl Into<Expr<B>>) -> Self {
            Self::op(Op::Compare(Compare::$kind, self.clone(), other.into()))
        }
    )*};
}

impl<B: Backend> Tensor<B> {
    /// The start of a formula: what follows waits for `eval`.
    pub fn lazy(&self) -> Expr<B> {
        self.into()
    }
}

impl<B: Backend> Expr<B> {
    methods! { @unary neg Neg abs Abs relu Relu floor Floor ceil Ceil round Round trunc Trunc sqrt Sqrt rsqrt Rsqrt
    reciprocal Recip exp Exp exp2 Exp2 expm1 Expm1 log Log log2 Log2 log10 Log10 log1p Log1p sin Sin cos Cos
    tan Tan asin Asin acos Acos atan Atan sinh Sinh cosh Cosh tanh Tanh asinh Asinh acosh Acosh atanh Atanh
    sigmoid Sigmoid erf Erf erfc Erfc erfinv Erfinv lgamma Lgamma digamma Digamma sign Sign bitwise_not Not }
    methods! { @binary pow Pow maximum Maximum minimum Minimum remainder Remainder fmod Fmod atan2 Atan2
    copysign Copysign zeta Zeta bitwise_and BitAnd bitwise_or BitOr bitwise_xor BitXor }
    methods! { @compare eq Eq ne Ne lt Lt le Le gt Gt ge Ge }

    /// As [`Tensor::where_`].
    pub fn where_(&self, a: impl Into<Expr<B>>, b: impl Into<Expr<B>>) -> Self {
        Self::op(Op::Select(self.clone(), a.into(), b.into()))
    }

    /// Checks the formula and runs it in a single pass.
    #[track_caller]
    pub fn eval(self) -> Result<Tensor<B>> {
        let plan = Plan::new(&[self], &[])?;
        Tensor::one(plan.op.map(|i| &plan.leaves[i]))
    }

    /// [`eval`](Self::eval), with errors named after the function that the formula is of.
    #[track_caller]
    pub(crate) fn eval_as(self, name: &'static str) -> Result<Tensor<B>> {
        self.eval().map_err(|e| e.within(name))
    }

    /// Several formulas in one pass: what they share is read and computed once.
    #[track_caller]
    pub fn eval_all<const N: usize>(formulas: [Expr<B>; N]) -> Result<[Tensor<B>; N]> {
        let plan = Plan::new(&formulas, &[])?;
        let results = Tensor::apply(plan.op.map(|i| &plan.leaves[i]))?;
        <[Tensor<B>; N]>::try_from(results.into_vec())
            .map_err(|_| Error::internal("eval", "a formula gave a wrong number of results"))
    }

    /// Replaces each target by a formula of what they were, all in one pass, in the targets' own memory
    /// where nobody else holds it. Shapes and dtypes stay.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let mut x = Tensor::new([1.0, 2.0], &Cpu::default())?;
    /// Expr::update([&mut x], |[x]| [x * 2.0])?;
    /// assert_eq!(x.to_vec::<f32>()?, [2., 4.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn update<const N: usize>(
        mut targets: [&mut Tensor<B>; N],
        f: impl FnOnce([Expr<B>; N]) -> [Expr<B>; N],
    ) -> Result<()> {
        let formulas = f(std::array::from_fn(|i| Expr(Node::Target(i))));
        let metas: Vec<Meta> = targets.iter().map(|t| t.meta().clone()).collect();
        let plan = Plan::new(&formulas, &metas)?;
        if let Some(meta) = metas.iter().find(|m| m.shape != plan.shape || m.dtype != plan.dtype) {
            let why = format!("a formula in {} {} cannot replace {meta}", plan.dtype, plan.shape);
            return Err(Error::shape("update", why));
        }
        let operand = |i: usize| match i.checked_sub(N) {
            None => Operand::Target(i),
            Some(leaf) => Operand::Value(&plan.leaves[leaf]),
        };
        Tensor::update_all(&mut targets, plan.op.clone().map(operand))
    }

    fn op(op: Op<Expr<B>>) -> Self {
        Expr(Node::Op(Arc::new(op)))
    }
}

/// A formula written down: one chain over targets (numbered first) and leaves.
struct Plan<B: Backend> {
    op: Op<usize>,
    leaves: Vec<Tensor<B>>,
    shape: Shape,
    dtype: DType,
}

impl<B: Backend> Plan<B> {
    #[track_caller]
    fn new(formulas: &[Expr<B>], targets: &[Meta]) -> Result<Self> {
        let mut survey = Survey::default();
        formulas.iter().for_each(|f| survey.visit(f));
        let Survey { leaves, numbers, real, .. } = survey;
        let inputs = || targets.iter().chain(leaves.iter().map(Tensor::meta));
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
        let kinds = targets.iter().map(|m| m.dtype).chain(leaves.iter().map(Tensor::dtype)).collect();
        let writer = Writer {
            code: vec![],
            kinds,
            shape: &shape,
            dtype,
            targets: targets.len(),
            known: HashMap::new(),
        };
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
    seen: HashSet<*const ()>,
}

impl<B: Backend> Default for Survey<B> {
    fn default() -> Self {
        Self { leaves: vec![], numbers: vec![], real: false, seen: HashSet::new() }
    }
}

impl<B: Backend> Survey<B> {
    fn visit(&mut self, formula: &Expr<B>) {
        match &formula.0 {
            Node::Target(_) => (),
            Node::Leaf(leaf) => {
                if self.seen.insert(Arc::as_ptr(leaf).cast()) {
                    match &**leaf {
                        Arg::Tensor(t) => self.leaves.push(t.clone()),
                        Arg::Scalar(x) => self.numbers.push(*x),
                    }
                }
            }
            Node::Op(op) => {
                if self.seen.insert(Arc::as_ptr(op).cast()) {
                    self.real |= match **op {
                        Op::Unary(kind, _) => {
                            !matches!(kind, Unary::Neg | Unary::Abs | Unary::Sign | Unary::Relu | Unary::Not)
                        }
                        Op::Binary(kind, ..) => {
                            matches!(kind, Binary::Div | Binary::Atan2 | Binary::Copysign | Binary::Zeta)
                        }
                        _ => false,
                    };
                    operands(op).into_iter().for_each(|x| self.visit(x));
                }
            }
        }
    }
}

/// What an operation of a formula is made of.
fn operands<B: Backend>(op: &Op<Expr<B>>) -> Vec<&Expr<B>> {
    match op {
        Op::Unary(_, x) => vec![x],
        Op::Binary(_, a, b) | Op::Compare(_, a, b) => vec![a, b],
        Op::Select(c, a, b) => vec![c, a, b],
        // formulas are made of nothing else
        _ => vec![],
    }
}

/// Writes lines, each in the formula's dtype or in Bool.
struct Writer<'a> {
    code: Vec<Op<usize>>,
    /// The dtype of each value so far: targets, leaves, lines.
    kinds: Vec<DType>,
    shape: &'a Shape,
    dtype: DType,
    targets: usize,
    known: HashMap<*const (), usize>,
}

impl Writer<'_> {
    fn write<B: Backend>(mut self, formulas: &[Expr<B>]) -> Result<Program> {
        let inputs = self.kinds.len();
        let mut next_leaf = self.targets;
        let mut results = vec![];
        for formula in formulas {
            let slot = self.visit(formula, &mut next_leaf)?;
            // what is a bare input, or a comparison alone, is a result as it is
            results.push(if slot < inputs && self.targets > 0 { self.number(slot) } else { slot });
        }
        Ok(Program { inputs, code: self.code, results })
    }

    fn visit<B: Backend>(&mut self, formula: &Expr<B>, next_leaf: &mut usize) -> Result<usize> {
        match &formula.0 {
            Node::Target(i) => Ok(*i),
            Node::Leaf(leaf) => {
                if let Some(&slot) = self.known.get(&Arc::as_ptr(leaf).cast()) {
                    return Ok(slot);
                }
                let slot = match &**leaf {
                    Arg::Tensor(_) => {
                        *next_leaf += 1;
                        *next_leaf - 1
                    }
                    Arg::Scalar(x) => self.line(Op::Full(*x, self.shape.clone(), self.dtype), self.dtype),
                };
                self.known.insert(Arc::as_ptr(leaf).cast(), slot);
                Ok(slot)
            }
            Node::Op(op) => {
                if let Some(&slot) = self.known.get(&Arc::as_ptr(op).cast()) {
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
                self.known.insert(Arc::as_ptr(op).cast(), slot);
                Ok(slot)
            }
        }
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

impl<B: Backend, T: Into<Arg<B>>> From<T> for Expr<B> {
    fn from(leaf: T) -> Self {
        Expr(Node::Leaf(Arc::new(leaf.into())))
    }
}

impl<B: Backend> From<&Expr<B>> for Expr<B> {
    fn from(formula: &Expr<B>) -> Self {
        formula.clone()
    }
}

/// Every combination is legal, as `Expr` is ours.
macro_rules! operators {
    ($($trait:ident $method:ident $kind:ident)*) => {$(
        impl<B: Backend, R: Into<Expr<B>>> ops::$trait<R> for Expr<B> {
            type Output = Expr<B>;
            fn $method(self, right: R) -> Expr<B> {
                Expr::op(Op::Binary(Binary::$kind, self, right.into()))
            }
        }
        impl<B: Backend, R: Into<Expr<B>>> ops::$trait<R> for &Expr<B> {
            type Output = Expr<B>;
            fn $method(self, right: R) -> Expr<B> {
                Expr::op(Op::Binary(Binary::$kind, self.clone(), right.into()))
            }
        }
        operators! { @left $trait $method $kind: &Tensor<B>, f64, i64 }
    )*};
    (@left $trait:ident $method:ident $kind:ident: $($left:ty),*) => {$(
        impl<B: Backend> ops::$trait<Expr<B>> for $left {
            type Output = Expr<B>;
            fn $method(self, right: Expr<B>) -> Expr<B> {
                Expr::op(Op::Binary(Binary::$kind, self.into(), right))
            }
        }
        impl<B: Backend> ops::$trait<&Expr<B>> for $left {
            type Output = Expr<B>;
            fn $method(self, right: &Expr<B>) -> Expr<B> {
                Expr::op(Op::Binary(Binary::$kind, self.into(), right.clone()))
            }
        }
    )*};
}

operators! {
    Add add Add
    Sub sub Sub
    Mul mul Mul
    Div div Div
    Rem rem Remainder
    BitAnd bitand BitAnd
    BitOr bitor BitOr
    BitXor bitxor BitXor
    Shl shl Shl
    Shr shr Shr
}

impl<B: Backend> ops::Neg for Expr<B> {
    type Output = Expr<B>;
    fn neg(self) -> Expr<B> {
        Expr::op(Op::Unary(Unary::Neg, self))
    }
}

impl<B: Backend> ops::Neg for &Expr<B> {
    type Output = Expr<B>;
    fn neg(self) -> Expr<B> {
        Expr::op(Op::Unary(Unary::Neg, self.clone()))
    }
}

impl<B: Backend> ops::Not for Expr<B> {
    type Output = Expr<B>;
    fn not(self) -> Expr<B> {
        Expr::op(Op::Unary(Unary::Not, self))
    }
}
