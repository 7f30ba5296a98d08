//! Products of matrices that lie in memory in any way: what matrix products, convolutions and attention
//! have in common.
use crate::{parallel, value::Native};
use gemm::Parallelism;

/// A matrix seen in a slice: element `(i, j)` lies at `start + i · row + j · col`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a, T> {
    data: &'a [T],
    start: usize,
    pub(crate) size: [usize; 2],
    pub(crate) strides: [isize; 2],
}

impl<'a, T> Matrix<'a, T> {
    /// A view of `data`, in which every element has to lie.
    pub(crate) fn new(data: &'a [T], start: usize, size: [usize; 2], strides: [isize; 2]) -> Self {
        let reach = |side: fn(isize) -> isize| -> isize {
            let ends = size.iter().zip(strides).map(|(&n, s)| side(s * (n as isize - 1)));
            start as isize + ends.sum::<isize>()
        };
        let inside =
            size.contains(&0) || reach(|s| s.min(0)) >= 0 && (reach(|s| s.max(0)) as usize) < data.len();
        assert!(
            inside,
            "a matrix {size:?} by strides {strides:?} from {start} leaves {} elements",
            data.len()
        );
        Self { data, start, size, strides }
    }

    /// Row-major from the start of `data`.
    pub(crate) fn rows(data: &'a [T], size: [usize; 2]) -> Self {
        Self::new(data, 0, size, [size[1] as isize, 1])
    }

    /// Rows become columns.
    pub(crate) fn t(self) -> Self {
        let ([m, n], [row, col]) = (self.size, self.strides);
        Self { size: [n, m], strides: [col, row], ..self }
    }

    /// The rows from `first`, `len` of them.
    pub(crate) fn part(self, first: usize, len: usize) -> Self {
        debug_assert!(first + len <= self.size[0]);
        Self { start: self.at(first, 0), size: [len, self.size[1]], ..self }
    }

    fn pointer(&self) -> *const T {
        self.data.as_ptr().wrapping_add(self.start)
    }

    fn at(&self, i: usize, j: usize) -> usize {
        self.start.wrapping_add_signed(i as isize * self.strides[0] + j as isize * self.strides[1])
    }
}

/// What matrices can be multiplied of.
pub(crate) trait Product: Native {
    /// `c = a b`, or `c += a b` where `add` is set; `c` is row-major. Large products use all threads where
    /// `threads` is set.
    fn product(c: &mut [Self], a: Matrix<Self>, b: Matrix<Self>, add: bool, threads: bool);

    /// The sum; of integers, wrapping.
    fn plus(self, other: Self) -> Self;
}

/// Runs a body with a type alias bound to the type that a dtype is multiplied in; halves have none.
macro_rules! product {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            firesteel_core::DType::F64 => native!(@ f64, $t, $body),
            firesteel_core::DType::F32 => native!(@ f32, $t, $body),
            firesteel_core::DType::I64 => native!(@ i64, $t, $body),
            firesteel_core::DType::I32 => native!(@ i32, $t, $body),
            firesteel_core::DType::I8 => native!(@ i8, $t, $body),
            firesteel_core::DType::U32 => native!(@ u32, $t, $body),
            firesteel_core::DType::U8 | firesteel_core::DType::Bool => native!(@ u8, $t, $body),
            half => Err(firesteel_core::Error::internal("product", format!("{half} is to be widened"))),
        }
    };
}

/// Calls a kernel of two operands for the type that the result's dtype is multiplied in. Halves are widened,
/// summed in F32 and rounded once.
macro_rules! multiply {
    ($kernel:ident($a:expr, $b:expr, $out:expr $(, $more:expr)*)) => {
        if $out.dtype.is_half() {
            let wide = |x| $crate::elementwise::cast(x, firesteel_core::DType::F32);
            let out = firesteel_core::Meta::new(&$out.shape, firesteel_core::DType::F32);
            let y = $kernel::<f32>(&wide($a)?, &wide($b)?, &out $(, $more)*)?;
            $crate::elementwise::cast(&y, $out.dtype)
        } else {
            product!($out.dtype, T => $kernel::<T>($a, $b, $out $(, $more)*))
        }
    };
}

macro_rules! by_gemm {
    ($($t:ty)*) => {$(
        impl Product for $t {
            fn product(c: &mut [Self], a: Matrix<Self>, b: Matrix<Self>, add: bool, threads: bool) {
                let ([m, k], [inner, n]) = (a.size, b.size);
                assert!(k == inner && c.len() == m * n);
                if k == 0 || m == 0 || n == 0 {
                    return if !add { c.fill(Self::default()) };
                }
                let parallelism = if threads { Parallelism::Rayon(parallel::num_threads()) } else { Parallelism::None };
                let (one, zero) = (Self::from(1u8), Self::default());
                let alpha = if add { one } else { zero };
                // SAFETY: `Matrix::new` checked that all of `a` and `b` lies in their slices, and `c` has
                // room for m rows of n.
                let run = |c: &mut [Self]| unsafe {
                    gemm::gemm(
                        m, n, k, c.as_mut_ptr(), 1, n as isize, add,
                        a.pointer(), a.strides[1], a.strides[0],
                        b.pointer(), b.strides[1], b.strides[0],
                        alpha, one, false, false, false, parallelism,
                    );
                };
                if threads { parallel::install(|| run(c)) } else { run(c) }
            }

            fn plus(self, other: Self) -> Self {
                self + other
            }
        }
    )*};
}

by_gemm! { f32 f64 }

macro_rules! by_loops {
    ($($t:ty)*) => {$(
        impl Product for $t {
            fn product(c: &mut [Self], a: Matrix<Self>, b: Matrix<Self>, add: bool, threads: bool) {
                let ([m, k], [inner, n]) = (a.size, b.size);
                assert!(k == inner && c.len() == m * n);
                if !add {
                    c.fill(0);
                }
                if c.is_empty() {
                    return;
                }
                let grain = if threads { parallel::GRAIN / k.max(1) } else { usize::MAX };
                parallel::pieces(c, n, grain, |first, c| {
                    for (i, c) in c.chunks_exact_mut(n).enumerate() {
                        for p in 0..k {
                            let x = a.data[a.at(first + i, p)];
                            for (j, c) in c.iter_mut().enumerate() {
                                *c = c.wrapping_add(x.wrapping_mul(b.data[b.at(p, j)]));
                            }
                        }
                    }
                });
            }

            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
        }
    )*};
}

by_loops! { i64 i32 i8 u32 u8 }
