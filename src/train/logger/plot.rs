//! Curves of the numbers, drawn to an image.
use super::{
    Logger, Record,
    canvas::{ADVANCE, Canvas, HEIGHT},
    table::shown,
};
use crate::Result;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Draws the numbers over the steps to a PNG, after each epoch: a panel for each that is measured, with a curve for
/// `train`, one for `val` and so on.
///
/// ```
/// use firesteel::train::{Logger, PlotLogger, Record};
/// let path = std::env::temp_dir().join("firesteel-doc-plot.png");
/// let mut plot = PlotLogger::new(&path);
/// for epoch in 1..5 {
///     let values = vec![("train_loss".into(), 1.0 / epoch as f64), ("val_loss".into(), 1.2 / epoch as f64)];
///     plot.log(&Record { epoch, step: 10 * epoch, of_epoch: true, values })?;
/// }
/// assert!(std::fs::read(&path)?.starts_with(b"\x89PNG"));
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PlotLogger {
    path: PathBuf,
    /// The curves of each panel, by their names.
    panels: BTreeMap<String, BTreeMap<String, Curve>>,
}

/// Steps and numbers.
type Curve = Vec<(f64, f64)>;

const WIDTH: f64 = 720.;
/// Of one panel.
const PANEL: f64 = 260.;
/// Left, top, right and bottom of the curves in a panel.
const MARGINS: [f64; 4] = [90., 30., 20., 30.];
const BLACK: [u8; 3] = [0; 3];
const GREY: [u8; 3] = [225; 3];
const COLOURS: [[u8; 3]; 6] =
    [[31, 119, 180], [214, 39, 40], [44, 160, 44], [148, 103, 189], [255, 127, 14], [23, 190, 207]];

impl PlotLogger {
    /// Draws to this file.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self { path: path.as_ref().to_owned(), panels: BTreeMap::new() }
    }

    fn draw(&self) -> Result<()> {
        if self.panels.is_empty() {
            return Ok(());
        }
        let mut canvas = Canvas::new(WIDTH as u32, (PANEL * self.panels.len() as f64) as u32);
        for (curves, number) in self.panels.values().zip(0..) {
            draw_panel(&mut canvas, f64::from(number) * PANEL, curves);
        }
        canvas.save(&self.path)
    }
}

/// What is measured: `loss` of `train_loss`, `val_loss` and `train_loss_step`.
fn measured(name: &str) -> &str {
    let name = name.strip_suffix("_step").unwrap_or(name);
    match name.split_once('_') {
        Some(("train" | "val" | "test", measured)) => measured,
        _ => name,
    }
}

fn draw_panel(canvas: &mut Canvas, top: f64, curves: &BTreeMap<String, Curve>) {
    let points = || curves.values().flatten();
    let ([x0, x1], [y0, y1]) = (range(points().map(|p| p.0)), range(points().map(|p| p.1)));
    let [left, above, right, below] = MARGINS;
    let (right, above, below) = (WIDTH - right, top + above, top + PANEL - below);
    let place = |(x, y): (f64, f64)| {
        [left + (x - x0) / (x1 - x0) * (right - left), below - (y - y0) / (y1 - y0) * (below - above)]
    };
    for tick in 0..=4 {
        let (x, y) = (x0 + (x1 - x0) * f64::from(tick) / 4., y0 + (y1 - y0) * f64::from(tick) / 4.);
        let [column, row] = place((x, y));
        canvas.line([left, row], [right, row], GREY);
        let (label, steps) = (shown(y), format!("{x:.0}"));
        let width = |text: &str| ADVANCE * text.len() as i64;
        canvas.text(left as i64 - 8 - width(&label), row as i64 - HEIGHT / 2, &label, BLACK);
        canvas.text(column as i64 - width(&steps) / 2, below as i64 + 8, &steps, BLACK);
    }
    canvas.line([left, above], [left, below], BLACK);
    canvas.line([left, below], [right, below], BLACK);
    let mut legend = left as i64 + 8;
    for ((name, curve), colour) in curves.iter().zip(COLOURS.into_iter().cycle()) {
        canvas.text(legend, top as i64 + 10, name, colour);
        legend += ADVANCE * (name.len() as i64 + 2);
        for pair in curve.windows(2) {
            canvas.line(place(pair[0]), place(pair[1]), colour);
        }
    }
}

/// From the least to the largest, and something in between where they are equal.
fn range(numbers: impl Iterator<Item = f64>) -> [f64; 2] {
    let [low, high] =
        numbers.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], x| [low.min(x), high.max(x)]);
    if low < high { [low, high] } else { [low - 1., low + 1.] }
}

impl Logger for PlotLogger {
    fn log(&mut self, record: &Record) -> Result<()> {
        // what is not finite has no place
        for (name, value) in record.values.iter().filter(|(_, value)| value.is_finite()) {
            let panel = self.panels.entry(measured(name).to_owned()).or_default();
            panel.entry(name.clone()).or_default().push((record.step as f64, *value));
        }
        if record.of_epoch { self.draw() } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<()> {
        self.draw()
    }
}
