//! Tokens by number.
use crate::{Error, Result};
use std::{
    borrow::Borrow,
    collections::{HashMap, HashSet},
    hash::Hash,
};

/// Numbers for tokens, which are words, letters or whatever can be compared.
///
/// ```
/// use firesteel::text::Vocabulary;
/// let words = "the whale the sea the ship a whale".split(' ').map(str::to_owned);
/// let vocabulary = Vocabulary::build(words, ["<unk>".to_owned()], 2)?.unknown("<unk>")?;
/// assert_eq!(vocabulary.len(), 3); // <unk>, and what comes twice: the, whale
/// assert_eq!(vocabulary.encode(["whale", "the", "squid"])?, [2, 1, 0]);
/// assert_eq!(vocabulary.decode(&[1, 2])?, ["the", "whale"]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Vocabulary<T = String> {
    tokens: Vec<T>,
    numbers: HashMap<T, i64>,
    unknown: Option<i64>,
}

impl<T: Clone + Eq + Hash> Vocabulary<T> {
    /// These tokens, numbered in their order. A token that comes twice is an error.
    #[track_caller]
    pub fn new(tokens: impl IntoIterator<Item = T>) -> Result<Self> {
        let tokens: Vec<T> = tokens.into_iter().collect();
        let numbers: HashMap<T, i64> = tokens.iter().cloned().zip(0..).collect();
        if numbers.len() != tokens.len() {
            let why = format!("{} of {} tokens come twice", tokens.len() - numbers.len(), tokens.len());
            return Err(Error::value("vocabulary", why));
        }
        Ok(Self { tokens, numbers, unknown: None })
    }

    /// The tokens of a text that come `min_freq` times or more, the most frequent first and of these the smallest,
    /// after special ones.
    #[track_caller]
    pub fn build(
        text: impl IntoIterator<Item = T>,
        specials: impl IntoIterator<Item = T>,
        min_freq: usize,
    ) -> Result<Self>
    where
        T: Ord,
    {
        let mut counts: HashMap<T, usize> = HashMap::new();
        text.into_iter().for_each(|token| *counts.entry(token).or_default() += 1);
        let specials: Vec<T> = specials.into_iter().collect();
        let special: HashSet<&T> = specials.iter().collect();
        let mut found: Vec<(T, usize)> = counts
            .into_iter()
            .filter(|(token, count)| *count >= min_freq && !special.contains(token))
            .collect();
        found.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
        Self::new(specials.into_iter().chain(found.into_iter().map(|(token, _)| token)))
    }

    /// Gives the number of this token to all that are not in the vocabulary.
    #[track_caller]
    pub fn unknown<Q: Eq + Hash + ?Sized>(self, token: &Q) -> Result<Self>
    where
        T: Borrow<Q>,
    {
        let unknown = self.number(token);
        if unknown.is_none() {
            return Err(Error::value("vocabulary", "the token for unknown ones is not one of its tokens"));
        }
        Ok(Self { unknown, ..self })
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Every token by its number.
    pub fn tokens(&self) -> &[T] {
        &self.tokens
    }

    /// The number of a token, or that of unknown ones where there is one.
    pub fn number<Q: Eq + Hash + ?Sized>(&self, token: &Q) -> Option<i64>
    where
        T: Borrow<Q>,
    {
        self.numbers.get(token).copied().or(self.unknown)
    }

    /// The numbers of tokens. One that is not in the vocabulary is an error where none stands for it.
    #[track_caller]
    pub fn encode<'a, Q>(&self, tokens: impl IntoIterator<Item = &'a Q>) -> Result<Vec<i64>>
    where
        T: Borrow<Q>,
        Q: Eq + Hash + std::fmt::Debug + ?Sized + 'a,
    {
        let number = |token: &Q| {
            self.number(token).ok_or_else(|| {
                let why = format!("{token:?} is not one of {} tokens, and none stands for it", self.len());
                Error::value("vocabulary", why)
            })
        };
        tokens.into_iter().map(number).collect()
    }

    /// The tokens with these numbers.
    #[track_caller]
    pub fn decode(&self, numbers: &[i64]) -> Result<Vec<T>> {
        let token = |number: &i64| {
            let token = usize::try_from(*number).ok().and_then(|number| self.tokens.get(number));
            token.cloned().ok_or_else(|| {
                Error::index("vocabulary", format!("{number} is not one of {} tokens", self.len()))
            })
        };
        numbers.iter().map(token).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_an_error() -> Result<()> {
        let letters = Vocabulary::build("abba c".chars(), [], 1)?;
        assert_eq!(letters.tokens(), ['a', 'b', ' ', 'c']);
        assert_eq!(letters.encode(&['c', 'a'])?, [3, 0]);
        assert!(letters.encode(&['x']).is_err());
        for wrong in [-1, 4, i64::MIN] {
            assert!(letters.decode(&[wrong]).is_err());
        }
        assert!(letters.clone().unknown(&'x').is_err());
        assert!(Vocabulary::new(['a', 'a']).is_err());
        // what is special is not counted again
        assert_eq!(Vocabulary::build("aab".chars(), ['b', 'z'], 1)?.tokens(), ['b', 'z', 'a']);
        Ok(())
    }
}
