//! A drawing, made to look like the digits that the network has learnt.
use firesteel::data::mnist::{MEAN, SIDE, STD};

/// The digits of MNIST are 20 pixels high or wide, whichever is more, in a picture of 28 by 28, and
const DIGIT: f32 = 20.0;
/// the middle of their ink is the middle of the picture.
const MIDDLE: f32 = SIDE as f32 / 2.0;
/// A pixel is the mean of so many samples along each side.
const SAMPLES: usize = 4;

/// What MNIST would have made of a drawing of `width` columns, row by row, 0 for paper and 255 for ink: 28 by 28 of the
/// same. An empty picture, where there is no ink.
pub fn like_mnist(ink: &[u8], width: usize) -> Vec<u8> {
    let Some(frame) = Frame::of(ink, width) else {
        return vec![0; SIDE * SIDE];
    };
    let at = |x: f32, y: f32| {
        let inside = x >= 0. && y >= 0. && (x as usize) < width;
        let place = if inside { (y as usize) * width + x as usize } else { ink.len() };
        ink.get(place).copied().unwrap_or(0)
    };
    let pixel = |place: usize| {
        let sample = |i: usize| {
            let (dx, dy) = (i % SAMPLES, i / SAMPLES);
            let along = |pixel: usize, part: usize| {
                (pixel as f32 + (part as f32 + 0.5) / SAMPLES as f32 - MIDDLE) * frame.scale
            };
            u32::from(at(frame.x + along(place % SIDE, dx), frame.y + along(place / SIDE, dy)))
        };
        ((0..SAMPLES * SAMPLES).map(sample).sum::<u32>() as usize / (SAMPLES * SAMPLES)) as u8
    };
    (0..SIDE * SIDE).map(pixel).collect()
}

/// The numbers that the network takes for pixels from 0 to 255: MNIST's have mean 0 and variance 1.
pub fn normalized(pixels: &[u8]) -> Vec<f32> {
    pixels.iter().map(|&pixel| (f32::from(pixel) / 255. - MEAN) / STD).collect()
}

/// Where the ink of a drawing is.
struct Frame {
    /// The middle of the ink.
    x: f32,
    y: f32,
    /// How many pixels of the drawing are one of MNIST's.
    scale: f32,
}

impl Frame {
    /// None where there is no ink.
    fn of(ink: &[u8], width: usize) -> Option<Self> {
        let (mut low, mut high) = ([usize::MAX; 2], [0; 2]);
        let (mut weight, mut moment) = (0., [0.; 2]);
        for (place, &ink) in ink.iter().enumerate().filter(|(_, ink)| **ink > 0) {
            let at = [place % width, place / width];
            weight += f32::from(ink);
            for axis in 0..2 {
                low[axis] = low[axis].min(at[axis]);
                high[axis] = high[axis].max(at[axis]);
                moment[axis] += f32::from(ink) * (at[axis] as f32 + 0.5);
            }
        }
        let size = (0..2).map(|axis| (high[axis] + 1).saturating_sub(low[axis])).max()?;
        (weight > 0.).then(|| Self {
            x: moment[0] / weight,
            y: moment[1] / weight,
            scale: size as f32 / DIGIT,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A drawing of `width` by `width` with a box of ink in it.
    fn boxed(width: usize, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> Vec<u8> {
        let ink = |place: usize| columns.contains(&(place % width)) && rows.contains(&(place / width));
        (0..width * width).map(|place| if ink(place) { 255 } else { 0 }).collect()
    }

    #[test]
    fn ink_is_scaled_and_put_in_the_middle() {
        let picture = like_mnist(&boxed(280, 3..103, 170..270), 280);
        assert_eq!(picture, boxed(SIDE, 4..24, 4..24));
        let upright = like_mnist(&boxed(280, 200..220, 10..50), 280);
        assert_eq!(upright, boxed(SIDE, 9..19, 4..24));
    }

    #[test]
    fn paper_without_ink_is_an_empty_picture() {
        assert_eq!(like_mnist(&[0; 100], 10), [0; SIDE * SIDE]);
        assert_eq!(like_mnist(&[], 0), [0; SIDE * SIDE]);
    }

    #[test]
    fn a_dot_fills_the_picture() {
        assert_eq!(like_mnist(&boxed(10, 9..10, 0..1), 10), boxed(SIDE, 4..24, 4..24));
    }
}
