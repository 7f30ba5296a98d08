//! Layers of recurrent nets one upon another, in one or both directions of time.
use super::packed::PackedSequence;
use super::step::{Kind, States, Weights};
use crate::nn::{Mode, Module, Param, Visit, VisitMut, init, join};
use crate::{Backend, DropoutOptions, Error, Result, Tensor};

/// Options of [`RNN`](super::RNN), [`GRU`](super::GRU) and [`LSTM`](super::LSTM).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RnnOptions {
    /// How many layers stand one upon another.
    pub num_layers: usize,
    /// Whether the products have biases.
    pub bias: bool,
    /// Whether the batch comes before time: `(batch, time, features)`.
    pub batch_first: bool,
    /// How likely training takes away what goes from layer to layer: in `[0, 1]`.
    pub dropout: f64,
    /// Whether each layer also runs back in time; its results stand beside the others.
    pub bidirectional: bool,
}

impl Default for RnnOptions {
    fn default() -> Self {
        Self { num_layers: 1, bias: true, batch_first: false, dropout: 0., bidirectional: false }
    }
}

impl RnnOptions {
    /// In how many directions each layer runs.
    fn directions(&self) -> usize {
        if self.bidirectional { 2 } else { 1 }
    }
}

/// The sizes of a stack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Features that come in.
    pub input: usize,
    /// Features of a layer.
    pub hidden: usize,
    /// Features of an LSTM's state, where it is projected.
    pub projection: Option<usize>,
}

impl Sizes {
    /// Features of a state.
    fn state(&self) -> usize {
        self.projection.unwrap_or(self.hidden)
    }
}

/// The weights of one layer in one direction.
#[derive(Clone, Module)]
struct Direction<B: Backend> {
    weight_ih: Param<B>,
    weight_hh: Param<B>,
    bias_ih: Option<Param<B>>,
    bias_hh: Option<Param<B>>,
    weight_hr: Option<Param<B>>,
}

impl<B: Backend> Direction<B> {
    fn new(kind: Kind, input: usize, sizes: Sizes, bias: bool, device: &B) -> Result<Self> {
        let rows = kind.gates().checked_mul(sizes.hidden);
        let rows = rows.ok_or_else(|| Error::value("rnn", "so many hidden features are too many"))?;
        let param = |shape: &[usize]| Param::new(init::fan_in_uniform(shape, sizes.hidden, device)?);
        Ok(Self {
            weight_ih: param(&[rows, input])?,
            weight_hh: param(&[rows, sizes.state()])?,
            bias_ih: bias.then(|| param(&[rows])).transpose()?,
            bias_hh: bias.then(|| param(&[rows])).transpose()?,
            weight_hr: sizes.projection.map(|size| param(&[size, sizes.hidden])).transpose()?,
        })
    }

    fn weights(&self) -> Weights<'_, B> {
        Weights {
            ih: &self.weight_ih,
            hh: &self.weight_hh,
            bias: self.bias_ih.as_deref().zip(self.bias_hh.as_deref()),
            hr: self.weight_hr.as_deref(),
        }
    }

    /// Walks through time from these states. Gives the state of each step and the last ones.
    ///
    /// Steps have as many rows as sequences are that long, the longest first, so rows join or leave at the end.
    fn walk(
        &self,
        kind: Kind,
        x: &PackedSequence<B>,
        from: &[Tensor<B>],
        back: bool,
    ) -> Result<(Tensor<B>, States<B>)> {
        let weights = self.weights();
        let mut steps = x.steps();
        let even = steps.iter().all(|step| step.len() == steps[0].len());
        if let (Some(fused), true) = (kind.at_once(&weights), even) {
            let turned = |x: &Tensor<B>| if back { x.flip(0) } else { Ok(x.clone()) };
            let all = turned(&x.data.reshape([steps.len() as i64, steps[0].len() as i64, -1])?)?;
            let states = kind.all_steps(fused, &all, from, &weights)?;
            let last = states.iter().map(|states| states.select(0, -1)).collect::<Result<_>>()?;
            return Ok((turned(&states[0])?.flatten(0, 1)?, last));
        }
        let gates = kind.inputs(&x.data, &weights)?;
        if back {
            steps.reverse();
        }
        let rows = |states: &[Tensor<B>], start: usize, end: usize| -> Result<States<B>> {
            states.iter().map(|state| state.narrow(0, start, end - start)).collect()
        };
        let mut now = steps.first().map_or(0, |step| step.len());
        let mut states = rows(from, 0, now)?;
        let (mut outputs, mut left) = (Vec::with_capacity(steps.len()), Vec::new());
        for step in steps {
            if step.len() < now {
                left.push(rows(&states, step.len(), now)?);
                states = rows(&states, 0, step.len())?;
            } else if step.len() > now {
                states = joined(&[states, rows(from, now, step.len())?])?;
            }
            now = step.len();
            states = kind.step(&gates.narrow(0, step.start, step.len())?, &states, &weights)?;
            outputs.push(states[0].clone());
        }
        left.push(states);
        left.reverse();
        let last = joined(&left)?;
        if back {
            outputs.reverse();
        }
        Ok((Tensor::cat(&outputs.iter().collect::<Vec<_>>(), 0)?, last))
    }
}

/// States of rows after one another.
fn joined<B: Backend>(parts: &[States<B>]) -> Result<States<B>> {
    let (Some(first), true) = (parts.first(), parts.len() > 1) else {
        return Ok(parts.first().cloned().unwrap_or_default());
    };
    let part = |i: usize| parts.iter().filter_map(|states| states.get(i)).collect::<Vec<_>>();
    (0..first.len()).map(|i| Tensor::cat(&part(i), 0)).collect()
}

/// All layers of a recurrent net, in both directions where it has them.
#[derive(Clone, Debug)]
pub(super) struct Stack<B: Backend> {
    /// Layer by layer, forward and then back.
    directions: Vec<Direction<B>>,
    pub kind: Kind,
    sizes: Sizes,
    pub options: RnnOptions,
    training: Mode,
}

impl<B: Backend> Stack<B> {
    pub fn new(kind: Kind, sizes: Sizes, options: RnnOptions, device: &B) -> Result<Self> {
        let (count, both) = (options.num_layers, options.directions());
        if count == 0 || sizes.hidden == 0 || sizes.projection.is_some_and(|p| p == 0 || p >= sizes.hidden) {
            let why = "needs one layer and one hidden feature or more, and a projection to fewer than those";
            return Err(Error::value("rnn", why));
        }
        if !(0. ..=1.).contains(&options.dropout) {
            let why = format!("dropout is a probability in [0, 1], not {}", options.dropout);
            return Err(Error::value("rnn", why));
        }
        let mut directions = Vec::new();
        for i in 0..count.saturating_mul(both) {
            let input = if i < both { sizes.input } else { both * sizes.state() };
            directions.push(Direction::new(kind, input, sizes, options.bias, device)?);
        }
        Ok(Self { directions, kind, sizes, options, training: Mode::default() })
    }

    /// Runs over a batch `(time, batch, input)`, its batch first where the options say so, or over one sequence
    /// `(time, input)`. Gives all states of the last layer in the form of `x`, and the last states of all layers,
    /// `(layers · directions, batch, features)` each.
    pub fn forward(&self, x: &Tensor<B>, from: &[&Tensor<B>]) -> Result<(Tensor<B>, States<B>)> {
        if x.rank() == 2 {
            let from = from.iter().map(|state| state.unsqueeze(1)).collect::<Result<Vec<_>>>()?;
            let alone = if self.options.batch_first { 0 } else { 1 };
            let (y, last) = self.forward(&x.unsqueeze(alone)?, &from.iter().collect::<Vec<_>>())?;
            let last = last.iter().map(|state| state.squeeze(1)).collect::<Result<_>>()?;
            return Ok((y.squeeze(alone)?, last));
        }
        let [first, second, _] = x.shape()[..] else {
            let why =
                format!("takes (time, batch, {0}) or (time, {0}), not {1}", self.sizes.input, x.shape());
            return Err(Error::shape("rnn", why));
        };
        let early = if self.options.batch_first { x.transpose(0, 1)? } else { x.clone() };
        let (time, batch) = if self.options.batch_first { (second, first) } else { (first, second) };
        let (y, last) = self.forward_packed(&PackedSequence::even(&early, time, batch)?, from)?;
        let y = y.data.reshape([time as i64, batch as i64, -1])?;
        Ok((if self.options.batch_first { y.transpose(0, 1)? } else { y }, last))
    }

    /// Runs over sequences of different lengths.
    pub fn forward_packed(
        &self,
        x: &PackedSequence<B>,
        from: &[&Tensor<B>],
    ) -> Result<(PackedSequence<B>, States<B>)> {
        if x.data.rank() != 2 || x.data.shape()[1] != self.sizes.input || x.batch_sizes().is_empty() {
            let why =
                format!("takes one step or more of {} features, not {}", self.sizes.input, x.data.shape());
            return Err(Error::shape("rnn", why));
        }
        let from = self.first_states(x, from)?;
        let (both, last_layer) = (self.options.directions(), self.options.num_layers - 1);
        let mut x = x.clone();
        let mut last: Vec<States<B>> = Vec::with_capacity(self.directions.len());
        for (layer, directions) in self.directions.chunks(both).enumerate() {
            let mut outputs = Vec::with_capacity(both);
            for (i, direction) in directions.iter().enumerate() {
                let from = from.iter().map(|state| state.select(0, (layer * both + i) as i64));
                let (y, states) =
                    direction.walk(self.kind, &x, &from.collect::<Result<States<B>>>()?, i == 1)?;
                outputs.push(y);
                last.push(states);
            }
            let y = Tensor::cat(&outputs.iter().collect::<Vec<_>>(), -1)?;
            let (p, training) = (self.options.dropout, self.training.training() && layer < last_layer);
            x = x.with(y.dropout(DropoutOptions { p, training })?);
        }
        let each = |i: usize| last.iter().filter_map(|states| states.get(i)).collect::<Vec<_>>();
        let last = (0..self.kind.states()).map(|i| x.unsorted(&Tensor::stack(&each(i), 0)?));
        let last = last.collect::<Result<_>>()?;
        Ok((x, last))
    }

    /// The states before the first step, `(layers · directions, batch, features)` each, in the order of the batch; zeros
    /// where none are given.
    fn first_states(&self, x: &PackedSequence<B>, from: &[&Tensor<B>]) -> Result<States<B>> {
        let (count, batch) = (self.directions.len(), x.batch_sizes()[0]);
        let shape = |i: usize| [count, batch, if i == 0 { self.sizes.state() } else { self.sizes.hidden }];
        if from.is_empty() {
            let options = (x.data.dtype(), x.data.backend());
            return (0..self.kind.states()).map(|i| Tensor::zeros(shape(i), options)).collect();
        }
        let checked = from.iter().enumerate().map(|(i, state)| {
            if state.shape() != &shape(i) {
                let why = format!("a state is {:?}, not {}", shape(i), state.shape());
                return Err(Error::shape("rnn", why));
            }
            x.sorted(state)
        });
        checked.collect()
    }

    /// What `Debug` prints: the sizes, and what is not as it is by default.
    pub(super) fn settings(&self) -> String {
        let RnnOptions { num_layers, bias, batch_first, dropout, bidirectional } = self.options;
        let default = RnnOptions::default();
        let all = [
            (format!("proj_size={}", self.sizes.projection.unwrap_or(0)), self.sizes.projection.is_some()),
            (format!("num_layers={num_layers}"), num_layers != default.num_layers),
            (format!("bias={bias}"), bias != default.bias),
            (format!("batch_first={batch_first}"), batch_first != default.batch_first),
            (format!("dropout={dropout}"), dropout != default.dropout),
            (format!("bidirectional={bidirectional}"), bidirectional != default.bidirectional),
        ];
        let sizes = [self.sizes.input.to_string(), self.sizes.hidden.to_string()];
        let said = all.into_iter().filter(|(_, said)| *said).map(|(text, _)| text);
        sizes.into_iter().chain(said).collect::<Vec<_>>().join(", ")
    }

    /// `_l0`, `_l0_reverse`, `_l1`, ..
    fn suffix(&self, i: usize) -> String {
        let both = self.options.directions();
        format!("_l{}{}", i / both, if i % both == 1 { "_reverse" } else { "" })
    }
}

/// The names of the parameters are PyTorch's: `weight_ih_l0`, `weight_ih_l0_reverse`, ..
impl<B: Backend> Module<B> for Stack<B> {
    type Over<C: Backend> = Stack<C>;

    fn visit<'a>(&'a self, path: &str, visit: Visit<'_, 'a, B>) -> Result<()> {
        for (i, direction) in self.directions.iter().enumerate() {
            let suffix = self.suffix(i);
            direction.visit("", &mut |name, leaf| visit(&join(path, format!("{name}{suffix}")), leaf))?;
        }
        self.training.visit(&join(path, "training"), visit)
    }

    fn visit_mut<'a>(&'a mut self, path: &str, visit: VisitMut<'_, 'a, B>) -> Result<()> {
        let suffixes: Vec<_> = (0..self.directions.len()).map(|i| self.suffix(i)).collect();
        for (direction, suffix) in self.directions.iter_mut().zip(suffixes) {
            direction.visit_mut("", &mut |name, leaf| visit(&join(path, format!("{name}{suffix}")), leaf))?;
        }
        self.training.visit_mut(&join(path, "training"), visit)
    }

    fn to<C: Backend>(&self, device: &C) -> Result<Stack<C>> {
        let Self { kind, sizes, options, .. } = *self;
        let directions = self.directions.to(device)?;
        Ok(Stack { directions, kind, sizes, options, training: self.training.clone() })
    }
}
