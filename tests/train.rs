//! Measures beside the numbers of scikit-learn and torchmetrics, and trainings that are stopped, logged, saved and
//! resumed.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking
use firesteel::{
    ErrorKind,
    data::{DataLoader, Dataset},
    io::{Checkpoint, pth::Value},
    nn::{Dropout, Layer, Linear, Sequential, Tanh},
    optim::{
        Adam, LBFGS, LBFGSOptions, LineSearch, SGD,
        lr_scheduler::{Direction, ReduceLROnPlateau, Schedule, StepLR, Threshold},
    },
    prelude::*,
    train::{metrics::*, *},
};
use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

type Stack = Autodiff<Cpu>;

/// The device's random numbers are one sequence for all, so trainings that use them take turns.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

// ---- metrics: what scikit-learn 1.9 and torchmetrics 1.9 give of these scores

/// `((7 i + 5 j) mod 11) / 10 + 0.03 j` for example `i` and class `j`.
fn scores() -> Result<Tensor<Cpu>> {
    let row = |i: usize| (0..4).map(|j| ((i * 7 + j * 5) % 11) as f64 / 10. + j as f64 * 0.03).collect();
    Tensor::new((0..12).map(row).collect::<Vec<Vec<f64>>>(), &Cpu)
}

fn targets() -> Result<Tensor<Cpu>> {
    Tensor::new([0, 2, 1, 1, 1, 2, 2, 2, 1, 0, 1, 2], &Cpu)
}

/// The measure in batches of five.
fn measured(mut metric: impl Metric, predictions: &Tensor<Cpu>, targets: &Tensor<Cpu>) -> Result<f64> {
    assert!(metric.compute().is_err(), "nothing was measured yet");
    for (p, t) in predictions.split(5, 0)?.iter().zip(targets.split(5, 0)?) {
        metric.update(p, &t)?;
    }
    let value = metric.compute()?;
    metric.reset();
    assert!(metric.compute().is_err(), "it starts again");
    Ok(value)
}

#[track_caller]
fn assert_near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-6, "{value} is not {expected}");
}

#[test]
fn classes_as_scikit_learn_measures_them() -> Result<()> {
    let (scores, targets) = (scores()?, targets()?);
    assert_near(measured(Accuracy::new(), &scores, &targets)?, 0.4166666666666667);
    assert_near(measured(Accuracy::new(), &scores.argmax(1)?, &targets)?, 0.4166666666666667);
    assert_near(measured(Accuracy::top_k(2)?, &scores, &targets)?, 0.5833333333333334);
    let averages = [
        (ClassAverage::Macro, 0.3375, 0.325, 0.3047619047619048),
        (ClassAverage::Micro, 0.4166666666666667, 0.4166666666666667, 0.4166666666666667),
        (ClassAverage::Weighted, 0.5, 0.4166666666666667, 0.4246031746031746),
    ];
    for (average, precision, recall, f1) in averages {
        assert_near(measured(Precision::new(4, average)?, &scores, &targets)?, precision);
        assert_near(measured(Recall::new(4, average)?, &scores, &targets)?, recall);
        assert_near(measured(F1Score::new(4, average)?, &scores, &targets)?, f1);
    }
    let mut matrix = ConfusionMatrix::new(4)?;
    matrix.update(&scores, &targets)?;
    assert_eq!(matrix.counts(), [vec![1, 0, 1, 0], vec![1, 3, 0, 1], vec![2, 2, 1, 0], vec![0, 0, 0, 0]]);
    Ok(())
}

#[test]
fn two_classes_as_scikit_learn_measures_them() -> Result<()> {
    let (scores, targets) = (scores()?.select(1, 0)?, targets()?.gt(0)?.to(DType::I64)?);
    assert_near(measured(AUROC::new(), &scores, &targets)?, 0.575);
    // scores in halves, of which many are equal
    assert_near(measured(AUROC::new(), &((scores.clone() * 2.0)?.round()? / 2.0)?, &targets)?, 0.475);
    let predicted = scores.gt(0.5)?.to(DType::I64)?;
    assert_near(measured(Precision::new(2, ClassAverage::Binary)?, &predicted, &targets)?, 0.8);
    assert_near(measured(Recall::new(2, ClassAverage::Binary)?, &predicted, &targets)?, 0.4);
    assert_near(measured(F1Score::new(2, ClassAverage::Binary)?, &predicted, &targets)?, 0.5333333333333333);
    // one against the rest, over the classes that are there
    assert_near(measured(AUROC::new(), &self::scores()?, &self::targets()?)?, 0.5178571428571429);
    Ok(())
}

#[test]
fn tokens_and_numbers() -> Result<()> {
    let (scores, targets) = (scores()?, targets()?);
    assert_near(measured(Perplexity::new(), &scores, &targets)?, 4.070614672395489);
    assert_near(measured(Perplexity::new().ignore_index(0), &scores, &targets)?, 3.9540620943870004);
    let (a, b) = (scores.select(1, 0)?, scores.select(1, 1)?);
    assert_near(measured(MeanAbsoluteError::new(), &a, &b)?, 0.5466666666666667);
    assert_near(measured(MeanSquaredError::new(), &a, &b)?, 0.29923333333333335);
    Ok(())
}

#[test]
fn bad_predictions_are_errors() -> Result<()> {
    let (scores, targets) = (scores()?, targets()?);
    let few = targets.narrow(0, 0, 3)?;
    let large = (targets.clone() + 9)?;
    let metrics: Vec<Box<dyn Metric>> = vec![
        Box::new(Accuracy::new()),
        Box::new(F1Score::new(4, ClassAverage::Macro)?),
        Box::new(AUROC::new()),
        Box::new(Perplexity::new()),
        Box::new(MeanAbsoluteError::new()),
    ];
    for mut metric in metrics {
        let scores = scores.to_data()?;
        for wrong in [few.to_data()?, scores.clone().cast(DType::F32), large.to_data()?] {
            // numbers of one shape are what a distance is of
            let distance = metric.update_data(&scores, &scores).is_ok();
            assert!(metric.update_data(&scores, &wrong).is_err() || distance);
        }
    }
    assert!(AUROC::new().update(&Tensor::new([f64::NAN, 1.], &Cpu)?, &Tensor::new([0, 1], &Cpu)?).is_err());
    assert!(Accuracy::top_k(0).is_err() && ConfusionMatrix::new(1).is_err());
    assert!(Precision::new(3, ClassAverage::Binary).is_err());
    Ok(())
}

// ---- trainings

type Layers<B> = Sequential<(Linear<B>, Tanh, Dropout<B>, Linear<B>)>;

/// A line through points, with dropout, so that random numbers matter.
#[derive(Module)]
struct Net<B: Backend> {
    layers: Layers<B>,
}

impl Net<Stack> {
    fn new() -> Result<Self> {
        let device = Stack::default();
        let layers =
            Sequential((Linear::new(1, 8, &device)?, Tanh, Dropout::new(0.1)?, Linear::new(8, 1, &device)?));
        let mut net = Self { layers };
        // the same weights in every test
        let mut number = 0.;
        net.visit_mut("", &mut |_, leaf| match leaf {
            firesteel::nn::LeafMut::Param(param) => {
                number += 0.1;
                let n = param.numel() as f64;
                let values = Tensor::arange(0.0..n, &device)?.reshape(param.shape().clone())?;
                param.set(&((values + number)? / n)?.sin()?)
            }
            _ => Ok(()),
        })?;
        Ok(net)
    }
}

impl<D: Differentiable> Learner<D> for Net<D> {
    type Batch = (Tensor<D>, Tensor<D>);
    fn training_step(&self, (x, y): &Self::Batch, _: &mut Log) -> Result<Tensor<D>> {
        (self.layers.forward(x)? - y)?.square()?.mean(..)
    }
    fn validation_step(&self, (x, y): &Self::Batch, log: &mut Log) -> Result<()> {
        let guess = self.layers.forward(x)?;
        assert!(!guess.is_tracked(), "validation remembers no history");
        log.mean("loss", &(&guess - y)?.square()?.mean(..)?, x.size(0)?);
        log.metric("mae", MeanAbsoluteError::new, &guess, y)
    }
    fn predict_step(&self, (x, _): &Self::Batch) -> Result<Tensor<D>> {
        self.layers.forward(x)
    }
}

type Point = (Vec<f32>, Vec<f32>);

fn points(n: usize) -> Result<DataLoader<Vec<Point>>> {
    let point = |i: usize| (vec![i as f32 / n as f32], vec![(i as f32 / n as f32).sin()]);
    Ok(DataLoader::new((0..n).map(point).collect(), 4)?.shuffle(7))
}

fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("firesteel-train-{}-{name}", std::process::id()))
}

fn weights(net: &Net<Stack>) -> Result<Vec<u32>> {
    let mut all = vec![];
    for param in net.layers.parameters() {
        all.extend(param.to_vec::<f32>()?.into_iter().map(f32::to_bits));
    }
    Ok(all)
}

fn options(max_epochs: usize) -> TrainerOptions {
    TrainerOptions { max_epochs, log_every_n_steps: 2, ..Default::default() }
}

/// Keeps what it is given.
#[derive(Clone, Default)]
struct Keep(Arc<Mutex<Vec<Record>>>);

impl Logger for Keep {
    fn log(&mut self, record: &Record) -> Result<()> {
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }
}

#[test]
fn a_training_learns_and_reports() -> Result<()> {
    let _alone = alone();
    let (mut net, kept) = (Net::new()?, Keep::default());
    let mut trainer = Trainer::new(options(30))?.logger(kept.clone()).callback(LearningRateMonitor::new(5));
    let before = trainer.validate(&net, &points(20)?)?["val_loss"];
    trainer.fit_validated(&mut net, &mut Adam::new(0.02), &points(20)?, &points(20)?)?;
    let metrics = &trainer.run().metrics;
    assert!(metrics["val_loss"] < before / 4., "{before} became {metrics:?}");
    assert!(metrics["val_mae"].powi(2) <= metrics["val_loss"] + 1e-9, "the mean of squares is the larger");
    assert_eq!((trainer.run().epoch, trainer.run().step), (30, 150));
    let records = kept.0.lock().unwrap();
    assert_eq!(records.iter().filter(|r| r.of_epoch).count(), 30);
    let lr = records.iter().find(|r| r.values.iter().any(|(name, _)| name == "lr"));
    assert_eq!(lr.map(|r| (r.step, r.values[0].1)), Some((5, 0.02)));
    let names: Vec<_> = records.last().unwrap().values.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["train_loss", "val_loss", "val_mae"]);

    let tested = trainer.test(&net, &points(20)?)?;
    assert_eq!(tested["test_loss"].to_bits(), trainer.validate(&net, &points(20)?)?["val_loss"].to_bits());
    let predictions = trainer.predict(&net, &points(20)?)?;
    assert_eq!(predictions.iter().map(|p| p.numel()).sum::<usize>(), 20);
    Ok(())
}

#[test]
fn gradients_of_several_batches_are_as_those_of_one() -> Result<()> {
    let _alone = alone();
    let train = |batch_size, accumulate| -> Result<Vec<f32>> {
        let mut net = Net::new()?;
        net.layers.0.2 = Dropout::new(0.)?;
        let data = points(16)?.dataset().clone();
        let loader = DataLoader::new(data, batch_size)?;
        let mut trainer = Trainer::new(TrainerOptions { accumulate_grad_batches: accumulate, ..options(3) })?;
        trainer.fit(&mut net, &mut SGD::new(0.1), &loader)?;
        assert_eq!(trainer.run().step, 6);
        net.layers.0.3.weight.to_vec()
    };
    for (a, b) in train(8, 1)?.iter().zip(train(2, 4)?) {
        assert!((a - b).abs() < 1e-6, "{a} and {b}");
    }
    Ok(())
}

#[test]
fn clipped_gradients_take_small_steps() -> Result<()> {
    let _alone = alone();
    for clip in [Clip::Norm(1e-3), Clip::Value(1e-4)] {
        let mut net = Net::new()?;
        let before = net.layers.0.0.weight.to_vec::<f32>()?;
        let options = TrainerOptions { gradient_clip: Some(clip), max_steps: Some(1), ..options(1) };
        Trainer::new(options)?.fit(&mut net, &mut SGD::new(1.0), &points(20)?)?;
        for (a, b) in before.iter().zip(net.layers.0.0.weight.to_vec::<f32>()?) {
            assert!((a - b).abs() <= 1.01e-3, "{clip:?}: {a} became {b}");
        }
    }
    Ok(())
}

#[test]
fn an_optimizer_that_asks_for_the_loss_again() -> Result<()> {
    let _alone = alone();
    let train = |batch_size, accumulate| -> Result<(Vec<f32>, f64)> {
        let mut net = Net::new()?;
        net.layers.0.2 = Dropout::new(0.)?;
        let loader = DataLoader::new(points(16)?.dataset().clone(), batch_size)?;
        let mut trainer = Trainer::new(TrainerOptions { accumulate_grad_batches: accumulate, ..options(3) })?;
        let mut optimizer =
            LBFGS::with_options(LBFGSOptions { line_search: LineSearch::StrongWolfe, ..Default::default() });
        trainer.fit_validated(&mut net, &mut optimizer, &loader, &loader)?;
        Ok((net.layers.0.3.weight.to_vec()?, trainer.run().metrics["val_loss"]))
    };
    // 60 iterations of L-BFGS are worth more than 150 steps of Adam
    let (weights, loss) = train(16, 1)?;
    assert!(loss < 1e-4, "{loss}");
    // the loss is that of all batches of a step
    for (a, b) in weights.iter().zip(train(4, 4)?.0) {
        assert!((a - b).abs() < 0.05, "{a} and {b}");
    }
    let clipped = TrainerOptions { gradient_clip: Some(Clip::Norm(1.0)), ..options(1) };
    let refused = Trainer::new(clipped)?.fit(&mut Net::new()?, &mut LBFGS::new(1.0), &points(20)?);
    assert!(refused.unwrap_err().to_string().contains("leave out gradient_clip"));
    Ok(())
}

#[test]
fn schedulers_change_rates_when_they_should() -> Result<()> {
    let _alone = alone();
    let rates = |interval: Interval| -> Result<f64> {
        let (mut net, mut optimizer) = (Net::new()?, SGD::new(0.1));
        let scheduler = StepLR { gamma: 0.5, ..StepLR::new(2) }.start(&mut optimizer)?;
        let mut trainer = Trainer::new(options(4))?.lr_scheduler(scheduler, interval);
        trainer.fit(&mut net, &mut optimizer, &points(8)?)?;
        Ok(trainer.run().lrs[0])
    };
    assert_near(rates(Interval::Epoch)?, 0.1 / 4.); // 4 epochs
    assert_near(rates(Interval::Step)?, 0.1 / 16.); // of 2 steps
    let (mut net, mut optimizer) = (Net::new()?, SGD::new(0.1));
    let plateau =
        ReduceLROnPlateau { patience: 0, threshold: Threshold::Absolute(1e9), ..Default::default() };
    let scheduler = plateau.start(&mut optimizer)?;
    let mut trainer = Trainer::new(options(3))?.lr_scheduler(scheduler, Interval::Monitor("val_loss".into()));
    trainer.fit_validated(&mut net, &mut optimizer, &points(8)?, &points(8)?)?;
    assert!(trainer.run().lrs[0] < 0.1);
    Ok(())
}

#[test]
fn what_is_monitored_has_to_be_reported() -> Result<()> {
    let _alone = alone();
    let stopping = EarlyStopping::new("val_los");
    let mut trainer = Trainer::new(options(2))?.callback(stopping);
    let error = trainer.fit(&mut Net::new()?, &mut SGD::new(0.1), &points(8)?).unwrap_err();
    assert!(error.to_string().contains("train_loss"), "{error}");
    assert!(Trainer::new(TrainerOptions { accumulate_grad_batches: 0, ..Default::default() }).is_err());
    Ok(())
}

#[test]
fn early_stopping_ends_a_training() -> Result<()> {
    let _alone = alone();
    let stopping = EarlyStopping::new("train_loss").min_delta(10.).patience(2);
    let mut trainer = Trainer::new(options(50))?.callback(stopping);
    trainer.fit(&mut Net::new()?, &mut SGD::new(0.01), &points(8)?)?;
    assert_eq!(trainer.run().epoch, 3, "{:?}", trainer.run().stopped());
    // a rate that is far too high
    let stopping = EarlyStopping::new("train_loss");
    let mut trainer = Trainer::new(options(500))?.callback(stopping);
    trainer.fit(&mut Net::new()?, &mut SGD::new(1e30), &points(8)?)?;
    assert!(trainer.run().epoch < 10);
    Ok(())
}

#[test]
fn the_best_checkpoints_are_kept() -> Result<()> {
    let _alone = alone();
    let folder = folder("best");
    let mut callback = ModelCheckpoint::new(&folder).monitor("val_acc", Direction::Max).save_top_k(2);
    let mut kept = vec![];
    let mut run = Run::default();
    callback.on_fit_start(&mut run)?;
    for (epoch, value) in [0.5, 0.7, 0.6, 0.1, f64::NAN, 0.9].into_iter().enumerate() {
        let mut run = Run::default();
        run.epoch = epoch + 1;
        run.metrics.insert("val_acc".into(), value);
        callback.on_epoch_end(&mut run)?;
        let state = callback.state();
        kept = callback.best().iter().map(|(value, _)| *value).collect();
        let mut other = ModelCheckpoint::new(&folder);
        other.load_state(&state)?;
        assert_eq!(other.state(), state);
    }
    assert_eq!(kept, [0.9, 0.7]);

    let callback = ModelCheckpoint::new(&folder).monitor("val_loss", Direction::Min).save_top_k(2);
    let mut trainer = Trainer::new(options(6))?.callback(callback);
    trainer.fit_validated(&mut Net::new()?, &mut SGD::new(0.05), &points(12)?, &points(12)?)?;
    let mut names: Vec<_> =
        fs::read_dir(&folder)?.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names[2] == "last.pth" && names[0].starts_with("epoch="), "{names:?}");
    Ok(fs::remove_dir_all(folder)?)
}

#[test]
fn a_training_that_is_resumed_ends_as_one_that_was_not_interrupted() -> Result<()> {
    let _alone = alone();
    let folder = folder("resume");
    let train = |resume: Option<&str>,
                 max_steps: Option<usize>|
     -> Result<(Vec<u32>, Vec<f64>, usize, u64)> {
        let (mut net, mut optimizer) = (Net::new()?, Adam::new(0.05));
        Stack::default().generator().manual_seed(3);
        let scheduler = StepLR { gamma: 0.5, ..StepLR::new(2) }.start(&mut optimizer)?;
        let checkpoint = ModelCheckpoint::new(&folder).every_n_train_steps(1).save_last(max_steps.is_none());
        let mut trainer = Trainer::new(TrainerOptions { max_steps, ..options(4) })?
            .lr_scheduler(scheduler, Interval::Epoch)
            .callback(EarlyStopping::new("train_loss").patience(100))
            .callback(checkpoint);
        if let Some(name) = resume {
            trainer = trainer.resume_from(folder.join(name));
        }
        let noisy = points(20)?.dataset().clone().map(|(x, y): Point, rng| {
            Ok((x.into_iter().map(|x| x + 0.01 * rng.normal() as f32).collect::<Vec<_>>(), y))
        });
        let loader = DataLoader::new(noisy, 4)?.shuffle(9).num_workers(2);
        trainer.fit(&mut net, &mut optimizer, &loader)?;
        let run = trainer.run();
        Ok((weights(&net)?, run.lrs.clone(), run.step, run.metrics["train_loss"].to_bits()))
    };
    let whole = train(None, None)?;
    // in the middle of the second epoch, and at the end of the first
    for steps in [8, 5] {
        train(None, Some(steps))?;
        assert_eq!(Checkpoint::load(folder.join("last.pth"))?.step, steps as u64);
        let resumed = train(Some("last.pth"), None)?;
        assert_eq!(resumed.1, whole.1);
        assert_eq!(resumed.2, whole.2);
        assert_eq!(resumed.0, whole.0, "after {steps} steps");
        assert_eq!(resumed.3, whole.3, "the mean of an epoch knows what was before");
    }
    Ok(fs::remove_dir_all(folder)?)
}

#[test]
fn a_checkpoint_that_does_not_fit_is_an_error_and_changes_nothing() -> Result<()> {
    let _alone = alone();
    let (folder, mut net) = (folder("misfit"), Net::new()?);
    let before = weights(&net)?;
    let path = folder.join("last.pth");
    let mut resume = |callbacks: usize| {
        let mut trainer = Trainer::new(options(2))?.resume_from(&path);
        for _ in 0..callbacks {
            trainer = trainer.callback(EarlyStopping::new("train_loss"));
        }
        trainer.fit(&mut net, &mut SGD::new(0.1), &points(8)?)
    };
    let error = resume(0).unwrap_err();
    assert!(error.to_string().contains("last.pth"), "{error}");
    fs::create_dir_all(&folder)?;
    Checkpoint::default().save(&path)?;
    assert_eq!(resume(1).unwrap_err().kind(), ErrorKind::Value, "no callback, and one");
    Checkpoint { extra: [("callbacks".to_owned(), Value::List(vec![]))].into(), ..Default::default() }
        .save(&path)?;
    assert_eq!(resume(0).unwrap_err().kind(), ErrorKind::Format, "no batch");
    assert_eq!(weights(&net)?, before);
    Ok(fs::remove_dir_all(folder)?)
}

#[test]
fn event_files_hold_what_was_logged() -> Result<()> {
    let folder = folder("events");
    let mut logger = TensorBoardLogger::new(&folder)?;
    logger.log(&Record { epoch: 1, step: 300, of_epoch: true, values: vec![("val_loss".into(), 0.25)] })?;
    let bytes = fs::read(logger.path())?;
    let (mut at, mut events) = (0, vec![]);
    while at < bytes.len() {
        let len = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        events.push(&bytes[at + 12..at + 12 + len]);
        at += 16 + len;
    }
    assert_eq!(at, bytes.len());
    assert!(events[0].ends_with(b"\x1a\x0dbrain.Event:2"));
    // after the time: step 300, and in the summary a value of a tag and a float
    let value = [b"\x0a\x08val/loss\x15", &0.25f32.to_le_bytes()[..]].concat();
    assert_eq!(events[1][9..], [b"\x10\xac\x02\x2a\x11\x0a\x0f", &value[..]].concat());
    Ok(fs::remove_dir_all(folder)?)
}
