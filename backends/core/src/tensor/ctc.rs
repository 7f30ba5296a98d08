//! Connectionist temporal classification, for all sequences of a batch at once.
//! Graves et al. 2006, <https://www.cs.toronto.edu/~graves/icml_2006.pdf>
use crate::{Backend, DType, Error, Expr, PadMode, Reduction, Result, Tensor};

/// Options of [`Tensor::ctc_loss`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CtcLossOptions {
    /// Which class stands for nothing.
    pub blank: usize,
    /// What becomes of the losses of a batch; for the mean each is first divided by the length of its target.
    pub reduction: Reduction,
    /// Whether a loss that is infinite, since its target is longer than its input, becomes zero.
    pub zero_infinity: bool,
}

impl<B: Backend> Tensor<B> {
    /// `-ln` of the probability of all ways to align targets with a longer sequence of classes, of which these are the
    /// log probabilities: `(steps, batch, classes)` or `(steps, classes)`. Targets are `(batch, longest)`, or one after
    /// another in one dim; each sequence and each target has its length.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.ctc_loss.html>
    ///
    /// As in PyTorch, the gradient is right where the log probabilities come from a log-softmax.
    ///
    /// ```
    /// use firesteel::{CtcLossOptions, prelude::*};
    /// // two steps, a blank and one class: three of the four ways give the class once
    /// let log_probs = Tensor::zeros([2, 1, 2], &Cpu)?.log_softmax(-1)?;
    /// let targets = Tensor::new([[1]], &Cpu)?;
    /// let loss = log_probs.ctc_loss(&targets, &[2], &[1], CtcLossOptions::default())?;
    /// assert!((loss.item::<f32>()?.exp() - 4. / 3.).abs() < 1e-6);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn ctc_loss(
        &self,
        targets: &Self,
        input_lengths: &[usize],
        target_lengths: &[usize],
        options: CtcLossOptions,
    ) -> Result<Self> {
        if self.rank() == 2 {
            let targets = targets.reshape([1, targets.numel()])?;
            return self
                .unsqueeze(1)?
                .ctc_loss(&targets, input_lengths, target_lengths, options)?
                .reshape(());
        }
        let batch = Batch::new(self, targets, input_lengths, target_lengths, options.blank)?;
        let mut loss = batch.negative_log_likelihood(self)?;
        if options.zero_infinity {
            loss = loss.eq(f64::INFINITY)?.where_(0.0, &loss)?;
        }
        if options.reduction == Reduction::Mean {
            let lengths = target_lengths.iter().map(|&length| length.max(1) as f64).collect();
            loss = (&loss / Self::constant(self, lengths)?)?;
        }
        options.reduction.apply(loss)
    }
}

/// Targets with a blank around and between their classes, `labels` in all: a way through them goes from one to the same,
/// to the next, or, from class to other class, past a blank.
struct Batch<'a, B: Backend> {
    /// How many steps each sequence has.
    steps: &'a [usize],
    /// How many classes each target has.
    lengths: &'a [usize],
    /// `(batch, labels)`
    labels: Tensor<B>,
    /// Whether a way may come from the label two before: `(batch, labels)`
    skips: Tensor<B>,
}

impl<'a, B: Backend> Batch<'a, B> {
    #[track_caller]
    fn new(
        log_probs: &Tensor<B>,
        targets: &Tensor<B>,
        steps: &'a [usize],
        lengths: &'a [usize],
        blank: usize,
    ) -> Result<Self> {
        let op = "ctc_loss";
        let [time, batch, classes] = log_probs.shape()[..] else {
            let why = format!("needs (steps, batch, classes) or (steps, classes), not {}", log_probs.shape());
            return Err(Error::shape(op, why));
        };
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let total = lengths.iter().try_fold(0usize, |sum, &length| sum.checked_add(length));
        let wide = match targets.shape()[..] {
            [rows, width] => rows == batch && longest <= width,
            [all] => total == Some(all),
            _ => false,
        };
        if !wide || steps.len() != batch || lengths.len() != batch || batch == 0 || time == 0 {
            let (x, y) = (log_probs.shape(), targets.shape());
            let why =
                format!("targets {y} and lengths {steps:?} and {lengths:?} do not fit log probabilities {x}");
            return Err(Error::shape(op, why));
        }
        if blank >= classes || steps.iter().any(|&n| n > time) {
            let why = format!(
                "a blank below {classes} and inputs of at most {time} steps are needed, not {blank} and {steps:?}"
            );
            return Err(Error::value(op, why));
        }
        let targets = padded(targets, lengths, longest, blank)?;
        let blanks = |n: usize| Tensor::full([batch, n], blank as i64, log_probs.backend());
        let pairs = Tensor::stack(&[&blanks(longest)?, &targets], 2)?.reshape([batch, 2 * longest])?;
        let labels = Tensor::cat(&[&pairs, &blanks(1)?], 1)?;
        let before = labels.pad(&[2, -2], PadMode::Constant((blank as i64).into()))?;
        let skips = labels.ne(blank as i64)?.bitwise_and(labels.ne(&before)?)?;
        Ok(Self { steps, lengths, labels, skips })
    }

    /// The loss of each sequence: `(batch)`.
    #[track_caller]
    fn negative_log_likelihood(&self, log_probs: &Tensor<B>) -> Result<Tensor<B>> {
        let (time, (batch, count)) = (log_probs.shape()[0], (self.labels.shape()[0], self.labels.shape()[1]));
        let nothing = PadMode::Constant(f64::NEG_INFINITY.into());
        let emitted = log_probs.gather(2, &self.labels.unsqueeze(0)?.broadcast_to([time, batch, count])?)?;
        let start = count.min(2);
        // ln of the probability of all ways that have come to each label, at the first step and then at each
        let mut ways =
            emitted.select(0, 0)?.narrow(1, 0, start)?.pad(&[0, (count - start) as isize], nothing)?;
        for step in 1..self.steps.iter().copied().max().unwrap_or(0) {
            let before = ways.pad(&[2, 0], nothing)?;
            let (next, past) = (before.narrow(1, 1, count)?, before.narrow(1, 0, count)?);
            let past = self.skips.where_(past, f64::NEG_INFINITY)?;
            let mut moved = log_sum_exp(&[&ways, &next, &past]) + emitted.select(0, step as i64)?;
            if self.steps.iter().any(|&n| n <= step) {
                moved = self.mask(log_probs, |i| self.steps[i] > step)?.lazy().where_(moved, &ways);
            }
            ways = moved.eval_as("ctc_loss")?;
        }
        // a way ends at the last class or at the blank after it
        let end = |i: usize, back: usize| (2 * self.lengths[i]).saturating_sub(back) as i64;
        let ends: Vec<i64> = (0..batch).flat_map(|i| [end(i, 0), end(i, 1)]).collect();
        let ends = ways.gather(1, &Tensor::new(ends, log_probs.backend())?.reshape([batch, 2])?)?;
        let classes = self.mask(log_probs, |i| self.lengths[i] > 0)?;
        let last = classes.where_(ends.narrow(1, 1, 1)?, f64::NEG_INFINITY)?;
        let mut loss = -log_sum_exp(&[&ends.narrow(1, 0, 1)?, &last]);
        if self.steps.contains(&0) {
            // without a step there is one way to nothing, and none to something
            let none = classes.lazy().where_(f64::INFINITY, 0.0);
            loss = self.mask(log_probs, |i| self.steps[i] > 0)?.lazy().where_(loss, none);
        }
        if log_probs.is_tracked() {
            loss = loss + self.softmax_gradient(log_probs)?;
        }
        loss.eval_as("ctc_loss")?.reshape([batch])
    }

    /// Zeros with the gradient `exp(log_probs)` at each step that counts: `(batch, 1)`. PyTorch's gradient is that by what
    /// goes into the log-softmax, whose own gradient takes this part away again.
    #[track_caller]
    fn softmax_gradient(&self, log_probs: &Tensor<B>) -> Result<Tensor<B>> {
        let (time, batch) = (log_probs.shape()[0], log_probs.shape()[1]);
        let step = Tensor::arange(0..time, log_probs.backend())?.unsqueeze(1)?;
        let steps: Vec<i64> = self.steps.iter().map(|&n| n as i64).collect();
        let counts = step.lt(&Tensor::new(steps, log_probs.backend())?)?.unsqueeze(2)?;
        let sum = counts.where_(log_probs.exp()?, 0.0)?.sum([0, 2])?.reshape([batch, 1])?;
        &sum - sum.detach()
    }

    /// A mask `(batch, 1)`.
    #[track_caller]
    fn mask(&self, like: &Tensor<B>, is: impl Fn(usize) -> bool) -> Result<Tensor<B>> {
        Tensor::new((0..self.steps.len()).map(is).collect::<Vec<bool>>(), like.backend())?.unsqueeze(1)
    }
}

/// Targets `(batch, longest)` of these lengths, filled up with blanks.
#[track_caller]
fn padded<B: Backend>(
    targets: &Tensor<B>,
    lengths: &[usize],
    longest: usize,
    blank: usize,
) -> Result<Tensor<B>> {
    let batch = lengths.len();
    if longest == 0 {
        return Tensor::full([batch, 0], blank as i64, targets.backend());
    }
    targets.claim(batch.saturating_mul(longest))?;
    let (mut places, mut inside, mut start) = (Vec::new(), Vec::new(), 0);
    for (i, &length) in lengths.iter().enumerate() {
        let first = if targets.rank() == 2 { i * targets.shape()[1] } else { start };
        places.extend((0..longest).map(|k| if k < length { (first + k) as i64 } else { 0 }));
        inside.extend((0..longest).map(|k| k < length));
        start += length;
    }
    let classes = targets.reshape([targets.numel()])?.to(DType::I64)?.pick(0, places)?;
    let inside = Tensor::new(inside, targets.backend())?;
    inside.where_(classes, blank as i64)?.reshape([batch, longest])
}

/// `ln Σ eˣ`, element by element, where all of them may be -∞.
fn log_sum_exp<B: Backend>(terms: &[&Tensor<B>]) -> Expr<B> {
    let most = terms.iter().map(|x| x.detach().lazy()).reduce(|a, b| a.maximum(b));
    let most = most.unwrap_or_else(|| f64::NEG_INFINITY.into());
    let most = most.eq(f64::NEG_INFINITY).where_(0.0, most);
    let sum = terms
        .iter()
        .map(|x| (x.lazy() - most.clone()).exp())
        .reduce(|a, b| a + b)
        .unwrap_or_else(|| 0.0.into());
    let none = sum.eq(0.0);
    none.where_(f64::NEG_INFINITY, none.where_(1.0, sum).log() + most)
}
