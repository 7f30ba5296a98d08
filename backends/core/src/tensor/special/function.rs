//! A function of one number with a derivative of its own.
use crate::{
    Backend, CustomOp, DType, Expr, Meta, Metas, Op, Outputs, Result, SymbolicGradients, Symbols, Tensor,
    Trace,
};
use smallvec::smallvec;
use std::sync::Arc;

/// A tensor without numbers.
pub(super) type Symbol = Tensor<Trace>;

/// A function of one number: its value, and its derivative by formula rather than by that of each step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function {
    pub name: &'static str,
    /// The value of `x`, to the precision of F64 where the flag says so, else of F32.
    pub value: fn(&Expr<Trace>, bool) -> Expr<Trace>,
    /// The derivative at `x`, where the value is `y`.
    pub slope: fn(&Symbol, &Symbol) -> Result<Symbol>,
}

impl CustomOp for Function {
    fn name(&self) -> &'static str {
        self.name
    }

    fn infer(&self, xs: &[&Meta]) -> Result<Metas> {
        Ok(xs.iter().map(|&x| x.clone()).collect())
    }

    fn decompose(&self, xs: Symbols) -> Result<Outputs<Symbol>> {
        let precise = xs[0].dtype() == DType::F64;
        Ok(smallvec![(self.value)(&xs[0].lazy(), precise).eval()?])
    }

    fn gradient(&self, xs: Symbols, ys: Symbols, gs: Symbols) -> Result<Option<SymbolicGradients>> {
        Ok(Some(vec![Some((&gs[0] * (self.slope)(&xs[0], &ys[0])?)?)]))
    }
}

impl<B: Backend> Tensor<B> {
    /// The function of each element; whole numbers are cast to F32 first, and half precision is computed with in F32.
    #[track_caller]
    pub(super) fn function(&self, function: Function) -> Result<Self> {
        self.to_float()?.in_full_precision(|x| Self::one(Op::Custom(Arc::new(function), smallvec![x])))
    }
}

/// Declares functions as methods of tensors: an example, the value as a formula of `x` (and of whether it has to be
/// precise), and the derivative as one of `x` and the value `y`.
macro_rules! functions {
    ($($(#[$doc:meta])* $method:ident $example:literal => $shown:literal;
        value $value:expr;
        slope $slope:expr;)*) => {
        impl<B: crate::Backend> crate::Tensor<B> {$(
            $(#[$doc])*
            #[doc = concat!("\nWhole numbers are cast to F32 first.")]
            #[doc = concat!("<https://docs.pytorch.org/docs/stable/special.html#torch.special.", stringify!($method), ">\n
```
use firesteel::prelude::*;
let x = Tensor::new(", stringify!($example), ", &Cpu::default())?;
assert_eq!(format!(\"{:.4}\", x.", stringify!($method), "()?.item::<f32>()?), ", stringify!($shown), ");
# Ok::<(), firesteel::Error>(())
```")]
            #[track_caller]
            pub fn $method(&self) -> crate::Result<Self> {
                self.function($crate::tensor::special::function::Function {
                    name: stringify!($method),
                    value: $value,
                    slope: $slope,
                })
            }
        )*}
    };
}

pub(super) use functions;
