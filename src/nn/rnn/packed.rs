//! Sequences of different lengths: one after another in memory step by step, or padded.
use crate::{Backend, Error, Result, Scalar, Shape, Tensor};
use std::ops::Range;

/// Sequences of different lengths without padding: the first step of all, the second of those that have one, and so
/// on, the longest sequence first.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.PackedSequence.html>
#[derive(Clone, Debug)]
pub struct PackedSequence<B: Backend> {
    /// All steps: `(sum of lengths, features..)`
    pub data: Tensor<B>,
    batch_sizes: Vec<usize>,
    /// Which sequence of the batch stands where; nothing where they stand as they came.
    order: Option<Vec<usize>>,
}

/// How padded sequences lie, and what fills them up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PadOptions {
    /// Whether the batch comes before time: `(batch, time, features)`.
    pub batch_first: bool,
    /// What stands where a sequence has ended.
    pub padding_value: Scalar,
    /// How many steps there are; without it, as many as the longest sequence has.
    pub total_length: Option<usize>,
}

impl Default for PadOptions {
    fn default() -> Self {
        Self { batch_first: false, padding_value: Scalar::Int(0), total_length: None }
    }
}

impl<B: Backend> PackedSequence<B> {
    /// How many sequences have a first step, a second, and so on.
    pub fn batch_sizes(&self) -> &[usize] {
        &self.batch_sizes
    }

    /// The length of each sequence, in the order of the batch.
    pub fn lengths(&self) -> Vec<usize> {
        let count = self.batch_sizes.first().copied().unwrap_or(0);
        let mut lengths = vec![0; count];
        for place in 0..count {
            // sizes fall, so those that reach beyond a place come first
            lengths[self.at(place)] = self.batch_sizes.partition_point(|&size| size > place);
        }
        lengths
    }

    /// The same sequences with other features.
    pub fn with(&self, data: Tensor<B>) -> Self {
        Self { data, ..self.clone() }
    }

    /// `(time, batch, features)`, all equally long.
    pub(super) fn even(x: &Tensor<B>, time: usize, batch: usize) -> Result<Self> {
        Ok(Self { data: x.flatten(0, 1)?, batch_sizes: vec![batch; time], order: None })
    }

    /// The rows of each step.
    pub(super) fn steps(&self) -> Vec<Range<usize>> {
        let ends = self.batch_sizes.iter().scan(0, |end, size| {
            *end += size;
            Some(*end)
        });
        ends.zip(&self.batch_sizes).map(|(end, size)| end - size..end).collect()
    }

    /// Dim 1 of a state, from the order of the batch to that of the steps.
    pub(super) fn sorted(&self, state: &Tensor<B>) -> Result<Tensor<B>> {
        self.order.as_ref().map_or(Ok(state.clone()), |order| picked(state, 1, order))
    }

    /// Dim 1 of a state, from the order of the steps to that of the batch.
    pub(super) fn unsorted(&self, state: &Tensor<B>) -> Result<Tensor<B>> {
        let Some(order) = &self.order else {
            return Ok(state.clone());
        };
        let mut places: Vec<usize> = (0..order.len()).collect();
        places.sort_by_key(|&place| order[place]);
        picked(state, 1, &places)
    }

    /// Which sequence of the batch stands at a place.
    fn at(&self, place: usize) -> usize {
        self.order.as_ref().and_then(|order| order.get(place).copied()).unwrap_or(place)
    }
}

/// Packs padded sequences `(time, batch, features..)` of these lengths, in any order.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html>
///
/// ```
/// use firesteel::{nn::rnn::{PadOptions, pack_padded_sequence, pad_packed_sequence}, prelude::*};
/// let x = Tensor::new([[1, 4], [2, 5], [0, 6]], &Cpu)?;
/// let packed = pack_padded_sequence(&x, &[2, 3], PadOptions::default())?;
/// assert_eq!((packed.batch_sizes(), packed.data.to_vec::<i64>()?), (&[2, 2, 1][..], vec![4, 1, 5, 2, 6]));
/// let (back, lengths) = pad_packed_sequence(&packed, PadOptions::default())?;
/// assert_eq!((back.to_vec::<i64>()?, lengths), (x.to_vec::<i64>()?, vec![2, 3]));
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn pack_padded_sequence<B: Backend>(
    x: &Tensor<B>,
    lengths: &[usize],
    options: PadOptions,
) -> Result<PackedSequence<B>> {
    let x = if options.batch_first && x.rank() > 1 { x.transpose(0, 1)? } else { x.clone() };
    let [time, batch, ..] = x.shape()[..] else {
        return Err(Error::shape(
            "pack_padded_sequence",
            format!("needs (time, batch, ..), not {}", x.shape()),
        ));
    };
    if lengths.len() != batch || batch == 0 || lengths.iter().any(|&length| length == 0 || length > time) {
        let why = format!("needs a length from 1 to {time} for each of {batch} sequences, not {lengths:?}");
        return Err(Error::value("pack_padded_sequence", why));
    }
    let mut order: Vec<usize> = (0..batch).collect();
    order.sort_by_key(|&sequence| std::cmp::Reverse(lengths[sequence]));
    let longest = lengths[order[0]];
    let size = |step: usize| order.partition_point(|&sequence| lengths[sequence] > step);
    let batch_sizes: Vec<usize> = (0..longest).map(size).collect();
    let rows: Vec<usize> = (0..longest)
        .flat_map(|step| order[..batch_sizes[step]].iter().map(move |sequence| step * batch + sequence))
        .collect();
    let data = picked(&x.flatten(0, 1)?, 0, &rows)?;
    let order = Some(order).filter(|order| !order.is_sorted());
    Ok(PackedSequence { data, batch_sizes, order })
}

/// Packs sequences `(time, features..)`, in any order.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_sequence.html>
#[track_caller]
pub fn pack_sequence<B: Backend>(sequences: &[&Tensor<B>]) -> Result<PackedSequence<B>> {
    let lengths: Vec<usize> = sequences.iter().map(|x| x.shape().first().copied().unwrap_or(0)).collect();
    pack_padded_sequence(&pad_sequence(sequences, PadOptions::default())?, &lengths, PadOptions::default())
}

/// Packed sequences padded to one length, `(time, batch, features..)`, and the length of each.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_packed_sequence.html>
#[track_caller]
pub fn pad_packed_sequence<B: Backend>(
    packed: &PackedSequence<B>,
    options: PadOptions,
) -> Result<(Tensor<B>, Vec<usize>)> {
    let (longest, batch) = (packed.batch_sizes.len(), packed.batch_sizes.first().copied().unwrap_or(0));
    let time = options.total_length.unwrap_or(longest);
    if time < longest {
        let why = format!("total_length {time} is less than the longest sequence has, {longest}");
        return Err(Error::value("pad_packed_sequence", why));
    }
    let rest = &packed.data.shape()[1..];
    let shape = |lead: &[usize]| lead.iter().chain(rest).copied().collect::<Shape>();
    let rows = packed.batch_sizes.iter().enumerate();
    let rows = rows.flat_map(|(step, &size)| (0..size).map(move |place| step * batch + packed.at(place)));
    let rows = Tensor::new(rows.map(|row| row as i64).collect::<Vec<_>>(), packed.data.backend())?;
    let padded = packed.data.new_full(shape(&[time.saturating_mul(batch)]), options.padding_value)?;
    let padded = padded.index_copy(0, &rows, &packed.data)?.reshape(shape(&[time, batch]))?;
    Ok((if options.batch_first { padded.transpose(0, 1)? } else { padded }, packed.lengths()))
}

/// The sequences that were packed, `(length, features..)` each.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpack_sequence.html>
///
/// ```
/// use firesteel::{nn::rnn::{pack_sequence, unpack_sequence}, prelude::*};
/// let (a, b) = (Tensor::new([1, 2], &Cpu)?, Tensor::new([3, 4, 5], &Cpu)?);
/// let sequences = unpack_sequence(&pack_sequence(&[&a, &b])?)?;
/// assert_eq!((sequences.len(), sequences[1].to_vec::<i64>()?), (2, vec![3, 4, 5]));
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn unpack_sequence<B: Backend>(packed: &PackedSequence<B>) -> Result<Vec<Tensor<B>>> {
    let (padded, lengths) = pad_packed_sequence(packed, PadOptions::default())?;
    unpad_sequence(&padded, &lengths, PadOptions::default())
}

/// Sequences `(time, features..)` padded to one length, `(time, batch, features..)`.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_sequence.html>
///
/// ```
/// use firesteel::{nn::rnn::{PadOptions, pad_sequence}, prelude::*};
/// let (a, b) = (Tensor::new([1, 2, 3], &Cpu)?, Tensor::new([4], &Cpu)?);
/// let options = PadOptions { batch_first: true, ..Default::default() };
/// assert_eq!(pad_sequence(&[&a, &b], options)?.to_vec::<i64>()?, [1, 2, 3, 4, 0, 0]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn pad_sequence<B: Backend>(sequences: &[&Tensor<B>], options: PadOptions) -> Result<Tensor<B>> {
    let lengths = sequences.iter().map(|x| x.shape().first().copied());
    let Some(lengths) = lengths.collect::<Option<Vec<usize>>>() else {
        return Err(Error::shape("pad_sequence", "a number has no steps"));
    };
    let time = options.total_length.or(lengths.iter().copied().max()).unwrap_or(0);
    let padded = sequences.iter().zip(lengths).map(|(x, length)| {
        let Some(missing) = time.checked_sub(length) else {
            let why = format!("total_length {time} is less than a sequence has, {length}");
            return Err(Error::value("pad_sequence", why));
        };
        let end: Shape = [missing].into_iter().chain(x.shape()[1..].iter().copied()).collect();
        Tensor::cat(&[x, &x.new_full(end, options.padding_value)?], 0)
    });
    let padded = padded.collect::<Result<Vec<_>>>()?;
    Tensor::stack(&padded.iter().collect::<Vec<_>>(), if options.batch_first { 0 } else { 1 })
}

/// The sequences that were padded: `(time, batch, features..)` to `(length, features..)` each.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpad_sequence.html>
#[track_caller]
pub fn unpad_sequence<B: Backend>(
    padded: &Tensor<B>,
    lengths: &[usize],
    options: PadOptions,
) -> Result<Vec<Tensor<B>>> {
    let sequences = padded.unbind(if options.batch_first { 0 } else { 1 })?;
    if sequences.len() != lengths.len() {
        let why = format!("{} lengths do not fit {} sequences", lengths.len(), sequences.len());
        return Err(Error::value("unpad_sequence", why));
    }
    sequences.iter().zip(lengths).map(|(x, &length)| x.narrow(0, 0, length)).collect()
}

/// The slices at these places of a dim.
fn picked<B: Backend>(x: &Tensor<B>, dim: isize, places: &[usize]) -> Result<Tensor<B>> {
    let places: Vec<i64> = places.iter().map(|&place| place as i64).collect();
    x.index_select(dim, &Tensor::new(places, x.backend())?)
}
