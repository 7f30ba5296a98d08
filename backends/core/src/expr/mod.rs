//! Operators that wait: a formula is built, and runs in one pass when it is asked for its value.
mod plan;
mod then;
mod update;

pub use update::Change;

use crate::{Arg, Backend, Binary, Compare, Error, Op, Result, Tensor, Unary};
use plan::Plan;
use std::{ops, sync::Arc};

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
    /// What [`Expr::update_each`] names by its number: a target, or what stands beside the targets.
    Named(usize),
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

    /// The number that this is, where it is one and not NaN: of which more is known than of a tensor.
    pub(crate) fn number(&self) -> Option<f64> {
        match &self.0 {
            Node::Leaf(leaf) => match **leaf {
                Arg::Scalar(x) => Some(x.to_f64()).filter(|x| !x.is_nan()),
                Arg::Tensor(_) => None,
            },
            Node::Named(_) | Node::Op(_) => None,
        }
    }

    fn op(op: Op<Expr<B>>) -> Self {
        Expr(Node::Op(Arc::new(op)))
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
