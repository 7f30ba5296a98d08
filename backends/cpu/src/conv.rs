//! Convolutions and their adjoints: in Winograd's way, on long lines, or as products with the matrix of what the windows
//! see, of which only blocks that stay in cache are ever written out.
use crate::{
    CpuValue,
    direct::{self, Axis, Moves},
    gemm::{Matrix, MatrixMut, Product, blocks},
    parallel,
    taps::Filters,
    value::Output,
    view,
    wide::widened,
    windows::Windows,
    winograd,
};
use firesteel_core::{Conv, DType, Meta, Result};

/// How many elements a block of the matrix of what the windows see has, about.
const BLOCK: usize = 128 * 1024;
/// Windows in a block, at least: narrower products are slow.
const NARROWEST: usize = 64;
/// In how many parts a convolution is cut at least, so that all threads have work. It is not their number, since how
/// sums are added up goes by the size of a part.
const PARTS: usize = 16;
/// Up to how many filters of one channel are applied directly, since as products they are too small.
const FEW: usize = 4;

/// The sizes that a convolution `(x [n, c, ..], w [o, c / groups, ..]) -> y [n, o, ..]` works on.
struct Sizes {
    images: usize,
    groups: usize,
    /// Channels of `x`, in one group.
    channels: usize,
    /// Channels of `y`, in one group.
    filters: usize,
    windows: Windows,
}

impl Sizes {
    fn new(conv: &Conv, x: &Meta, w: &Meta, y: &Meta) -> Self {
        Self {
            images: x.shape[0],
            groups: conv.groups,
            channels: w.shape[1],
            filters: w.shape[0] / conv.groups,
            windows: Windows::new(conv, &x.shape[2..], &w.shape[2..], &y.shape[2..]),
        }
    }

    /// Elements of a window, in one group.
    fn depth(&self) -> usize {
        self.channels * self.windows.taps()
    }

    /// Elements of an image of `x`, in one group.
    fn image(&self) -> usize {
        self.channels * self.windows.inputs()
    }

    /// Whether the products of a group would be too small to be worth it.
    fn is_direct(&self) -> bool {
        self.channels == 1 && self.filters <= FEW && self.windows.taps() > 1
    }

    /// The sizes for Winograd's way, of results in F32.
    fn winograd(&self, out: &Meta) -> Option<winograd::Sizes> {
        let (input, output, padding) = self.windows.by_three()?;
        let Sizes { images, groups, channels, filters, .. } = *self;
        let by = winograd::Sizes { images, groups, channels, filters, input, output, padding };
        (out.dtype == DType::F32).then_some(by)
    }

    /// The sizes on long lines, of results in F32.
    fn lines(&self, out: &Meta) -> Option<(direct::Sizes, [Moves; 2])> {
        let moves = self.windows.moves()?;
        let Sizes { images, groups, channels, filters, .. } = *self;
        let [output, kernel] = [moves.map(|moves| moves.output), moves.map(|moves| moves.kernel)];
        let by = direct::Sizes { images, groups, channels, filters, output, kernel };
        (out.dtype == DType::F32 && !self.windows.is_identity()).then_some((by, moves))
    }

    /// How wide a block of so many rows is.
    fn block(&self, rows: usize) -> usize {
        (BLOCK / rows.max(1)).next_multiple_of(NARROWEST).min(self.windows.outputs()).max(1)
    }

    /// In how many parts each of so many images and groups is cut.
    fn parts(&self, units: usize) -> usize {
        PARTS.div_ceil(units.max(1))
    }
}

/// `y[n, o, p] = Σ w[o, c, q] x[n, c, s p + d q - padding]`.
pub(crate) fn conv(conv: &Conv, x: &CpuValue, w: &CpuValue, out: &Meta) -> Result<CpuValue> {
    let sizes = Sizes::new(conv, &x.meta, &w.meta, out);
    widened(&[x, w], out, |xs, out| {
        if let Some(by) = sizes.winograd(out).filter(winograd::Sizes::pays_forward) {
            let w = view::contiguous(xs[1])?;
            let filters =
                Filters { w: elements(&w), by_filter: 9 * by.channels, by_channel: 9, turned: false };
            let y =
                written(out, |y| winograd::forward(elements(&view::contiguous(xs[0])?), filters, y, &by))?;
            if let Some(y) = y {
                return Ok(y);
            }
        }
        if let Some((by, moves)) = sizes.lines(out) {
            let (x, w) = (view::contiguous(xs[0])?, view::contiguous(xs[1])?);
            let taps = sizes.windows.taps();
            let filters =
                Filters { w: elements(&w), by_filter: taps * by.channels, by_channel: taps, turned: false };
            let axes = [moves.map(|moves| Axis::forward(&moves))];
            if let Some(y) = written(out, |y| direct::convolve(elements(&x), filters, y, &by, &axes))? {
                return Ok(y);
            }
        }
        wide!(out.dtype, T => forward::<T>(xs[0], xs[1], out, &sizes))
    })
}

/// `x[n, c, s p + d q - padding] += w[o, c, q] g[n, o, p]`.
pub(crate) fn input_grad(conv: &Conv, g: &CpuValue, w: &CpuValue, out: &Meta) -> Result<CpuValue> {
    let sizes = Sizes::new(conv, out, &w.meta, &g.meta);
    widened(&[g, w], out, |xs, out| {
        let turned = sizes.winograd(out).and_then(|by| by.turned());
        if let Some(by) = turned.filter(winograd::Sizes::pays_forward) {
            let w = view::contiguous(xs[1])?;
            let filters = Filters { w: elements(&w), by_filter: 9, by_channel: 9 * by.filters, turned: true };
            let x =
                written(out, |x| winograd::forward(elements(&view::contiguous(xs[0])?), filters, x, &by))?;
            if let Some(x) = x {
                return Ok(x);
            }
        }
        if let Some((by, moves)) = sizes.lines(out) {
            let (g, w) = (view::contiguous(xs[0])?, view::contiguous(xs[1])?);
            let taps = sizes.windows.taps();
            let filters =
                Filters { w: elements(&w), by_filter: taps, by_channel: taps * by.channels, turned: false };
            let by = direct::Sizes {
                channels: by.filters,
                filters: by.channels,
                output: moves.map(|moves| moves.input),
                ..by
            };
            let [rows, columns] = moves.map(|moves| Axis::backward(&moves).collect::<Vec<_>>());
            let axes: Vec<_> =
                rows.iter().flat_map(|a| columns.iter().map(|b| [a.clone(), b.clone()])).collect();
            if let Some(x) = written(out, |x| direct::convolve(elements(&g), filters, x, &by, &axes))? {
                return Ok(x);
            }
        }
        wide!(out.dtype, T => to_input::<T>(xs[0], xs[1], out, &sizes))
    })
}

/// `w[o, c, q] = Σ g[n, o, p] x[n, c, s p + d q - padding]`.
pub(crate) fn weight_grad(conv: &Conv, g: &CpuValue, x: &CpuValue, out: &Meta) -> Result<CpuValue> {
    let sizes = Sizes::new(conv, &x.meta, out, &g.meta);
    widened(&[g, x], out, |xs, out| {
        if let Some(by) = sizes.winograd(out).filter(winograd::Sizes::pays) {
            let (g, x) = (view::contiguous(xs[0])?, view::contiguous(xs[1])?);
            let w = written(out, |w| winograd::weight_gradient(elements(&g), elements(&x), w, &by))?;
            if let Some(w) = w {
                return Ok(w);
            }
        }
        if let Some((by, moves)) = sizes.lines(out) {
            let (g, x) = (view::contiguous(xs[0])?, view::contiguous(xs[1])?);
            let axes = moves.map(|moves| Axis::forward(&moves));
            let w = written(out, |w| direct::weight_gradient(elements(&g), elements(&x), w, &by, &axes))?;
            if let Some(w) = w {
                return Ok(w);
            }
        }
        wide!(out.dtype, T => to_weight::<T>(xs[0], xs[1], out, &sizes))
    })
}

/// A result in F32, where it is written whole.
fn written(out: &Meta, write: impl FnOnce(&mut [f32]) -> Result<bool>) -> Result<Option<CpuValue>> {
    let mut y = Output::<f32>::new(out.numel())?;
    Ok(write(y.slice())?.then(|| y.finish(&out.shape, out.dtype)))
}

/// The elements of a row-major value.
fn elements<T: Product>(x: &CpuValue) -> &[T] {
    x.rows().unwrap_or_default()
}

fn forward<T: Product>(x: &CpuValue, w: &CpuValue, out: &Meta, sizes: &Sizes) -> Result<CpuValue> {
    let (x, w) = (view::contiguous(x)?, view::contiguous(w)?);
    let (x, w) = (elements::<T>(&x), elements::<T>(&w));
    let Sizes { groups, filters, ref windows, .. } = *sizes;
    let (depth, image, columns) = (sizes.depth(), sizes.image(), windows.outputs());
    let mut y = Output::<T>::new(out.numel())?;
    if sizes.is_direct() {
        parallel::rows(y.slice(), columns, [] as [&mut [()]; 0], parallel::GRAIN / 8, &|first, y, _| {
            for (i, y) in y.chunks_exact_mut(columns.max(1)).enumerate() {
                let (plane, filter) = ((first + i) / filters, (first + i) % (filters * groups));
                windows.filter(&x[plane * image..][..image], &w[filter * depth..][..depth], y)?;
            }
            Ok(())
        })?;
        return Ok(y.finish(&out.shape, out.dtype));
    }

    // each job is a block of the columns of one image and group
    let units = sizes.images * groups;
    let width = match windows.is_identity() {
        true => columns.div_ceil(sizes.parts(units)).max(NARROWEST),
        false => sizes.block(depth).min(columns.div_ceil(sizes.parts(units)).max(NARROWEST)),
    };
    let planes = y.slice().chunks_mut((filters * columns).max(1)).enumerate();
    let jobs = planes.flat_map(|(at, y)| {
        let blocks = MatrixMut::rows(y, [filters, columns]).split_columns(width);
        blocks.map(move |(from, y)| (at, from, y))
    });
    parallel::try_jobs(jobs.collect(), |(at, from, mut y): (usize, usize, MatrixMut<T>)| {
        let block = from..from + y.size[1];
        let x = &x[at * image..][..image];
        let w = Matrix::rows(&w[at % groups * filters * depth..], [filters, depth]);
        if windows.is_identity() {
            let seen = Matrix::rows(x, [depth, columns]).columns(block);
            T::product(&mut y, w, seen, false, false);
            return Ok(());
        }
        let mut seen = Output::<T>::new(depth * block.len())?;
        windows.gather(x, 0..depth, block.clone(), seen.slice());
        T::product(&mut y, w, Matrix::rows(seen.slice(), [depth, block.len()]), false, false);
        Ok(())
    })?;
    Ok(y.finish(&out.shape, out.dtype))
}

fn to_input<T: Product>(g: &CpuValue, w: &CpuValue, out: &Meta, sizes: &Sizes) -> Result<CpuValue> {
    let (g, w) = (view::contiguous(g)?, view::contiguous(w)?);
    let (g, w) = (elements::<T>(&g), elements::<T>(&w));
    let Sizes { images, groups, channels, filters, ref windows } = *sizes;
    let (depth, taps, inputs, columns) = (sizes.depth(), windows.taps(), windows.inputs(), windows.outputs());
    let mut x = Output::<T>::new(out.numel())?;
    // each job is some channels of one image and group
    let some = channels.div_ceil(sizes.parts(images * groups)).max(1);
    let planes = x.slice().chunks_mut((channels * inputs).max(1)).enumerate();
    let jobs = planes.flat_map(|(at, x)| {
        let parts = x.chunks_mut((some * inputs).max(1)).enumerate();
        parts.map(move |(part, x)| (at, part * some, x))
    });
    parallel::try_jobs(jobs.collect(), |(at, channel, x): (usize, usize, &mut [T])| {
        let rows = x.len() / inputs.max(1) * taps;
        let g = Matrix::rows(&g[at * filters * columns..], [filters, columns]);
        let w = &w[at % groups * filters * depth..];
        if sizes.is_direct() {
            x.fill(T::default());
            for filter in 0..filters {
                windows.spread(g.row(filter), &w[filter * depth..][..depth], x)?;
            }
            return Ok(());
        }
        let w = Matrix::rows(w, [filters, depth]).columns(channel * taps..channel * taps + rows);
        if windows.is_identity() {
            T::product(&mut MatrixMut::rows(x, [rows, columns]), w.t(), g, false, false);
            return Ok(());
        }
        x.fill(T::default());
        let width = sizes.block(rows);
        let mut seen = Output::<T>::new(rows * width)?;
        for block in blocks(columns, width) {
            let seen = &mut seen.slice()[..rows * block.len()];
            let product = &mut MatrixMut::rows(seen, [rows, block.len()]);
            T::product(product, w.t(), g.columns(block.clone()), false, false);
            windows.scatter(seen, 0..rows, block, x);
        }
        Ok(())
    })?;
    Ok(x.finish(&out.shape, out.dtype))
}

fn to_weight<T: Product>(g: &CpuValue, x: &CpuValue, out: &Meta, sizes: &Sizes) -> Result<CpuValue> {
    let (g, x) = (view::contiguous(g)?, view::contiguous(x)?);
    let (g, x) = (elements::<T>(&g), elements::<T>(&x));
    let Sizes { images, groups, channels, filters, ref windows } = *sizes;
    let (depth, image, taps, columns) = (sizes.depth(), sizes.image(), windows.taps(), windows.outputs());
    let mut w = Output::<T>::new(out.numel())?;
    if sizes.is_direct() && windows.is_dense() {
        let grain = parallel::GRAIN / (8 * images * columns).max(1);
        parallel::rows(w.slice(), filters * taps, [] as [&mut [()]; 0], grain.max(1), &|first, w, _| {
            w.fill(T::default());
            for (i, w) in w.chunks_exact_mut(taps).enumerate() {
                for n in 0..images {
                    let filter = n * groups * filters + first * filters + i;
                    let (g, x) = (&g[filter * columns..], &x[filter / filters * image..]);
                    windows.correlate(&g[..columns], &x[..image], w)?;
                }
            }
            Ok(())
        })?;
        // what is not finite meets zeros there that no window sees
        if w.slice().iter().all(|w| w.times(T::default()) == T::default()) {
            return Ok(w.finish(&out.shape, out.dtype));
        }
    }
    // each job is some filters and some channels of one group, over all images
    let some_channels = channels.div_ceil(sizes.parts(groups)).max(1);
    let some_filters = filters.div_ceil(sizes.parts(groups * channels)).max(1);
    let groups_of_w = w.slice().chunks_mut((filters * depth).max(1)).enumerate();
    let jobs = groups_of_w.flat_map(|(group, w)| {
        let rows = w.chunks_mut((some_filters * depth).max(1)).enumerate();
        rows.flat_map(move |(part, w)| {
            let rows = w.len() / depth;
            let blocks = MatrixMut::rows(w, [rows, depth]).split_columns(some_channels * taps);
            blocks.map(move |(from, w)| (group, part * some_filters, from, w))
        })
    });
    parallel::try_jobs(
        jobs.collect(),
        |(group, filter, row, mut w): (usize, usize, usize, MatrixMut<T>)| {
            let [filters_here, rows] = w.size;
            w.fill(T::default());
            let width = sizes.block(rows);
            let mut seen = Output::<T>::new(rows * width)?;
            for at in (0..images).map(|n| n * groups + group) {
                let x = &x[at * image..][..image];
                let g =
                    Matrix::rows(&g[at * filters * columns..], [filters, columns]).part(filter, filters_here);
                if windows.is_identity() {
                    T::product(&mut w, g, Matrix::rows(x, [depth, columns]).part(row, rows).t(), true, false);
                    continue;
                }
                for block in blocks(columns, width) {
                    let seen = &mut seen.slice()[..rows * block.len()];
                    windows.gather(x, row..row + rows, block.clone(), seen);
                    let seen = Matrix::rows(seen, [rows, block.len()]);
                    T::product(&mut w, g.columns(block), seen.t(), true, false);
                }
            }
            Ok(())
        },
    )?;
    Ok(w.finish(&out.shape, out.dtype))
}
