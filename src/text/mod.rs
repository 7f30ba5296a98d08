//! Text as numbers: vocabularies, tokenizers, and sequences of one length.
mod pad;
#[cfg(feature = "text")]
mod tokenizer;
mod vocabulary;

pub use pad::{Padding, Side};
#[cfg(feature = "text")]
pub use tokenizer::Tokenizer;
pub use vocabulary::Vocabulary;
