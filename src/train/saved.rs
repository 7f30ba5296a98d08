//! How a training stands in a checkpoint: what belongs to several schedulers and callbacks, and to a part of an epoch.
use super::Run;
use crate::{
    Error, Result,
    io::{Checkpoint, pth::Value},
    nn::StateDict,
};

/// How many batches of the epoch are done.
const BATCH: &str = "batch";
/// What the means of the epoch are made of so far.
const SUMS: &str = "sums";
/// What each callback remembers, in their order.
const CALLBACKS: &str = "callbacks";

/// A checkpoint with what the run, its schedulers and its callbacks remember.
pub fn checkpoint(
    run: &Run,
    sums: Value,
    schedulers: Vec<StateDict>,
    callbacks: Vec<Value>,
    rest: Checkpoint,
) -> Checkpoint {
    let scheduler = schedulers
        .into_iter()
        .enumerate()
        .flat_map(|(i, state)| state.into_iter().map(move |(name, data)| (format!("{i}.{name}"), data)));
    let batch = (run.batch as u64).into();
    let extra = [(BATCH, batch), (SUMS, sums), (CALLBACKS, Value::List(callbacks))];
    Checkpoint {
        step: run.step as u64,
        epoch: run.epoch as u64,
        scheduler: scheduler.collect(),
        extra: extra.map(|(name, value)| (name.to_owned(), value)).into(),
        ..rest
    }
}

/// The state of each of `count` schedulers.
pub fn schedulers(checkpoint: &Checkpoint, count: usize) -> Result<Vec<StateDict>> {
    let mut states = vec![StateDict::new(); count];
    for (name, data) in &checkpoint.scheduler {
        let place = name.split_once('.').and_then(|(i, name)| Some((i.parse::<usize>().ok()?, name)));
        let state = place.and_then(|(i, name)| Some((states.get_mut(i)?, name)));
        let Some((state, name)) = state else {
            let why =
                format!("the checkpoint has {name} of a scheduler, and the trainer has {count} schedulers");
            return Err(Error::value("resume", why));
        };
        state.insert(name.to_owned(), data.clone());
    }
    Ok(states)
}

/// The state of each of `count` callbacks.
pub fn callbacks(checkpoint: &Checkpoint, count: usize) -> Result<&[Value]> {
    let states = checkpoint.extra.get(CALLBACKS).and_then(Value::items).unwrap_or_default();
    if states.len() != count {
        let why = format!("the checkpoint is of {} callbacks, and the trainer has {count}", states.len());
        return Err(Error::value("resume", why));
    }
    Ok(states)
}

/// What the means of the epoch are made of so far.
pub fn sums(checkpoint: &Checkpoint) -> &Value {
    checkpoint.extra.get(SUMS).unwrap_or(&Value::None)
}

/// How many epochs, steps, and batches of the next epoch are done.
pub fn place(checkpoint: &Checkpoint) -> Result<[usize; 3]> {
    let batch =
        checkpoint.extra.get(BATCH).and_then(Value::as_i64).and_then(|batch| u64::try_from(batch).ok());
    let batch = batch
        .ok_or_else(|| Error::format("resume", "the checkpoint is not of a trainer: it has no \"batch\""))?;
    let place = [checkpoint.epoch, checkpoint.step, batch].map(usize::try_from);
    match place {
        [Ok(epoch), Ok(step), Ok(batch)] => Ok([epoch, step, batch]),
        _ => Err(Error::format("resume", "the checkpoint is further than this machine can count")),
    }
}
