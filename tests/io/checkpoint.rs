//! A training that is killed goes on from its last checkpoint as if nothing had been.
use crate::{data, done_with, temporary};
use firesteel::{
    Data, Stream, TensorData,
    io::{
        Checkpoint,
        pth::{self, Value},
    },
    nn::{Linear, Sequential, Tanh},
    optim::{
        Adam, Optimizer,
        lr_scheduler::{LrScheduler, Schedule, StepLR},
    },
    prelude::*,
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// How long the training is.
const STEPS: u64 = 24;
/// The variable that says where the training's checkpoint lies.
const PATH: &str = "FIRESTEEL_TEST_CHECKPOINT";

/// A training that saves after each step and goes on where its file ends. Every step draws random numbers, so that
/// one of another state would learn something else.
fn train(path: &Path) -> Result<()> {
    let device = Autodiff::new(Cpu);
    device.generator().manual_seed(7);
    let mut model = Sequential((Linear::new(4, 16, &device)?, Tanh, Linear::new(16, 1, &device)?));
    let mut optimizer = Adam::new(0.05);
    let mut scheduler = StepLR::new(5).start(&mut optimizer)?;
    let mut step = 0;
    if let Some(checkpoint) = Checkpoint::resume(path)? {
        model.load_state_dict(&checkpoint.model)?;
        optimizer.load_state_dict(&model, &checkpoint.optimizer)?;
        scheduler.load_state_dict(&checkpoint.scheduler)?;
        checkpoint.restore_random(&device);
        step = checkpoint.step;
    }
    // what takes time to write, as the weights of a large model do
    let ballast = TensorData::new([1 << 20], Data::F32(vec![1.; 1 << 20]))?;
    while step < STEPS {
        let x = Tensor::randn([8, 4], &device)?;
        let loss = (model.forward(&x)? - x.sum(keepdim(-1))?)?.square()?.mean(..)?;
        optimizer.step(&mut model, &loss.backward()?)?;
        scheduler.step(&mut optimizer)?;
        step += 1;
        let checkpoint = Checkpoint {
            step,
            model: model.state_dict()?,
            optimizer: optimizer.state_dict(&model)?,
            scheduler: scheduler.state_dict()?,
            random: Some(device.generator().state()),
            extra: [("ballast".to_owned(), ballast.clone().into())].into(),
            ..Checkpoint::default()
        };
        checkpoint.save(path)?;
    }
    Ok(())
}

#[test]
#[ignore = "the process that `a_killed_run_ends_as_one_that_was_not` starts and kills"]
fn trains() -> Result<()> {
    let path = env::var_os(PATH).map_or_else(|| temporary("alone.pth"), PathBuf::from);
    train(&path)?;
    assert_eq!(Checkpoint::load(&path)?.step, STEPS);
    Ok(())
}

/// A process that trains, and does nothing else: this test of this program.
fn start(path: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "checkpoint::trains", "--ignored"]).env(PATH, path);
    command.stdout(Stdio::null()).spawn().unwrap()
}

/// What lies beside a checkpoint.
fn unfinished(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|other| other.extension().is_some_and(|e| e == "tmp")).collect()
}

/// Starts a training and kills it while it writes a checkpoint after its first. Says whether that came out: between
/// the look and the kill the file may have been finished.
fn kill_in_the_middle(path: &Path) -> bool {
    let mut child = start(path);
    while !path.exists() || unfinished(path).is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        thread::sleep(Duration::from_micros(100));
    }
    // on Unix this is SIGKILL, which no program can catch
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    !unfinished(path).is_empty()
}

#[test]
fn a_killed_run_ends_as_one_that_was_not() -> Result<()> {
    let folder = temporary("killed");
    fs::create_dir_all(&folder).unwrap();
    let (whole, killed) = (temporary("whole.pth"), folder.join("checkpoint.pth"));
    assert!(start(&whole).wait().unwrap().success());

    let mut misses = 0;
    while !kill_in_the_middle(&killed) {
        misses += 1;
        assert!(misses < 20, "it was never killed in the middle of writing");
        let _ = fs::remove_file(&killed);
    }
    let last_good = Checkpoint::load(&killed)?;
    assert!((1..STEPS).contains(&last_good.step), "step {}", last_good.step);
    assert!(start(&killed).wait().unwrap().success());
    assert!(unfinished(&killed).is_empty(), "what was left is tidied up");

    let (whole_end, killed_end) = (Checkpoint::load(&whole)?, Checkpoint::load(&killed)?);
    assert_ne!(last_good.model, killed_end.model, "it learned something after the kill");
    assert!(whole_end == killed_end, "weights, optimizer, scheduler and random state are the same");
    fs::remove_file(&whole).unwrap();
    done_with(&killed);
    fs::remove_dir(folder).unwrap();
    Ok(())
}

#[test]
fn everything_comes_back() -> Result<()> {
    let path = temporary("all.pth");
    assert_eq!(Checkpoint::resume(&path)?, None);
    assert_eq!(Checkpoint::resume(path.join("no/such/folder"))?, None);
    let state = |value: f32| -> Result<_> {
        Ok([("x".to_owned(), TensorData::new([1], Data::F32(vec![value]))?)].into())
    };
    let checkpoint = Checkpoint {
        step: u64::MAX,
        epoch: 2,
        model: state(1.)?,
        optimizer: state(2.)?,
        scheduler: state(3.)?,
        random: Some(Stream { seed: u64::MAX, offset: 5 }),
        extra: [("loss".to_owned(), 0.5.into()), ("options".to_owned(), Value::dict([("lr", 0.1.into())]))]
            .into(),
    };
    checkpoint.save(&path)?;
    assert_eq!(Checkpoint::load(&path)?, checkpoint);
    assert_eq!(Checkpoint::resume(&path)?, Some(checkpoint));
    Checkpoint::default().save(&path)?;
    assert_eq!(Checkpoint::load(&path)?, Checkpoint::default());
    fs::remove_file(path).unwrap();
    Ok(())
}

#[test]
fn what_is_no_checkpoint_of_this_version_is_told() -> Result<()> {
    let told = |path: &Path, words: &str| {
        let error = Checkpoint::load(path).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.location().file().contains("tests"), "{}", error.location());
    };
    told(&data("checkpoint.pth"), "\"format\" is missing");
    told(&data("no.pth"), "no.pth");
    let path = temporary("later.pth");
    let later = [("format", "firesteel.checkpoint".into()), ("version", 2.into())];
    pth::save_value(&path, &Value::dict(later))?;
    told(&path, "reads up to 1");
    fs::remove_file(path).unwrap();
    Ok(())
}
