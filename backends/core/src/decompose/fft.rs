//! Discrete Fourier transforms of complex and of real rows, made of products of matrices: they have a gradient of any order,
//! and run on every device.
//!
//! A size that is small is a product with the matrix of waves. One that has factors `p q` is cut into transforms of size `p`
//! and `q` ([Cooley and Tukey](https://doi.org/10.1090/S0025-5718-1965-0178586-1)), and a large prime becomes a convolution
//! ([Bluestein](https://doi.org/10.1109/TAU.1970.1162132)), which goes by transforms of a power of two.
use super::{full, rounded};
use crate::{Backend, FftWay, Outputs, Result, Shape, Tensor};
use std::f64::consts::PI;

pub fn fft<B: Backend>(x: &Tensor<B>, way: FftWay, scale: f64) -> Result<Outputs<Tensor<B>>> {
    rounded(x, [scaled(full(x)?.dft(way)?, scale)?])
}

pub fn rfft<B: Backend>(x: &Tensor<B>, way: FftWay, scale: f64) -> Result<Outputs<Tensor<B>>> {
    let whole = full(x)?;
    let y = whole.complex(&whole.zeros_like()?)?.dft(way)?.narrow(1, 0, x.shape()[1] / 2 + 1)?;
    rounded(x, [scaled(y, scale)?])
}

pub fn irfft<B: Backend>(x: &Tensor<B>, way: FftWay, n: usize, scale: f64) -> Result<Outputs<Tensor<B>>> {
    rounded(x, [scaled(full(x)?.with_conjugates(n)?.dft(way)?.select(-1, 0)?, scale)?])
}

fn scaled<B: Backend>(y: Tensor<B>, scale: f64) -> Result<Tensor<B>> {
    if scale == 1. { Ok(y) } else { y.mul(scale) }
}

/// The largest size that is one product where it has factors, and where it is prime.
const SMALL: usize = 64;
const SMALL_PRIME: usize = 256;

/// `e^(±2πi k/n)` for each `k`: the real and imaginary parts.
struct Circle(Vec<[f64; 2]>);

impl Circle {
    fn new(n: usize, way: FftWay) -> Self {
        let sign = if way == FftWay::Forward { -2. } else { 2. };
        Self((0..n).map(|k| (sign * PI * k as f64 / n as f64).sin_cos()).map(|(s, c)| [c, s]).collect())
    }

    /// The point `k` steps around it.
    fn at(&self, k: usize) -> [f64; 2] {
        self.0[k % self.0.len()]
    }
}

impl<B: Backend> Tensor<B> {
    /// `n` complex numbers in each row, of the `n/2 + 1` that are the conjugates of the rest.
    fn with_conjugates(&self, n: usize) -> Result<Self> {
        let mirrored = self.narrow(1, 1, n - n / 2 - 1)?.flip(1)?;
        let conjugates = mirrored.select(-1, 0)?.complex(&mirrored.select(-1, 1)?.neg()?)?;
        Self::cat(&[self, &conjugates], 1)
    }

    /// The transform of each row of `(rows, n, 2)`.
    fn dft(&self, way: FftWay) -> Result<Self> {
        let n = self.shape()[1];
        // as many waves are made on the host, also of no rows
        self.claim(n.saturating_mul(2))?;
        match factor(n) {
            _ if n <= SMALL => self.waves(way),
            Some(p) => self.cut(way, p),
            None if n <= SMALL_PRIME => self.waves(way),
            None => self.chirp(way),
        }
    }

    /// By the matrix of waves `(j, re or im) x (k, re or im)`.
    fn waves(&self, way: FftWay) -> Result<Self> {
        let (rows, n) = (self.shape()[0], self.shape()[1]);
        let circle = Circle::new(n, way);
        let row = |j: usize, imaginary: bool| {
            let wave = (0..n).map(move |k| j * k % n).map(|k| circle.0[k]).collect::<Vec<_>>();
            // (re + i im) (c + i s) = (re c - im s) + i (re s + im c)
            wave.into_iter().flat_map(move |[c, s]| if imaginary { [-s, c] } else { [c, s] })
        };
        let matrix = (0..n).flat_map(|j| row(j, false).chain(row(j, true)).collect::<Vec<_>>());
        let matrix = self.numbers(matrix.collect(), [2 * n, 2 * n])?;
        self.shaped([rows, 2 * n].into())?.matmul(&matrix)?.shaped([rows, n, 2].into())
    }

    /// By transforms of `p` and `q = n/p`: with `j = q j₁ + j₂` and `k = k₁ + p k₂`,
    /// `yₖ = Σ_j₂ e(j₂ k₂ / q) · e(j₂ k₁ / n) · Σ_j₁ e(j₁ k₁ / p) xⱼ`.
    fn cut(&self, way: FftWay, p: usize) -> Result<Self> {
        let (rows, n) = (self.shape()[0], self.shape()[1]);
        let q = n / p;
        let circle = Circle::new(n, way);
        let twiddles = (0..q).flat_map(|j| (0..p).map(move |k| j * k)).flat_map(|k| circle.at(k)).collect();
        let twiddles = self.numbers(twiddles, [q, p, 2])?;
        let columns = self.reshape([rows, p, q, 2])?.permute([0, 2, 1, 3])?;
        let inner = columns.reshape([rows * q, p, 2])?.dft(way)?.reshape([rows, q, p, 2])?;
        let turned = inner.times(&twiddles)?.permute([0, 2, 1, 3])?;
        let outer = turned.reshape([rows * p, q, 2])?.dft(way)?.reshape([rows, p, q, 2])?;
        outer.permute([0, 2, 1, 3])?.reshape([rows, n, 2])
    }

    /// By a convolution: `jk = (j² + k² - (k - j)²) / 2`, so `yₖ = wₖ Σⱼ (xⱼ wⱼ) w̄ₖ₋ⱼ` with `wⱼ = e(j² / 2n)`.
    fn chirp(&self, way: FftWay) -> Result<Self> {
        let (rows, n) = (self.shape()[0], self.shape()[1]);
        let m = (2 * n - 1).next_power_of_two();
        self.claim(2 * m)?;
        // of j² only the remainder by 2n counts
        let circle = Circle::new(2 * n, way);
        let square = |j: usize| ((j as u128 * j as u128) % (2 * n as u128)) as usize;
        let wave: Vec<[f64; 2]> = (0..n).map(|j| circle.at(square(j))).collect();
        let mut back = vec![[0.; 2]; m];
        for (j, [c, s]) in wave.iter().enumerate() {
            back[j] = [*c, -s];
            back[(m - j) % m] = [*c, -s];
        }
        let wave = self.numbers(wave.concat(), [n, 2])?;
        let back = self.numbers(back.concat(), [1, m, 2])?.dft(FftWay::Forward)?;
        let spread = self.times(&wave)?.resized(1, m)?.dft(FftWay::Forward)?;
        let folded = spread.times(&back)?.dft(FftWay::Inverse)?.narrow(1, 0, n)?;
        folded.times(&wave)?.mul(1. / m as f64)?.shaped([rows, n, 2].into())
    }

    /// The products of complex numbers.
    fn times(&self, other: &Self) -> Result<Self> {
        let part = |x: &Self, i: i64| x.select(-1, i).map(|part| part.lazy());
        let (a, b) = (&part(self, 0)?, &part(self, 1)?);
        let (c, d) = (&part(other, 0)?, &part(other, 1)?);
        let [re, im] = crate::Expr::eval_all([a * c - b * d, a * d + b * c])?;
        re.complex(&im)
    }

    /// Numbers beside this tensor, in its dtype.
    fn numbers(&self, numbers: Vec<f64>, shape: impl Into<Shape>) -> Result<Self> {
        Self::constant(self, numbers)?.shaped(shape.into())
    }
}

/// What to cut `n` by: its largest factor that is small, else its least; nothing where it is prime.
fn factor(n: usize) -> Option<usize> {
    let small = (2..=SMALL.min(n - 1)).rev().find(|p| n.is_multiple_of(*p));
    small.or_else(|| (SMALL + 1..).take_while(|p| p * p <= n).find(|p| n.is_multiple_of(*p)))
}
