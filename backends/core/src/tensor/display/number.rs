//! How the numbers of a tensor are written: all in one style, as wide as the widest.
use crate::{Category, TensorData};

/// The numbers of a tensor, as text to be.
pub struct Style {
    numbers: Numbers,
    notation: Notation,
    width: usize,
}

enum Numbers {
    Float(Vec<f64>),
    Integer(Vec<i64>),
    Bool(Vec<bool>),
}

/// How real numbers are written.
#[derive(Clone, Copy, PartialEq)]
enum Notation {
    /// `3.`, where all are whole
    Whole,
    /// `2.5000`
    Decimal,
    /// `2.5000e+10`, where they are very large, very small, or very different
    Scientific,
}

impl Style {
    /// The style that suits these numbers.
    pub fn of(shown: &TensorData) -> Self {
        let numbers = match shown.dtype().category() {
            Category::Float => Numbers::Float(shown.to_vec()),
            Category::Integer => Numbers::Integer(shown.to_vec()),
            Category::Bool => Numbers::Bool(shown.to_vec()),
        };
        let mut style = Self { numbers, notation: Notation::Whole, width: 1 };
        style.width = match &style.numbers {
            Numbers::Float(numbers) => {
                // zeros and what is not a number say nothing about the others
                let telling: Vec<f64> =
                    numbers.iter().copied().filter(|x| x.is_finite() && *x != 0.).collect();
                style.notation = Notation::of(&telling);
                telling.iter().map(|&x| style.notation.format(x).len()).max().unwrap_or(1)
            }
            Numbers::Integer(_) | Numbers::Bool(_) => {
                (0..shown.data().len()).map(|i| style.format(i).len()).max().unwrap_or(1)
            }
        };
        style
    }

    /// The number with this place among those shown, as wide as all others at least.
    pub fn format(&self, i: usize) -> String {
        let text = match &self.numbers {
            Numbers::Float(numbers) => numbers.get(i).map(|&x| self.notation.format(x)),
            Numbers::Integer(numbers) => numbers.get(i).map(i64::to_string),
            Numbers::Bool(numbers) => numbers.get(i).map(|&x| if x { "True" } else { "False" }.to_string()),
        };
        format!("{:>width$}", text.unwrap_or_default(), width = self.width)
    }

    /// How wide a number is.
    pub fn width(&self) -> usize {
        self.width
    }
}

impl Notation {
    /// The notation that suits these numbers, which are finite and not zero.
    fn of(numbers: &[f64]) -> Self {
        let magnitudes = || numbers.iter().map(|x| x.abs());
        let (least, most) = (magnitudes().fold(f64::INFINITY, f64::min), magnitudes().fold(0., f64::max));
        let whole = numbers.iter().all(|x| x.fract() == 0.);
        if most / least > 1000. || most > 1e8 || (!whole && least < 1e-4) {
            Notation::Scientific
        } else if whole {
            Notation::Whole
        } else {
            Notation::Decimal
        }
    }

    fn format(self, x: f64) -> String {
        if !x.is_finite() {
            // Python's spelling
            return if x.is_nan() {
                "nan"
            } else if x > 0. {
                "inf"
            } else {
                "-inf"
            }
            .into();
        }
        match self {
            Notation::Whole => format!("{x:.0}."),
            Notation::Decimal => format!("{x:.4}"),
            Notation::Scientific => {
                // an exponent has a sign and two digits or more
                let text = format!("{x:.4e}");
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let (sign, size) = exponent.strip_prefix('-').map_or(('+', exponent), |size| ('-', size));
                format!("{digits}e{sign}{size:0>2}")
            }
        }
    }
}
