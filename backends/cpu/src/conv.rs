//! Convolutions and their adjoints, as products with the matrix of what the windows see.
use crate::{
    CpuValue,
    gemm::{Matrix, Product},
    parallel,
    value::Output,
    view,
    windows::Windows,
};
use firesteel_core::{Conv, Meta, Result};

/// The sizes that a convolution `(x [n, c, ..], w [o, c / groups, ..]) -> y [n, o, ..]` works on.
struct Sizes {
    images: usize,
    groups: usize,
    /// Channels of the result, in one group.
    filters: usize,
    /// Elements of a window, in one group.
    depth: usize,
    /// Elements of an image's channels of one group.
    image: usize,
    windows: Windows,
}

impl Sizes {
    fn new(conv: &Conv, x: &Meta, w: &Meta, y: &Meta) -> Self {
        let windows = Windows::new(conv, &x.shape[2..], &w.shape[2..], &y.shape[2..]);
        let channels = w.shape[1];
        Self {
            images: x.shape[0],
            groups: conv.groups,
            filters: w.shape[0] / conv.groups,
            depth: channels * windows.taps(),
            image: channels * windows.inputs(),
            windows,
        }
    }

    /// Whether there are too few images and groups for all threads.
    fn alone(&self) -> bool {
        self.images * self.groups < parallel::num_threads()
    }
}

/// The elements of a row-major value.
fn elements<T: Product>(x: &CpuValue) -> &[T] {
    x.rows().unwrap_or_default()
}

/// `y[n, o, p] = Σ w[o, c, q] x[n, c, s p + d q - padding]`.
pub(crate) fn conv(conv: &Conv, x: &CpuValue, w: &CpuValue, out: &Meta) -> Result<CpuValue> {
    let sizes = Sizes::new(conv, &x.meta, &w.meta, out);
    multiply!(forward(x, w, out, &sizes))
}

/// `x[n, c, s p + d q - padding] += w[o, c, q] g[n, o, p]`.
pub(crate) fn input_grad(conv: &Conv, g: &CpuValue, w: &CpuValue, out: &Meta) -> Result<CpuValue> {
    let sizes = Sizes::new(conv, out, &w.meta, &g.meta);
    multiply!(to_input(g, w, out, &sizes))
}

/// `w[o, c, q] = Σ g[n, o, p] x[n, c, s p + d q - padding]`.
pub(crate) fn weight_grad(conv: &Conv, g: &CpuValue, x: &CpuValue, out: &Meta) -> Result<CpuValue> {
    let sizes = Sizes::new(conv, &x.meta, out, &g.meta);
    multiply!(to_weight(g, x, out, &sizes))
}

fn forward<T: Product>(x: &CpuValue, w: &CpuValue, out: &Meta, sizes: &Sizes) -> Result<CpuValue> {
    let (x, w) = (view::contiguous(x)?, view::contiguous(w)?);
    let (x, w) = (elements::<T>(&x), elements::<T>(&w));
    let Sizes { groups, filters, depth, image, ref windows, .. } = *sizes;
    let columns = windows.outputs();
    let mut y = Output::<T>::new(out.numel())?;
    parallel::try_units(y.slice(), filters * columns, |at, y| {
        let x = &x[at * image..][..image];
        let w = Matrix::rows(&w[at % groups * filters * depth..], [filters, depth]);
        if windows.is_identity() {
            T::product(y, w, Matrix::rows(x, [depth, columns]), false, sizes.alone());
            return Ok(());
        }
        let mut seen = Output::<T>::new(depth * columns)?;
        windows.gather(x, 0..depth, 0..columns, seen.slice());
        T::product(y, w, Matrix::rows(seen.slice(), [depth, columns]), false, sizes.alone());
        Ok(())
    })?;
    Ok(y.finish(&out.shape, out.dtype))
}

fn to_input<T: Product>(g: &CpuValue, w: &CpuValue, out: &Meta, sizes: &Sizes) -> Result<CpuValue> {
    let (g, w) = (view::contiguous(g)?, view::contiguous(w)?);
    let (g, w) = (elements::<T>(&g), elements::<T>(&w));
    let Sizes { groups, filters, depth, image, ref windows, .. } = *sizes;
    let columns = windows.outputs();
    let mut x = Output::<T>::new(out.numel())?;
    parallel::try_units(x.slice(), image, |at, x| {
        let g = Matrix::rows(&g[at * filters * columns..], [filters, columns]);
        let w = Matrix::rows(&w[at % groups * filters * depth..], [filters, depth]);
        if windows.is_identity() {
            T::product(x, w.t(), g, false, sizes.alone());
            return Ok(());
        }
        let mut seen = Output::<T>::new(depth * columns)?;
        T::product(seen.slice(), w.t(), g, false, sizes.alone());
        x.fill(T::default());
        windows.scatter(seen.slice(), 0..depth, 0..columns, x, T::plus);
        Ok(())
    })?;
    Ok(x.finish(&out.shape, out.dtype))
}

fn to_weight<T: Product>(g: &CpuValue, x: &CpuValue, out: &Meta, sizes: &Sizes) -> Result<CpuValue> {
    let (g, x) = (view::contiguous(g)?, view::contiguous(x)?);
    let (g, x) = (elements::<T>(&g), elements::<T>(&x));
    let Sizes { images, groups, filters, depth, image, ref windows } = *sizes;
    let columns = windows.outputs();
    let mut w = Output::<T>::new(out.numel())?;
    w.slice().fill(T::default());
    parallel::try_units(w.slice(), filters * depth, |group, w| {
        let mut seen = Output::<T>::new(depth * columns)?;
        for at in (0..images).map(|n| n * groups + group) {
            windows.gather(&x[at * image..][..image], 0..depth, 0..columns, seen.slice());
            let g = Matrix::rows(&g[at * filters * columns..], [filters, columns]);
            T::product(w, g, Matrix::rows(seen.slice(), [depth, columns]).t(), true, groups == 1);
        }
        Ok(())
    })?;
    Ok(w.finish(&out.shape, out.dtype))
}
