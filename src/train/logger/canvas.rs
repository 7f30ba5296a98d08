//! Lines and small letters in an image, without a font that a machine may not have.
use crate::{Error, Result, io::write_atomic};
use image::{ImageFormat, Rgb, RgbImage};
use std::{
    io::{Cursor, Write},
    path::Path,
};

/// Pixels for each dot of a letter.
const DOT: i64 = 2;
/// Pixels from a letter to the next.
pub const ADVANCE: i64 = 4 * DOT;
/// Pixels that letters are high.
pub const HEIGHT: i64 = 5 * DOT;

/// A white image, in pixels from the upper left corner. What lies outside of it is not drawn.
pub struct Canvas(RgbImage);

impl Canvas {
    pub fn new(width: u32, height: u32) -> Self {
        Self(RgbImage::from_pixel(width, height, Rgb([255; 3])))
    }

    fn dot(&mut self, x: i64, y: i64, colour: [u8; 3]) {
        let place = u32::try_from(x).ok().zip(u32::try_from(y).ok());
        if let Some(pixel) = place.and_then(|(x, y)| self.0.get_pixel_mut_checked(x, y)) {
            *pixel = Rgb(colour);
        }
    }

    /// A straight line, in as many steps as it is long.
    pub fn line(&mut self, [x0, y0]: [f64; 2], [x1, y1]: [f64; 2], colour: [u8; 3]) {
        let steps = (x1 - x0).abs().max((y1 - y0).abs()).ceil().max(1.);
        for step in 0..=steps as u32 {
            let part = f64::from(step) / steps;
            self.dot((x0 + (x1 - x0) * part).round() as i64, (y0 + (y1 - y0) * part).round() as i64, colour);
        }
    }

    /// Letters to the right of and below a place.
    pub fn text(&mut self, x: i64, y: i64, text: &str, colour: [u8; 3]) {
        for (letter, at) in text.chars().zip(0..) {
            let glyph = glyph(letter);
            for (row, column) in (0..5).flat_map(|row| (0..3).map(move |column| (row, column))) {
                if glyph >> (3 * (4 - row) + 2 - column) & 1 == 1 {
                    let (left, top) = (x + at * ADVANCE + column * DOT, y + row * DOT);
                    (0..DOT * DOT).for_each(|i| self.dot(left + i % DOT, top + i / DOT, colour));
                }
            }
        }
    }

    /// Writes a PNG, which is there whole or not at all.
    pub fn save(&self, path: &Path) -> Result<()> {
        let mut bytes = vec![];
        let written = self.0.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png);
        written.map_err(|e| Error::io("plot", format!("cannot write {}: {e}", path.display())).because(e))?;
        write_atomic(path, |file| file.write_all(&bytes))
    }
}

/// A letter of three by five dots, an octal digit for each row. Small letters look like large ones.
fn glyph(letter: char) -> u32 {
    match letter.to_ascii_lowercase() {
        '0' => 0o75557,
        '1' => 0o26227,
        '2' => 0o71747,
        '3' => 0o71717,
        '4' => 0o55711,
        '5' => 0o74717,
        '6' => 0o74757,
        '7' => 0o71111,
        '8' => 0o75757,
        '9' => 0o75717,
        'a' => 0o25755,
        'b' => 0o65656,
        'c' => 0o34443,
        'd' => 0o65556,
        'e' => 0o74647,
        'f' => 0o74644,
        'g' => 0o34553,
        'h' => 0o55755,
        'i' => 0o72227,
        'j' => 0o11152,
        'k' => 0o55655,
        'l' => 0o44447,
        'm' => 0o57755,
        'n' => 0o65555,
        'o' => 0o25552,
        'p' => 0o65644,
        'q' => 0o25563,
        'r' => 0o65655,
        's' => 0o34216,
        't' => 0o72222,
        'u' => 0o55557,
        'v' => 0o55552,
        'w' => 0o55775,
        'x' => 0o55255,
        'y' => 0o55222,
        'z' => 0o71247,
        '.' => 0o00002,
        '-' => 0o00700,
        '_' => 0o00007,
        '+' => 0o02720,
        '/' => 0o11244,
        _ => 0,
    }
}
