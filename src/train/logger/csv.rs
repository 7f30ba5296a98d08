//! A file of comma-separated values.
use super::{Logger, Record};
use crate::{Result, io::write_atomic};
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

/// Writes a row for each step and epoch that is logged, with a column for each name.
/// <https://lightning.ai/docs/pytorch/stable/extensions/generated/lightning.pytorch.loggers.CSVLogger.html>
///
/// ```
/// use firesteel::train::{CsvLogger, Logger, Record};
/// let path = std::env::temp_dir().join("firesteel-doc-log.csv");
/// let mut logger = CsvLogger::new(&path);
/// logger.log(&Record { epoch: 0, step: 50, of_epoch: false, values: vec![("train_loss_step".into(), 0.5)] })?;
/// logger.log(&Record { epoch: 1, step: 60, of_epoch: true, values: vec![("val_loss".into(), 0.25)] })?;
/// logger.finish()?;
/// assert_eq!(std::fs::read_to_string(&path)?, "epoch,step,train_loss_step,val_loss\n0,50,0.5,\n1,60,,0.25\n");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CsvLogger {
    path: PathBuf,
    columns: Vec<String>,
    rows: Vec<(usize, usize, BTreeMap<String, f64>)>,
}

impl CsvLogger {
    /// Writes to this file, after each epoch and at the end; what was there before is replaced.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self { path: path.as_ref().to_owned(), columns: vec![], rows: vec![] }
    }

    /// The whole file anew: a column may have come, which every row has to have.
    fn write(&self) -> Result<()> {
        write_atomic(&self.path, |file| {
            let names = ["epoch", "step"].into_iter().chain(self.columns.iter().map(String::as_str));
            writeln!(file, "{}", names.map(quoted).collect::<Vec<_>>().join(","))?;
            for (epoch, step, values) in &self.rows {
                write!(file, "{epoch},{step}")?;
                for column in &self.columns {
                    let cell = values.get(column).map(f64::to_string).unwrap_or_default();
                    write!(file, ",{cell}")?;
                }
                writeln!(file)?;
            }
            Ok(())
        })
    }
}

/// A name as it stands in a table (RFC 4180): in quotes where it has to be.
fn quoted(name: &str) -> String {
    if name.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

impl Logger for CsvLogger {
    fn log(&mut self, record: &Record) -> Result<()> {
        for (name, _) in &record.values {
            if !self.columns.contains(name) {
                self.columns.push(name.clone());
            }
        }
        self.rows.push((record.epoch, record.step, record.values.iter().cloned().collect()));
        if record.of_epoch { self.write() } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<()> {
        self.write()
    }
}
