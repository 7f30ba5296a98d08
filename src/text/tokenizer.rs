//! Tokenizers of Hugging Face.
use crate::{Error, Result};
use std::path::Path;

/// A tokenizer of a `tokenizer.json`, by the crate [`tokenizers`](https://docs.rs/tokenizers): byte pairs, word pieces
/// and the like, as trained with a model.
#[derive(Clone, Debug)]
pub struct Tokenizer(tokenizers::Tokenizer);

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    #[track_caller]
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        match tokenizers::Tokenizer::from_file(path) {
            Ok(tokenizer) => Ok(Self(tokenizer)),
            Err(e) => Err(Error::io("tokenizer", format!("cannot read {}: {e}", path.display()))),
        }
    }

    /// The text of a `tokenizer.json`.
    #[track_caller]
    pub fn from_json(json: &str) -> Result<Self> {
        let tokenizer = json.parse().map_err(|e| Error::format("tokenizer", format!("{e}")))?;
        Ok(Self(tokenizer))
    }

    /// How many tokens there are, those that were added included.
    pub fn len(&self) -> usize {
        self.0.get_vocab_size(true)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of the tokens of a text, with the special ones that the tokenizer puts around it where
    /// `specials` says so.
    pub fn encode(&self, text: &str, specials: bool) -> Result<Vec<i64>> {
        let encoding = self.0.encode(text, specials).map_err(|e| Error::value("tokenizer", e.to_string()))?;
        Ok(encoding.get_ids().iter().map(|&id| id.into()).collect())
    }

    /// The text of tokens, without special ones.
    pub fn decode(&self, tokens: &[i64]) -> Result<String> {
        let id = |&token: &i64| {
            let id = u32::try_from(token).ok().filter(|id| self.0.id_to_token(*id).is_some());
            id.ok_or_else(|| {
                Error::index("tokenizer", format!("{token} is not one of {} tokens", self.len()))
            })
        };
        let ids = tokens.iter().map(id).collect::<Result<Vec<u32>>>()?;
        self.0.decode(&ids, true).map_err(|e| Error::value("tokenizer", e.to_string()))
    }

    /// The number of a token.
    pub fn number(&self, token: &str) -> Option<i64> {
        self.0.token_to_id(token).map(i64::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words between spaces, of three.
    const WORDS: &str = r#"{
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"<unk>": 0, "call": 1, "me": 2}, "unk_token": "<unk>"}
    }"#;

    #[test]
    fn text_becomes_numbers_and_text_again() -> Result<()> {
        let tokenizer = Tokenizer::from_json(WORDS)?;
        assert_eq!((tokenizer.len(), tokenizer.number("me")), (3, Some(2)));
        assert_eq!(tokenizer.encode("call me Ishmael", false)?, [1, 2, 0]);
        assert_eq!(tokenizer.decode(&[1, 2])?, "call me");
        assert!(tokenizer.decode(&[3]).is_err() && tokenizer.decode(&[-1]).is_err());
        assert!(Tokenizer::from_json("{}").is_err());
        assert!(Tokenizer::open("/no/such/tokenizer.json").is_err());
        Ok(())
    }
}
