//! RNN, GRU and LSTM.
use super::packed::PackedSequence;
use super::stack::{RnnOptions, Sizes, Stack};
use super::step::{Kind, Nonlinearity, States};
use crate::nn::{Module, Printer, Visit, VisitMut};
use crate::{Backend, Error, Result, Tensor};
use std::fmt;

/// Declares recurrent nets: which kind, and what its states are to the caller.
macro_rules! recurrent {
    ($(
        $(#[$doc:meta])*
        $name:ident $kind:expr, $states:ty, $last:literal, |$from:ident| $given:expr, |$to:ident| $taken:expr;
    )*) => {$(
        $(#[$doc])*
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.nn.", stringify!($name), ".html>")]
        ///
        /// The products of the inputs of all steps are one; what is left to each step is the product of its state.
        ///
        /// ```
        #[doc = concat!("use firesteel::{nn::{", stringify!($name), ", RnnOptions}, prelude::*};")]
        /// let options = RnnOptions { num_layers: 2, batch_first: true, ..Default::default() };
        #[doc = concat!("let net = ", stringify!($name), "::with_options(10, 20, options, &Cpu)?;")]
        #[doc = concat!("let (y, ", $last, ") = net.forward(&Tensor::zeros([3, 5, 10], &Cpu)?, None)?;")]
        /// assert_eq!((y.shape(), h.shape()), (&Shape::from([3, 5, 20]), &Shape::from([2, 3, 20])));
        /// # Ok::<(), firesteel::Error>(())
        /// ```
        #[derive(Clone)]
        pub struct $name<B: Backend>(Stack<B>);

        impl<B: Backend> fmt::Debug for $name<B> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Printer::new(stringify!($name)).settings(self.0.settings()).finish(f)
            }
        }

        impl<B: Backend> $name<B> {
            /// One layer, forward in time. All parameters are even in `±1/√hidden_size`.
            pub fn new(input_size: usize, hidden_size: usize, device: &B) -> Result<Self> {
                Self::with_options(input_size, hidden_size, RnnOptions::default(), device)
            }

            /// As the options say. All parameters are even in `±1/√hidden_size`.
            pub fn with_options(
                input_size: usize,
                hidden_size: usize,
                options: RnnOptions,
                device: &B,
            ) -> Result<Self> {
                let sizes = Sizes { input: input_size, hidden: hidden_size, projection: None };
                Stack::new($kind, sizes, options, device).map(Self)
            }

            /// Runs over `(time, batch, input_size)` (batch and time change places with `batch_first`) or
            /// `(time, input_size)`, from these states or zeros. Gives the last layer's state at each step,
            /// `(time, batch, directions · hidden_size)`, and the last states of all layers,
            /// `(layers · directions, batch, hidden_size)`, whose batch is never first.
            pub fn forward(&self, x: &Tensor<B>, states: Option<&$states>) -> Result<(Tensor<B>, $states)> {
                let given: Vec<&Tensor<B>> = states.map_or_else(Vec::new, |$from| $given);
                let (y, last) = self.0.forward(x, &given)?;
                Ok((y, taken(last, |$to| $taken)?))
            }

            /// Runs over sequences of different lengths, each to its own end.
            pub fn forward_packed(
                &self,
                x: &PackedSequence<B>,
                states: Option<&$states>,
            ) -> Result<(PackedSequence<B>, $states)> {
                let given: Vec<&Tensor<B>> = states.map_or_else(Vec::new, |$from| $given);
                let (y, last) = self.0.forward_packed(x, &given)?;
                Ok((y, taken(last, |$to| $taken)?))
            }
        }

        impl<B: Backend> Module<B> for $name<B> {
            type Over<C: Backend> = $name<C>;
            fn visit<'a>(&'a self, path: &str, visit: Visit<'_, 'a, B>) -> Result<()> {
                self.0.visit(path, visit)
            }
            fn visit_mut<'a>(&'a mut self, path: &str, visit: VisitMut<'_, 'a, B>) -> Result<()> {
                self.0.visit_mut(path, visit)
            }
            fn to<C: Backend>(&self, device: &C) -> Result<$name<C>> {
                self.0.to(device).map($name)
            }
        }
    )*};
}

recurrent! {
    /// `h' = tanh(W x + U h + b)`, step by step.
    RNN Kind::Rnn(Nonlinearity::Tanh), Tensor<B>, "h", |h| vec![h], |last| last.into_iter().next();
    /// A net with gates for what it forgets: `h' = (1 - z) n + z h`.
    GRU Kind::Gru, Tensor<B>, "h", |h| vec![h], |last| last.into_iter().next();
    /// A net with gates for what it forgets, takes in and tells, and with a cell `c` beside its state `h`.
    LSTM Kind::Lstm, (Tensor<B>, Tensor<B>), "(h, _c)", |both| vec![&both.0, &both.1],
        |last| <[Tensor<B>; 2]>::try_from(last.into_vec()).ok().map(Into::into);
}

fn taken<B: Backend, T>(last: States<B>, f: impl FnOnce(States<B>) -> Option<T>) -> Result<T> {
    f(last).ok_or_else(|| Error::internal("rnn", "a state is missing"))
}

impl<B: Backend> RNN<B> {
    /// The same net with another function of the sum.
    pub fn nonlinearity(mut self, nonlinearity: Nonlinearity) -> Self {
        self.0.kind = Kind::Rnn(nonlinearity);
        self
    }
}

impl<B: Backend> LSTM<B> {
    /// An LSTM whose states are projected to `proj_size` features, fewer than the hidden ones; its cells are not.
    /// <https://arxiv.org/abs/1402.1128>
    pub fn with_projection(
        input_size: usize,
        hidden_size: usize,
        proj_size: usize,
        options: RnnOptions,
        device: &B,
    ) -> Result<Self> {
        let sizes = Sizes { input: input_size, hidden: hidden_size, projection: Some(proj_size) };
        Stack::new(Kind::Lstm, sizes, options, device).map(Self)
    }
}
