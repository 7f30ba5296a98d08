//! Modules printed as PyTorch prints them.
use super::Module;
use crate::Backend;
use std::fmt::{self, Debug};

/// Writes a module as `print(model)` does: its name, its settings, and the modules in it by name.
/// `#[derive(Module)]` makes `Debug` of it.
///
/// ```
/// use firesteel::{nn::{Linear, ReLU, Sequential}, prelude::*};
/// let net = Sequential((Linear::new(4, 8, &Cpu)?, ReLU));
/// let printed = "Sequential(
///   (0): Linear(in_features=4, out_features=8, bias=true)
///   (1): ReLU()
/// )";
/// assert_eq!(format!("{net:?}"), printed);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Debug)]
pub struct Printer {
    name: &'static str,
    settings: Vec<String>,
    parts: Vec<(String, String)>,
}

impl Printer {
    /// A module of this name.
    pub fn new(name: &'static str) -> Self {
        Self { name, settings: vec![], parts: vec![] }
    }

    /// A setting of the module: `name=value`.
    pub fn setting(self, name: &str, value: &dyn Debug) -> Self {
        let value = pythonic(format!("{value:?}"));
        self.settings(format!("{name}={value}"))
    }

    /// Settings as they are to be written.
    pub fn settings(mut self, settings: String) -> Self {
        self.settings.push(settings);
        self
    }

    /// A field of the module, written if it is a module too.
    pub fn part<B: Backend, M: Module<B>>(mut self, name: &str, part: &M) -> Self {
        self.parts.extend(part.printed().map(|text| (name.to_owned(), text)));
        self
    }

    /// Modules of a list by their numbers, where equal neighbours stand together.
    pub(super) fn list(mut self, parts: Vec<String>) -> Self {
        let mut start = 0;
        for equal in parts.chunk_by(|a, b| a == b) {
            let end = start + equal.len();
            self.parts.push(match equal {
                [one] => (start.to_string(), one.clone()),
                [first, ..] => (format!("{start}-{}", end - 1), format!("{} x {first}", equal.len())),
                [] => continue,
            });
            start = end;
        }
        self
    }

    /// Modules by name.
    pub(super) fn named(mut self, parts: impl IntoIterator<Item = (String, String)>) -> Self {
        self.parts.extend(parts);
        self
    }

    /// Writes all of it.
    pub fn finish(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}", self.name, self.settings.join(", "))?;
        for (name, text) in &self.parts {
            write!(f, "\n  ({name}): {}", text.replace('\n', "\n  "))?;
        }
        f.write_str(if self.parts.is_empty() { ")" } else { "\n)" })
    }
}

/// What a derived `Debug` writes, in PyTorch's form: `Flatten { start_dim: 1 }` is `Flatten(start_dim=1)`.
fn pythonic(text: String) -> String {
    // what is written here already has no braces
    if !text.contains(" { ") {
        return text;
    }
    text.replace(" { ", "(").replace(" }", ")").replace(": ", "=")
}

/// A module by its `Debug`, in PyTorch's form.
pub(super) fn printed(module: &dyn Debug) -> String {
    let text = pythonic(format!("{module:?}"));
    if text.ends_with(')') { text } else { text + "()" }
}
