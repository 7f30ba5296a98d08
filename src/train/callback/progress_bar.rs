//! A line that shows how far an epoch has come.
use super::Callback;
use crate::{Result, train::Run};
use std::{
    io::{IsTerminal, Write, stderr},
    time::{Duration, Instant},
};

/// Shows how far an epoch has come on the standard error, where that is a terminal.
#[derive(Clone, Debug)]
pub struct ProgressBar {
    /// When the epoch began, and how many of its batches were done before.
    start: (Instant, usize),
    drawn: Option<Instant>,
    shown: bool,
}

const WIDTH: usize = 30;
const PAUSE: Duration = Duration::from_millis(100);

impl ProgressBar {
    /// A bar, drawn ten times in a second at most.
    #[allow(clippy::new_without_default)] // when an epoch begins is not a default
    pub fn new() -> Self {
        Self { start: (Instant::now(), 0), drawn: None, shown: stderr().is_terminal() }
    }

    /// The line: `epoch 2/5 ███████    120/1000  98.2 batches/s  loss 0.123`.
    fn line(&self, run: &Run) -> String {
        let (start, before) = self.start;
        let speed = (run.batch - before.min(run.batch)) as f64 / start.elapsed().as_secs_f64().max(1e-9);
        let mut line = format!("epoch {}/{} ", run.epoch + 1, run.max_epochs);
        match run.num_batches {
            Some(all) => {
                let full = (run.batch * WIDTH).checked_div(all).unwrap_or(0).min(WIDTH);
                line += &format!("{}{} {}/{all}", "█".repeat(full), " ".repeat(WIDTH - full), run.batch);
            }
            None => line += &run.batch.to_string(),
        }
        line += &format!("  {speed:.1} batches/s");
        if let Some(loss) = run.metrics.get("train_loss_step") {
            line += &format!("  loss {loss:.4}");
        }
        line
    }

    fn draw(&mut self, text: &str) {
        if self.shown {
            // a bar that cannot be drawn is no reason to end a training
            let _ = write!(stderr(), "\r\x1b[2K{text}").and_then(|()| stderr().flush());
        }
    }
}

impl Callback for ProgressBar {
    fn on_train_epoch_start(&mut self, run: &mut Run) -> Result<()> {
        self.start = (Instant::now(), run.batch);
        Ok(())
    }

    fn on_train_step_end(&mut self, run: &mut Run) -> Result<()> {
        if self.shown && self.drawn.is_none_or(|drawn| drawn.elapsed() > PAUSE) {
            self.drawn = Some(Instant::now());
            self.draw(&self.line(run));
        }
        Ok(())
    }

    fn on_epoch_end(&mut self, _: &mut Run) -> Result<()> {
        self.draw("");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_it_is() {
        let bar = ProgressBar::new();
        let mut run = Run { epoch: 1, max_epochs: 5, batch: 10, num_batches: Some(20), ..Run::default() };
        run.metrics.insert("train_loss_step".into(), 0.5);
        let line = bar.line(&run);
        assert!(
            line.starts_with(&format!("epoch 2/5 {}{} 10/20  ", "█".repeat(15), " ".repeat(15))),
            "{line}"
        );
        assert!(line.ends_with("loss 0.5000"), "{line}");
        assert!(bar.line(&Run { num_batches: Some(0), ..Run::default() }).contains(" 0/0"));
    }
}
