//! Sequences cut and filled up to one length.
use crate::{Data, Error, Result, TensorData, data::Collate};

/// An end of a sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// The beginning.
    Left,
    /// The end.
    #[default]
    Right,
}

/// Brings sequences of tokens to one length: the longest's, or a given one. As a loader's `collate_fn` it makes
/// batches `(tokens (batch, length) of I64, lengths (batch) of I64)`, the lengths without what was filled up.
///
/// ```
/// use firesteel::{data::DataLoader, prelude::*, text::Padding};
/// let sentences = vec![vec![5, 6, 7], vec![8]];
/// let padding = Padding { max_length: Some(2), ..Padding::new(0) };
/// let loader = DataLoader::new(sentences, 2)?.collate_fn(move |batch| padding.batch(batch));
/// for batch in loader.iter(0, &Cpu) {
///     let (tokens, lengths) = batch?;
///     assert_eq!(tokens.to_rows::<i64>()?, [[5, 6], [8, 0]]);
///     assert_eq!(lengths.to_vec::<i64>()?, [2, 1]);
/// }
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding {
    /// The token that fills up.
    pub token: i64,
    /// Where it is put.
    pub side: Side,
    /// The most tokens that are kept: all unless it is set.
    pub max_length: Option<usize>,
    /// Where tokens are cut off.
    pub truncation: Side,
    /// Whether all sequences become as long as `max_length`, rather than as the longest.
    pub to_max_length: bool,
}

impl Padding {
    /// Fills up at the end.
    pub fn new(token: i64) -> Self {
        Self { token, side: Side::Right, max_length: None, truncation: Side::Right, to_max_length: false }
    }

    /// The sequence without what is too long.
    pub fn truncate<'a>(&self, tokens: &'a [i64]) -> &'a [i64] {
        let cut = self.max_length.map_or(0, |most| tokens.len().saturating_sub(most));
        match self.truncation {
            Side::Left => tokens.get(cut..),
            Side::Right => tokens.get(..tokens.len() - cut),
        }
        .unwrap_or_default()
    }

    /// The sequences as a matrix, and the length of each.
    pub fn batch(&self, sequences: Vec<Vec<i64>>) -> Result<(TensorData, TensorData)> {
        let kept: Vec<&[i64]> = sequences.iter().map(|sequence| self.truncate(sequence)).collect();
        let longest = kept.iter().map(|sequence| sequence.len()).max().unwrap_or(0);
        let length = match (self.to_max_length, self.max_length) {
            (true, Some(length)) => length,
            (true, None) => return Err(Error::value("padding", "`to_max_length` needs a `max_length`")),
            (false, _) => longest,
        };
        let size = length.checked_mul(kept.len()).filter(|size| *size <= isize::MAX as usize / 8);
        let size = size.ok_or_else(|| {
            Error::memory("padding", format!("{} sequences of {length} tokens are too many", kept.len()))
        })?;
        let mut tokens = vec![];
        tokens.try_reserve_exact(size).map_err(|e| Error::memory("padding", e.to_string()).because(e))?;
        for sequence in &kept {
            let padding = std::iter::repeat_n(self.token, length - sequence.len());
            match self.side {
                Side::Left => tokens.extend(padding.chain(sequence.iter().copied())),
                Side::Right => tokens.extend(sequence.iter().copied().chain(padding)),
            }
        }
        let lengths: Vec<i64> = kept.iter().map(|sequence| sequence.len() as i64).collect();
        let tokens = TensorData::new([kept.len(), length], Data::I64(tokens))?;
        Ok((tokens, TensorData::new(lengths.len(), Data::I64(lengths))?))
    }
}

impl Collate<Vec<i64>> for Padding {
    type Batch = (TensorData, TensorData);
    fn collate(&self, sequences: Vec<Vec<i64>>) -> Result<Self::Batch> {
        self.batch(sequences)
    }
}
