//! One step in time.
use crate::{Backend, Expr, Fused, Op, Operands, Result, Tensor};
use smallvec::{SmallVec, smallvec};

/// What an [`RNN`](super::RNN) does to the sum of its two products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Nonlinearity {
    /// `tanh x`
    #[default]
    Tanh,
    /// `max(x, 0)`
    ReLU,
}

/// Which recurrent net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rnn(Nonlinearity),
    Gru,
    Lstm,
}

/// The weights of one layer in one direction, or of a cell.
pub(super) struct Weights<'a, B: Backend> {
    /// `(gates · hidden, input)`
    pub ih: &'a Tensor<B>,
    /// `(gates · hidden, state)`
    pub hh: &'a Tensor<B>,
    /// `(gates · hidden)` each
    pub bias: Option<(&'a Tensor<B>, &'a Tensor<B>)>,
    /// `(state, hidden)`
    pub hr: Option<&'a Tensor<B>>,
}

/// What goes from step to step, `(rows, features)` each: the state, and an LSTM's cell.
pub(super) type States<B> = SmallVec<[Tensor<B>; 2]>;

impl Kind {
    /// How many times the hidden features the products have.
    pub fn gates(self) -> usize {
        match self {
            Kind::Rnn(_) => 1,
            Kind::Gru => 3,
            Kind::Lstm => 4,
        }
    }

    /// How many tensors go from step to step.
    pub fn states(self) -> usize {
        if self == Kind::Lstm { 2 } else { 1 }
    }

    /// The input's part of the gates, for any number of steps at once: `(.., input) -> (.., gates · hidden)`, with all
    /// biases that can be added before the step.
    pub fn inputs<B: Backend>(self, x: &Tensor<B>, weights: &Weights<B>) -> Result<Tensor<B>> {
        x.linear(weights.ih, self.biases(weights)?.first())
    }

    /// The bias of the input's part, and that of the state's where it is not added before the step.
    fn biases<B: Backend>(self, weights: &Weights<B>) -> Result<SmallVec<[Tensor<B>; 2]>> {
        Ok(match weights.bias {
            // a GRU multiplies its second bias by a gate
            Some((ih, hh)) if self == Kind::Gru => smallvec![ih.clone(), hh.clone()],
            Some((ih, hh)) => smallvec![(ih + hh)?],
            None => smallvec![],
        })
    }

    /// The operation that takes all steps, with or without its gates, where there is one.
    pub fn at_once<B: Backend>(self, weights: &Weights<B>) -> Option<fn(bool) -> Fused> {
        match self {
            Kind::Lstm if weights.hr.is_none() => Some(|gates| Fused::Lstm { gates }),
            Kind::Gru => Some(|gates| Fused::Gru { gates }),
            Kind::Lstm | Kind::Rnn(_) => None,
        }
    }

    /// The states after each step over inputs `(time, rows, input)`, `(time, rows, features)` each, by such an operation.
    pub fn all_steps<B: Backend>(
        self,
        fused: fn(bool) -> Fused,
        x: &Tensor<B>,
        from: &[Tensor<B>],
        weights: &Weights<B>,
    ) -> Result<States<B>> {
        let biases = self.biases(weights)?;
        let operands: Operands<&Tensor<B>> =
            [x, weights.ih, weights.hh].into_iter().chain(from).chain(&biases).collect();
        // nobody goes back where nothing is learned
        let gates = operands.iter().any(|x| B::requires_grad(x.value()));
        let results = Tensor::apply(Op::Fused(fused(gates), operands))?;
        Ok(results.into_iter().take(self.states()).collect())
    }

    /// The states after a step, from the input's part of the gates and the states before it.
    pub fn step<B: Backend>(
        self,
        x: &Tensor<B>,
        states: &[Tensor<B>],
        weights: &Weights<B>,
    ) -> Result<States<B>> {
        let h = &states[0];
        match self {
            Kind::Rnn(nonlinearity) => {
                // h' = tanh(W x + U h)
                let sum = x.lazy() + h.linear(weights.hh, None)?;
                Ok(smallvec![match nonlinearity {
                    Nonlinearity::Tanh => sum.tanh().eval()?,
                    Nonlinearity::ReLU => sum.relu().eval()?,
                }])
            }
            Kind::Gru => {
                // r, z = σ(W x + U h);  n = tanh(W x + r U h);  h' = n + z (h - n)
                let u = h.linear(weights.hh, weights.bias.map(|(_, hh)| hh))?;
                let ([x_r, x_z, x_n], [u_r, u_z, u_n]) = (parts(x)?, parts(&u)?);
                let (r, z) = ((x_r + u_r).sigmoid(), (x_z + u_z).sigmoid());
                let n = (x_n + r * u_n).tanh();
                Ok(smallvec![(n.clone() + z * (h.lazy() - n)).eval()?])
            }
            Kind::Lstm => {
                // i, f, o = σ(W x + U h);  g = tanh(W x + U h);  c' = f c + i g;  h' = o tanh(c')
                let [i, f, g, o] = parts(&(x + h.linear(weights.hh, None)?)?)?;
                let c = f.sigmoid() * &states[1] + i.sigmoid() * g.tanh();
                let [h, c] = Expr::eval_all([o.sigmoid() * c.tanh(), c])?;
                let h = weights.hr.map_or(Ok(h.clone()), |hr| h.linear(hr, None))?;
                Ok(smallvec![h, c])
            }
        }
    }
}

/// `N` equal parts of the last dim.
fn parts<const N: usize, B: Backend>(gates: &Tensor<B>) -> Result<[Expr<B>; N]> {
    let size = gates.size(-1)? / N;
    let mut parts = SmallVec::<[Expr<B>; N]>::new();
    for i in 0..N {
        parts.push(gates.narrow(-1, i * size, size)?.lazy());
    }
    parts.into_inner().map_err(|_| crate::Error::internal("rnn", "gates are missing"))
}
