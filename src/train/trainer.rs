//! The loops around a model: training, validation, testing, prediction.
use super::{Callback, Clip, Interval, Learner, Log, Logger, Record, Run, TrainerOptions, saved};
use crate::{
    Differentiable, Error, Gradients, Result, Tensor,
    data::Loader,
    io::Checkpoint,
    nn::State,
    no_grad,
    optim::{Optimizer, clip_grad_norm, clip_grad_value, lr_scheduler::LrScheduler},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Trains, validates and tests models, in the manner of
/// [Lightning](https://lightning.ai/docs/pytorch/stable/common/trainer.html).
///
/// ```
/// use firesteel::{data::DataLoader, nn::{Layer, Linear, Module}, optim::SGD, prelude::*};
/// use firesteel::train::{Learner, Log, Trainer, TrainerOptions};
///
/// #[derive(Module)]
/// struct Line<B: Backend> {
///     layer: Linear<B>,
/// }
///
/// impl<D: Differentiable> Learner<D> for Line<D> {
///     type Batch = (Tensor<D>, Tensor<D>);
///     fn training_step(&self, (x, y): &Self::Batch, _log: &mut Log) -> Result<Tensor<D>> {
///         (self.layer.forward(x)? - y)?.square()?.mean(..)
///     }
///     fn validation_step(&self, batch: &Self::Batch, log: &mut Log) -> Result<()> {
///         log.mean("loss", &self.training_step(batch, &mut Log::default())?, batch.0.size(0)?);
///         Ok(())
///     }
/// }
///
/// let points: Vec<(Vec<f32>, Vec<f32>)> = (0..8).map(|i| i as f32 / 8.0).map(|x| (vec![x], vec![2.0 * x + 1.0])).collect();
/// let loader = DataLoader::new(points, 4)?.shuffle(7);
/// let mut line = Line { layer: Linear::new(1, 1, &Autodiff::new(Cpu))? };
/// let mut trainer = Trainer::new(TrainerOptions { max_epochs: 100, ..Default::default() })?;
/// trainer.fit_validated(&mut line, &mut SGD::new(0.3), &loader, &loader)?;
/// assert!(trainer.run().metrics["val_loss"] < 1e-3);
/// # Ok::<(), firesteel::Error>(())
/// ```
pub struct Trainer {
    options: TrainerOptions,
    callbacks: Vec<Box<dyn Callback>>,
    loggers: Vec<Box<dyn Logger>>,
    schedulers: Vec<(Box<dyn LrScheduler>, Interval)>,
    resume: Option<PathBuf>,
    run: Run,
    /// What is reported of the epoch that is under way.
    log: Log,
}

// ---- what it is made of
impl Trainer {
    /// A trainer without callbacks and loggers.
    #[track_caller]
    pub fn new(options: TrainerOptions) -> Result<Self> {
        let counts = [
            ("accumulate_grad_batches", options.accumulate_grad_batches),
            ("log_every_n_steps", options.log_every_n_steps),
            ("check_val_every_n_epoch", options.check_val_every_n_epoch),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(Error::value("trainer", format!("{name} is 0, and has to be 1 at least")));
        }
        let (callbacks, loggers, schedulers) = (vec![], vec![], vec![]);
        let (run, log) = (Run::default(), Log::default());
        Ok(Self { options, callbacks, loggers, schedulers, resume: None, run, log })
    }

    /// Calls this back in the course of a training, after those before.
    pub fn callback(mut self, callback: impl Callback + 'static) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Hands numbers to this logger.
    pub fn logger(mut self, logger: impl Logger + 'static) -> Self {
        self.loggers.push(Box::new(logger));
        self
    }

    /// Changes the learning rates by this scheduler, which was started with the optimizer.
    pub fn lr_scheduler(mut self, scheduler: impl LrScheduler + 'static, interval: Interval) -> Self {
        self.schedulers.push((Box::new(scheduler), interval));
        self
    }

    /// Goes on from a checkpoint, exactly as if the training had not been interrupted. The loaders have to be
    /// those of the interrupted one.
    pub fn resume_from(mut self, path: impl AsRef<Path>) -> Self {
        self.resume = Some(path.as_ref().to_owned());
        self
    }

    /// Where the latest training stands, or stood when it ended.
    pub fn run(&self) -> &Run {
        &self.run
    }
}

// ---- training
impl Trainer {
    /// Trains a model. An optimizer that asks for the loss again ([`LBFGS`](crate::optim::LBFGS)) is given that of the
    /// batches of its step; gradients cannot be clipped then.
    #[track_caller]
    pub fn fit<D, L, T>(&mut self, model: &mut L, optimizer: &mut impl Optimizer<D>, train: &T) -> Result<()>
    where
        D: Differentiable,
        L: Learner<D>,
        T: Loader<D, Batch = L::Batch>,
    {
        self.fit_with(model, optimizer, train, None::<&T>)
    }

    /// Trains a model, and validates it after each epoch.
    #[track_caller]
    pub fn fit_validated<D, L, T, V>(
        &mut self,
        model: &mut L,
        optimizer: &mut impl Optimizer<D>,
        train: &T,
        validation: &V,
    ) -> Result<()>
    where
        D: Differentiable,
        L: Learner<D>,
        T: Loader<D, Batch = L::Batch>,
        V: Loader<D, Batch = L::Batch>,
    {
        self.fit_with(model, optimizer, train, Some(validation))
    }

    fn fit_with<D, L, T, V>(
        &mut self,
        model: &mut L,
        optimizer: &mut impl Optimizer<D>,
        train: &T,
        validation: Option<&V>,
    ) -> Result<()>
    where
        D: Differentiable,
        L: Learner<D>,
        T: Loader<D, Batch = L::Batch>,
        V: Loader<D, Batch = L::Batch>,
    {
        let device = device_of(model)?;
        let num_batches = self.limited(train.num_batches());
        self.run = Run { num_batches, max_epochs: self.options.max_epochs, ..Run::default() };
        if let Some(path) = self.resume.take() {
            self.load(&Checkpoint::load(path)?, model, optimizer, &device)?;
        }
        self.run.lrs = optimizer.lrs();
        self.each(model, optimizer, &device, |callback, run| callback.on_fit_start(run))?;
        while self.run.epoch < self.options.max_epochs && !self.ended() {
            let whole = self.train_epoch(model, optimizer, train, &device)?;
            if let Some(validation) = validation
                && (self.run.epoch + 1).is_multiple_of(self.options.check_val_every_n_epoch)
            {
                let results = self.evaluate("val", model, validation, &device, L::validation_step)?;
                self.run.metrics.extend(results);
            }
            if whole {
                self.schedule_epoch(optimizer)?;
                self.run.epoch += 1;
                self.run.batch = 0;
            }
            self.each(model, optimizer, &device, |callback, run| callback.on_epoch_end(run))?;
            let values = self.run.metrics.clone().into_iter().collect();
            self.record(Record::epoch(&self.run, values))?;
        }
        self.each(model, optimizer, &device, |callback, run| callback.on_fit_end(run))?;
        self.loggers.iter_mut().try_for_each(|logger| logger.finish())
    }

    /// Trains for one epoch, or what is left of it. Says whether it came to its end.
    fn train_epoch<D, L, O, T>(
        &mut self,
        model: &mut L,
        optimizer: &mut O,
        train: &T,
        device: &D,
    ) -> Result<bool>
    where
        D: Differentiable,
        L: Learner<D>,
        O: Optimizer<D>,
        T: Loader<D, Batch = L::Batch>,
    {
        model.train();
        self.each(model, optimizer, device, |callback, run| callback.on_train_epoch_start(run))?;
        if self.run.batch == 0 {
            self.log = Log::default();
        }
        let (mut sum, mut seen) = (None, vec![]);
        let limit = self.options.limit_batches.unwrap_or(usize::MAX);
        let mut batches =
            train.batches(self.run.epoch as u64, device)?.take(limit).skip(self.run.batch).peekable();
        while let Some(batch) = batches.next() {
            let batch = batch?;
            let loss = model.training_step(&batch, &mut self.log)?;
            self.log.mean("loss", &loss, 1);
            self.log.settle()?;
            let share = (&loss / self.options.accumulate_grad_batches as f64)?;
            accumulate(&mut sum, share.backward()?)?;
            if O::ASKS_AGAIN {
                seen.push(batch);
            }
            self.run.batch += 1;
            let full = self.run.batch.is_multiple_of(self.options.accumulate_grad_batches);
            if full || batches.peek().is_none() {
                let seen = std::mem::take(&mut seen);
                let parts = self.options.accumulate_grad_batches;
                let again = |model: &L| loss_of(model, &seen, parts);
                self.step(model, optimizer, sum.take(), &loss, again, device)?;
                if self.ended() {
                    break;
                }
            }
        }
        let whole = batches.peek().is_none();
        drop(batches);
        let results = self.log.results()?;
        self.run.metrics.extend(prefixed("train", results));
        Ok(whole)
    }

    /// A step of the optimizer, and what goes with it.
    fn step<D, L, O>(
        &mut self,
        model: &mut L,
        optimizer: &mut O,
        gradients: Option<Gradients<D::Inner>>,
        loss: &Tensor<D>,
        again: impl FnMut(&L) -> Result<Tensor<D>>,
        device: &D,
    ) -> Result<()>
    where
        D: Differentiable,
        L: Learner<D>,
        O: Optimizer<D>,
    {
        let Some(mut gradients) = gradients else { return Ok(()) };
        match self.options.gradient_clip {
            Some(_) if O::ASKS_AGAIN => {
                let why =
                    "gradients that the optimizer asks for itself cannot be clipped: leave out gradient_clip";
                return Err(Error::unsupported("trainer", why));
            }
            Some(Clip::Norm(most)) => {
                clip_grad_norm(model, &mut gradients, most, Default::default())?;
            }
            Some(Clip::Value(most)) => clip_grad_value(model, &mut gradients, most)?,
            None => (),
        }
        optimizer.step_again(model, &gradients, again)?;
        self.run.step += 1;
        for (scheduler, interval) in &mut self.schedulers {
            if *interval == Interval::Step {
                scheduler.step(optimizer)?;
            }
        }
        self.run.lrs = optimizer.lrs();
        if self.run.step.is_multiple_of(self.options.log_every_n_steps) {
            let loss = loss.item::<f64>()?;
            self.run.metrics.insert("train_loss_step".into(), loss);
            self.record(Record::step(&self.run, vec![("train_loss_step".into(), loss)]))?;
        }
        self.each(model, optimizer, device, |callback, run| callback.on_train_step_end(run))
    }

    fn schedule_epoch(&mut self, optimizer: &mut dyn crate::optim::Rates) -> Result<()> {
        for (scheduler, interval) in &mut self.schedulers {
            match interval {
                Interval::Step => (),
                Interval::Epoch => scheduler.step(optimizer)?,
                Interval::Monitor(name) => {
                    let value = super::callback::monitored("lr_scheduler", &self.run, name)?;
                    scheduler.step_with(optimizer, value)?;
                }
            }
        }
        self.run.lrs = optimizer.lrs();
        Ok(())
    }

    fn ended(&self) -> bool {
        self.run.stopped.is_some() || self.options.max_steps.is_some_and(|most| self.run.step >= most)
    }

    fn limited(&self, batches: Option<usize>) -> Option<usize> {
        match (batches, self.options.limit_batches) {
            (Some(batches), Some(limit)) => Some(batches.min(limit)),
            (known, None) => known,
            (None, Some(_)) => None,
        }
    }
}

// ---- validation, testing, prediction
impl Trainer {
    /// What the model reports on a validation set, its names prefixed by `val_`.
    #[track_caller]
    pub fn validate<D, L, V>(&mut self, model: &L, validation: &V) -> Result<BTreeMap<String, f64>>
    where
        D: Differentiable,
        L: Learner<D>,
        V: Loader<D, Batch = L::Batch>,
    {
        self.evaluate("val", model, validation, &device_of(model)?, L::validation_step)
    }

    /// What the model reports on a test set, its names prefixed by `test_`.
    #[track_caller]
    pub fn test<D, L, V>(&mut self, model: &L, test: &V) -> Result<BTreeMap<String, f64>>
    where
        D: Differentiable,
        L: Learner<D>,
        V: Loader<D, Batch = L::Batch>,
    {
        self.evaluate("test", model, test, &device_of(model)?, L::test_step)
    }

    /// What the model makes of each batch.
    #[track_caller]
    pub fn predict<D, L, V>(&mut self, model: &L, data: &V) -> Result<Vec<Tensor<D>>>
    where
        D: Differentiable,
        L: Learner<D>,
        V: Loader<D, Batch = L::Batch>,
    {
        let device = device_of(model)?;
        model.eval();
        let limit = self.options.limit_batches.unwrap_or(usize::MAX);
        let batches = data.batches(0, &device)?.take(limit);
        batches.map(|batch| no_grad(|| model.predict_step(&batch?))).collect()
    }

    fn evaluate<D, L, V>(
        &self,
        stage: &'static str,
        model: &L,
        data: &V,
        device: &D,
        step: impl Fn(&L, &L::Batch, &mut Log) -> Result<()>,
    ) -> Result<BTreeMap<String, f64>>
    where
        D: Differentiable,
        L: Learner<D>,
        V: Loader<D, Batch = L::Batch>,
    {
        model.eval();
        let mut log = Log::default();
        let limit = self.options.limit_batches.unwrap_or(usize::MAX);
        for batch in data.batches(0, device)?.take(limit) {
            let batch = batch?;
            no_grad(|| step(model, &batch, &mut log))?;
            log.settle()?;
        }
        Ok(prefixed(stage, log.results()?))
    }
}

// ---- callbacks, loggers and checkpoints
impl Trainer {
    /// Gives every callback its turn, and then does what they asked for.
    fn each<D, L>(
        &mut self,
        model: &L,
        optimizer: &impl Optimizer<D>,
        device: &D,
        mut turn: impl FnMut(&mut dyn Callback, &mut Run) -> Result<()>,
    ) -> Result<()>
    where
        D: Differentiable,
        L: Learner<D>,
    {
        for callback in &mut self.callbacks {
            turn(&mut **callback, &mut self.run)?;
        }
        let logged = std::mem::take(&mut self.run.logged);
        if !logged.is_empty() {
            self.record(Record::step(&self.run, logged))?;
        }
        let saves = std::mem::take(&mut self.run.saves);
        if !saves.is_empty() {
            let checkpoint = self.checkpoint(model, optimizer, device)?;
            saves.iter().try_for_each(|path| checkpoint.save(path))?;
        }
        Ok(())
    }

    fn record(&mut self, record: Record) -> Result<()> {
        self.loggers.iter_mut().try_for_each(|logger| logger.log(&record))
    }

    fn checkpoint<D, L>(&mut self, model: &L, optimizer: &impl Optimizer<D>, device: &D) -> Result<Checkpoint>
    where
        D: Differentiable,
        L: Learner<D>,
    {
        let schedulers = self.schedulers.iter().map(|(scheduler, _)| scheduler.state_dict());
        let callbacks = self.callbacks.iter().map(|callback| callback.state());
        let (random, sums) = (Some(device.generator().state()), self.log.sums()?);
        Ok(saved::checkpoint(
            &self.run,
            sums,
            schedulers.collect::<Result<_>>()?,
            callbacks.collect(),
            Checkpoint {
                model: model.state_dict()?,
                optimizer: optimizer.state_dict(model)?,
                random,
                ..Checkpoint::default()
            },
        ))
    }

    fn load<D, L>(
        &mut self,
        checkpoint: &Checkpoint,
        model: &mut L,
        optimizer: &mut impl Optimizer<D>,
        device: &D,
    ) -> Result<()>
    where
        D: Differentiable,
        L: Learner<D>,
    {
        let schedulers = saved::schedulers(checkpoint, self.schedulers.len())?;
        let callbacks = saved::callbacks(checkpoint, self.callbacks.len())?;
        let (place, log) = (saved::place(checkpoint)?, Log::from_sums(saved::sums(checkpoint))?);
        model.load_state_dict(&checkpoint.model)?;
        optimizer.load_state_dict(model, &checkpoint.optimizer)?;
        for ((scheduler, _), state) in self.schedulers.iter_mut().zip(&schedulers) {
            scheduler.load_state_dict(state)?;
        }
        for (callback, state) in self.callbacks.iter_mut().zip(callbacks) {
            callback.load_state(state)?;
        }
        checkpoint.restore_random(device);
        [self.run.epoch, self.run.step, self.run.batch] = place;
        self.log = log;
        Ok(())
    }
}

/// The device that a model is on: that of its first parameter.
#[track_caller]
fn device_of<D: Differentiable, L: Learner<D>>(model: &L) -> Result<D> {
    let first = model.parameters().first().map(|param| param.backend().clone());
    first.ok_or_else(|| Error::value("trainer", "the model has no parameters, and so nothing to learn"))
}

/// Adds gradients to those of the batches before.
fn accumulate<B: crate::Backend>(sum: &mut Option<Gradients<B>>, gradients: Gradients<B>) -> Result<()> {
    match sum {
        Some(sum) => sum.accumulate(gradients),
        None => {
            *sum = Some(gradients);
            Ok(())
        }
    }
}

fn prefixed(stage: &str, results: BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    results.into_iter().map(|(name, value)| (format!("{stage}_{name}"), value)).collect()
}

/// The loss of these batches together, for optimizers that ask for it again; nothing is reported of it.
fn loss_of<D: Differentiable, L: Learner<D>>(
    model: &L,
    batches: &[L::Batch],
    parts: usize,
) -> Result<Tensor<D>> {
    let share = |batch| model.training_step(batch, &mut Log::default())? / parts as f64;
    let sum = batches.iter().map(share).reduce(|sum, loss| sum? + loss?);
    sum.unwrap_or_else(|| Err(Error::internal("trainer", "a step has no batches")))
}
