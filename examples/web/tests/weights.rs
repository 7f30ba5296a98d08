//! The weights of the page, as it uses them: on drawings.
#![cfg(not(target_arch = "wasm32"))]

use firesteel::{
    data::{Dataset, Mnist, mnist::SIDE},
    io::safetensors,
    prelude::*,
};
use firesteel_web::{drawing, net::Net};

const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/page/digits.safetensors");
const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/mnist");

/// Digits of the test set, drawn on paper that is eight times as fine.
#[test]
fn digits_that_are_drawn_are_read_right() -> Result<()> {
    const FINE: usize = 8;
    let mut net = Net::new(&Cpu)?;
    net.load_state_dict(&safetensors::load(WEIGHTS)?)?;
    net.eval();
    let digits = Mnist::test(DIGITS)?;
    let (count, width) = (500, SIDE * FINE);
    let (mut pictures, mut labels) = (vec![], vec![]);
    for index in 0..count {
        let pixels = digits.pixels(index)?;
        let ink = |place: usize| pixels[place / width / FINE * SIDE + place % width / FINE];
        let paper: Vec<u8> = (0..width * width).map(ink).collect();
        pictures.extend(drawing::normalized(&drawing::like_mnist(&paper, width)));
        labels.push(digits.item(index)?.1);
    }
    let side = SIDE as isize;
    let pictures = Tensor::new(pictures, &Cpu)?.reshape([count as isize, 1, side, side])?;
    let guesses: Vec<i64> = net.forward(&pictures)?.argmax(1)?.to_vec()?;
    let right = guesses.iter().zip(&labels).filter(|(guess, label)| guess == label).count();
    assert!(right * 100 >= count * 97, "{right} of {count} are read right");
    Ok(())
}
