//! A table on the terminal, a row for each epoch.
use super::{Logger, Record};
use crate::Result;
use std::io::{Write, stdout};

/// Prints a row for each epoch, under the names of the numbers.
///
/// ```
/// use firesteel::train::{Logger, Record, TableLogger};
/// let mut table = TableLogger::to(Vec::new());
/// table.log(&Record { epoch: 1, step: 9, of_epoch: true, values: vec![("val_loss".into(), 0.25)] })?;
/// let printed = String::from_utf8(table.into_inner()).unwrap();
/// assert_eq!(printed, "epoch      step    val_loss\n    1         9      0.2500\n");
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TableLogger<W = std::io::Stdout> {
    to: W,
    columns: Vec<String>,
}

impl TableLogger {
    /// A table on the standard output.
    #[allow(clippy::new_without_default)] // where a table goes is not a default
    pub fn new() -> Self {
        Self::to(stdout())
    }
}

impl<W: Write> TableLogger<W> {
    /// A table that is written there.
    pub fn to(to: W) -> Self {
        Self { to, columns: vec![] }
    }

    /// Where it was written.
    pub fn into_inner(self) -> W {
        self.to
    }

    fn row<'a>(
        &mut self,
        epoch: &str,
        step: &str,
        cells: impl Iterator<Item = (&'a str, String)>,
    ) -> Result<()> {
        write!(self.to, "{epoch:>5}{step:>10}")?;
        for (name, cell) in cells {
            write!(self.to, "  {cell:>width$}", width = width(name))?;
        }
        writeln!(self.to)?;
        Ok(self.to.flush()?)
    }
}

fn width(name: &str) -> usize {
    name.chars().count().max(10)
}

/// Four digits behind the point, or in powers of ten what would show none.
pub(super) fn shown(value: f64) -> String {
    if value != 0. && (value.abs() < 1e-3 || value.abs() >= 1e6) {
        format!("{value:.3e}")
    } else {
        format!("{value:.4}")
    }
}

impl<W: Write + Send> Logger for TableLogger<W> {
    fn log(&mut self, record: &Record) -> Result<()> {
        if !record.of_epoch {
            return Ok(());
        }
        let names: Vec<String> = record.values.iter().map(|(name, _)| name.clone()).collect();
        if names != self.columns {
            self.row("epoch", "step", names.iter().map(|name| (name.as_str(), name.clone())))?;
            self.columns = names;
        }
        let cells = record.values.iter().map(|(name, value)| (name.as_str(), shown(*value)));
        self.row(&record.epoch.to_string(), &record.step.to_string(), cells)
    }
}
