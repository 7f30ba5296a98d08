//! One step of a recurrent net as a module.
use super::step::{Kind, Nonlinearity, States, Weights};
use crate::nn::{Module, Param, init};
use crate::{Backend, Error, Result, Tensor};
use smallvec::smallvec;

/// Declares cells: which kind, with settings of their own.
macro_rules! cells {
    ($($(#[$doc:meta])* $name:ident $kind:expr, $($field:ident: $type:ty)?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Module)]
        pub struct $name<B: Backend> {
            /// `(gates · hidden_size, input_size)`
            pub weight_ih: Param<B>,
            /// `(gates · hidden_size, hidden_size)`
            pub weight_hh: Param<B>,
            /// `(gates · hidden_size)`
            pub bias_ih: Option<Param<B>>,
            /// `(gates · hidden_size)`
            pub bias_hh: Option<Param<B>>,
            $(
                /// What is done to the sum of both products.
                pub $field: $type,
            )?
        }

        impl<B: Backend> $name<B> {
            /// A cell with biases. All parameters are even in `±1/√hidden_size`.
            pub fn new(input_size: usize, hidden_size: usize, device: &B) -> Result<Self> {
                let rows = $kind.gates().saturating_mul(hidden_size);
                let param = |shape: &[usize]| Param::new(init::fan_in_uniform(shape, hidden_size, device)?);
                Ok(Self {
                    weight_ih: param(&[rows, input_size])?,
                    weight_hh: param(&[rows, hidden_size])?,
                    bias_ih: Some(param(&[rows])?),
                    bias_hh: Some(param(&[rows])?),
                    $($field: <$type>::default(),)?
                })
            }

            /// The same cell without biases.
            pub fn without_bias(self) -> Self {
                Self { bias_ih: None, bias_hh: None, ..self }
            }

            /// The states after a step, of rows or of one vector.
            fn step(&self, kind: Kind, x: &Tensor<B>, states: &[&Tensor<B>]) -> Result<States<B>> {
                let weights = Weights {
                    ih: &self.weight_ih,
                    hh: &self.weight_hh,
                    bias: self.bias_ih.as_deref().zip(self.bias_hh.as_deref()),
                    hr: None,
                };
                let shape = x.shape().with(x.rank().saturating_sub(1), self.weight_hh.shape()[1]);
                if !(1..=2).contains(&x.rank()) || states.iter().any(|state| state.shape() != &shape) {
                    let got: Vec<_> = states.iter().map(|state| state.shape().to_string()).collect();
                    let why = format!("takes (batch, input_size) and states {shape}, not {} and {got:?}", x.shape());
                    return Err(Error::shape(stringify!($name), why));
                }
                let states: States<B> = if states.is_empty() {
                    let zeros = Tensor::zeros(&shape, (x.dtype(), x.backend()))?;
                    smallvec![zeros; kind.states()]
                } else {
                    states.iter().map(|state| (*state).clone()).collect()
                };
                kind.step(&kind.inputs(x, &weights)?, &states, &weights)
            }
        }
    )*};
}

cells! {
    /// `h' = tanh(W x + U h + b)`: `(batch, input_size)` and `(batch, hidden_size)`, or vectors, to the state after.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.RNNCell.html>
    ///
    /// ```
    /// use firesteel::{nn::RNNCell, prelude::*};
    /// let cell = RNNCell::new(10, 20, &Cpu)?;
    /// assert_eq!(cell.forward(&Tensor::zeros([3, 10], &Cpu)?, None)?.shape(), &[3, 20]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    RNNCell Kind::Rnn(Nonlinearity::Tanh), nonlinearity: Nonlinearity;
    /// `h' = (1 - z) n + z h`: `(batch, input_size)` and `(batch, hidden_size)`, or vectors, to the state after.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.GRUCell.html>
    ///
    /// ```
    /// use firesteel::{nn::GRUCell, prelude::*};
    /// let cell = GRUCell::new(10, 20, &Cpu)?;
    /// assert_eq!(cell.forward(&Tensor::zeros([3, 10], &Cpu)?, None)?.shape(), &[3, 20]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    GRUCell Kind::Gru,;
    /// `c' = f c + i g` and `h' = o tanh(c')`: `(batch, input_size)` and twice `(batch, hidden_size)`, or vectors, to
    /// both after. <https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html>
    ///
    /// ```
    /// use firesteel::{nn::LSTMCell, prelude::*};
    /// let cell = LSTMCell::new(10, 20, &Cpu)?;
    /// let (h, c) = cell.forward(&Tensor::zeros([3, 10], &Cpu)?, None)?;
    /// assert_eq!((h.shape(), c.shape()), (&Shape::from([3, 20]), &Shape::from([3, 20])));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    LSTMCell Kind::Lstm,;
}

impl<B: Backend> RNNCell<B> {
    /// The same cell with another function of the sum.
    pub fn nonlinearity(self, nonlinearity: Nonlinearity) -> Self {
        Self { nonlinearity, ..self }
    }

    /// The state after a step, from this one or from zeros.
    pub fn forward(&self, x: &Tensor<B>, h: Option<&Tensor<B>>) -> Result<Tensor<B>> {
        let states = self.step(Kind::Rnn(self.nonlinearity), x, h.as_slice())?;
        states.into_iter().next().ok_or_else(missing)
    }
}

impl<B: Backend> GRUCell<B> {
    /// The state after a step, from this one or from zeros.
    pub fn forward(&self, x: &Tensor<B>, h: Option<&Tensor<B>>) -> Result<Tensor<B>> {
        self.step(Kind::Gru, x, h.as_slice())?.into_iter().next().ok_or_else(missing)
    }
}

impl<B: Backend> LSTMCell<B> {
    /// The state and the cell after a step, from these or from zeros.
    pub fn forward(
        &self,
        x: &Tensor<B>,
        states: Option<&(Tensor<B>, Tensor<B>)>,
    ) -> Result<(Tensor<B>, Tensor<B>)> {
        let states = states.map_or_else(Vec::new, |(h, c)| vec![h, c]);
        let states = self.step(Kind::Lstm, x, &states)?;
        <[Tensor<B>; 2]>::try_from(states.into_vec()).map(Into::into).map_err(|_| missing())
    }
}

fn missing() -> Error {
    Error::internal("rnn", "a state is missing")
}
