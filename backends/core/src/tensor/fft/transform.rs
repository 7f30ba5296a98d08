//! One discrete Fourier transform of complex numbers, made of products of matrices: it has a gradient of any order, and
//! runs on every device.
//!
//! A size that is small is a product with the matrix of waves. One that has factors `p q` is cut into transforms of size `p`
//! and `q` ([Cooley and Tukey](https://doi.org/10.1090/S0025-5718-1965-0178586-1)), and a large prime becomes a convolution
//! ([Bluestein](https://doi.org/10.1109/TAU.1970.1162132)), which goes by transforms of a power of two.
use crate::{Backend, Data, Error, Op, PadAxis, Padding, Result, Scalar, Shape, Tensor, TensorData};
use std::f64::consts::PI;

/// The sign of the exponent, and what is divided by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Way {
    /// `e^(-2πi jk/n)`.
    Forward,
    /// `e^(2πi jk/n)`.
    Inverse,
}

/// The largest size that is one product where it has factors, and where it is prime.
const SMALL: usize = 64;
const SMALL_PRIME: usize = 256;

/// `e^(±2πi k/n)` for each `k`: the real and imaginary parts.
struct Circle(Vec<[f64; 2]>);

impl Circle {
    fn new(n: usize, way: Way) -> Self {
        let sign = if way == Way::Forward { -2. } else { 2. };
        Self((0..n).map(|k| (sign * PI * k as f64 / n as f64).sin_cos()).map(|(s, c)| [c, s]).collect())
    }

    /// The point `k` steps around it.
    fn at(&self, k: usize) -> [f64; 2] {
        self.0[k % self.0.len()]
    }
}

impl<B: Backend> Tensor<B> {
    /// The transform of `n` complex numbers along an axis, times `scale`.
    #[track_caller]
    pub(super) fn spectrum(
        &self,
        op: &'static str,
        axis: usize,
        n: usize,
        way: Way,
        scale: f64,
    ) -> Result<Self> {
        if n == 0 {
            return Err(Error::shape(
                op,
                format!("there is nothing to transform along dim {axis} of {}", self.shape()),
            ));
        }
        self.claim(n.saturating_mul(2))?;
        let last = self.resized(axis, n)?.movedim(axis as isize, -2)?;
        let shape = last.shape().clone();
        let rows = shape.numel() / (2 * n);
        let y = last.reshape([rows, n, 2])?.dft(way)?;
        let y = if scale == 1. { y } else { y.mul(scale)? };
        y.shaped(shape)?.movedim(-2, axis as isize)
    }

    /// `n` elements along an axis: cut, or zeros after them.
    #[track_caller]
    pub(super) fn resized(&self, axis: usize, n: usize) -> Result<Self> {
        let have = self.shape()[axis];
        if have >= n {
            return self.narrow(axis as isize, 0, n);
        }
        let mut padding: Padding = smallvec::smallvec![PadAxis::default(); self.rank()];
        padding[axis].high = n - have;
        Self::one(Op::Pad(self, padding, Scalar::Int(0)))
    }

    /// The transform of each row of `(rows, n, 2)`.
    fn dft(&self, way: Way) -> Result<Self> {
        let n = self.shape()[1];
        match factor(n) {
            _ if n <= SMALL => self.waves(way),
            Some(p) => self.cut(way, p),
            None if n <= SMALL_PRIME => self.waves(way),
            None => self.chirp(way),
        }
    }

    /// By the matrix of waves `(j, re or im) x (k, re or im)`.
    fn waves(&self, way: Way) -> Result<Self> {
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
    fn cut(&self, way: Way, p: usize) -> Result<Self> {
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
    fn chirp(&self, way: Way) -> Result<Self> {
        let (rows, n) = (self.shape()[0], self.shape()[1]);
        let m = (2 * n - 1).next_power_of_two();
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
        let back = self.numbers(back.concat(), [1, m, 2])?.dft(Way::Forward)?;
        let spread = self.times(&wave)?.resized(1, m)?.dft(Way::Forward)?;
        let folded = spread.times(&back)?.dft(Way::Inverse)?.narrow(1, 0, n)?;
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
        let data = TensorData::new(shape, Data::F64(numbers))?.cast(self.dtype());
        Self::from_data(data, self.backend())
    }
}

/// What to cut `n` by: its largest factor that is small, else its least; nothing where it is prime.
fn factor(n: usize) -> Option<usize> {
    let small = (2..=SMALL.min(n - 1)).rev().find(|p| n.is_multiple_of(*p));
    small.or_else(|| (SMALL + 1..).take_while(|p| p * p <= n).find(|p| n.is_multiple_of(*p)))
}
