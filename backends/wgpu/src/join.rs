//! Tensors put together.
use crate::{
    WgpuValue, create,
    device::Gpu,
    kernel::{Kernel, WORKGROUP, is_wide},
};
use firesteel_core::{Layout, Meta, PadAxis, Result, Scalar, Span, Spans};
use smallvec::SmallVec;
use std::fmt::Write as _;

/// One after another along the axis: each tensor goes to its part of the result.
pub(crate) fn concat(gpu: &'static Gpu, xs: &[&WgpuValue], axis: usize, out: &Meta) -> Result<WgpuValue> {
    let y = create::output(gpu, out)?;
    let mut start = 0;
    for x in xs {
        let len = x.meta.shape[axis];
        let mut spans: Spans = out.shape.iter().map(|&size| Span::all(size)).collect();
        spans[axis] = Span { start, step: 1, len };
        copy(gpu, x, &y, &y.layout.slice(&spans))?;
        start += len;
    }
    Ok(y)
}

/// Copies `x` to places of `y`, no two of which are equal.
pub(crate) fn copy(gpu: &'static Gpu, x: &WgpuValue, y: &WgpuValue, to: &Layout) -> Result<()> {
    let n = x.meta.numel();
    let wide = n.is_multiple_of(4) && is_wide(to);
    let count = if wide { n / 4 } else { n };
    let mut kernel = Kernel::new(gpu, "concat");
    kernel.read("x", x).places("to", to).param("count", count).depends([wide.into()]);
    if wide {
        kernel.write4("y", y);
    } else {
        kernel.write1("y", y);
    }
    kernel.run(count.div_ceil(WORKGROUP), || {
        let put = if wide { "y_set4(to(4u * i) / 4u, x4(i));" } else { "y_set(to(i), x(i));" };
        let body = include_str!("../shaders/concat.wgsl");
        format!("{body}fn put(i: u32) {{ {put} }}\n")
    })
}

/// More elements, each of them this number.
pub(crate) fn pad(
    gpu: &'static Gpu,
    x: &WgpuValue,
    padding: &[PadAxis],
    value: Scalar,
    out: &Meta,
) -> Result<WgpuValue> {
    let spread = |(pad, &len): (&PadAxis, &usize)| {
        // between no two elements the distance may be of any size
        let step = if len > 1 { pad.interior as isize + 1 } else { 1 };
        Span { start: pad.low, step, len }
    };
    let spans: Spans = padding.iter().zip(&x.meta.shape).map(spread).collect();
    write(gpu, &WgpuValue::same(out.clone(), value), x, &spans)
}

/// `into` with `x` in place of the elements that a slice of it would see.
pub(crate) fn write(gpu: &'static Gpu, into: &WgpuValue, x: &WgpuValue, spans: &[Span]) -> Result<WgpuValue> {
    if x.meta.numel() == 0 {
        return Ok(into.clone());
    }
    if x.meta.shape == into.meta.shape && spans.iter().all(|span| span.step == 1) {
        return Ok(x.clone());
    }
    let (x, spans) = once(create::placed(gpu, x)?, spans);
    let y = create::output(gpu, &into.meta)?;
    let parts = parts(&into.meta, &x.layout, &spans);
    if parts.len() > AXES.len() {
        // more axes than one kernel has names for
        copy(gpu, into, &y, &y.layout)?;
        copy(gpu, &x, &y, &y.layout.slice(&spans))?;
        return Ok(y);
    }
    let offset = parts.iter().fold(x.layout.offset, |at, part| at.wrapping_add_signed(part.shift));
    let wide = parts.split_last().is_some_and(|(last, outer)| {
        last.is_row() && outer.iter().all(|part| part.stride % 4 == 0) && offset.is_multiple_of(4)
    });
    let mut kernel = Kernel::new(gpu, "join");
    kernel.read("into", into).read_at("x", &x, wide).param("offset", offset);
    for (part, [size, stride, low, extent, step]) in parts.iter().zip(AXES) {
        kernel.param(size, part.size).param(stride, part.stride as usize);
        kernel.param(low, part.low).param(extent, part.extent).param(step, part.step);
        kernel.depends([part.is_whole().into()]);
    }
    kernel.depends([parts.len() as u32]).each(&y, wide, || {
        let body = include_str!("../shaders/join.wgsl");
        format!("{body}{}", found(&parts))
    })?;
    Ok(y)
}

/// What goes to one place again and again is there the last time.
fn once(x: WgpuValue, spans: &[Span]) -> (WgpuValue, Spans) {
    let still = |span: &Span| span.step == 0 && span.len > 1;
    let last = spans.iter().map(|span| match still(span) {
        true => Span { start: span.len - 1, step: 1, len: 1 },
        false => Span::all(span.len),
    });
    let x = x.view(x.layout.slice(&last.collect::<Spans>()));
    let spans = spans.iter().map(|span| match span.len {
        0 | 1 => Span { step: 1, ..*span },
        _ if span.step == 0 => Span { step: 1, len: 1, ..*span },
        _ => *span,
    });
    (x, spans.collect())
}

/// An axis of what is written into, and which of its places are written.
#[derive(Clone, Copy)]
struct Part {
    size: usize,
    /// The distance in `x` between what goes to neighbours.
    stride: isize,
    /// The first place that is written,
    low: usize,
    /// how far the places after it lie,
    extent: usize,
    /// and how far apart they are.
    step: usize,
    /// How far from where `x` starts the first element lies that is written.
    shift: isize,
}

impl Part {
    fn new(size: usize, span: Span, stride: isize) -> Self {
        let last = span.len as isize - 1;
        let (low, stride, shift) = if span.step < 0 {
            (span.start.wrapping_add_signed(last * span.step), -stride, last * stride)
        } else {
            (span.start, stride, 0)
        };
        let step = span.step.unsigned_abs();
        Part { size, stride, low, extent: last as usize * step + 1, step, shift }
    }

    /// Whether all its places are written.
    fn is_whole(&self) -> bool {
        self.extent == self.size && self.step == 1
    }

    /// Whether whole groups of four are written, which lie side by side.
    fn is_row(&self) -> bool {
        let sizes = [self.size, self.low, self.extent];
        self.stride == 1 && self.step == 1 && sizes.iter().all(|n| n.is_multiple_of(4))
    }
}

/// The axes of `into`, with those that are written whole and lie as one joined.
fn parts(into: &Meta, x: &Layout, spans: &[Span]) -> SmallVec<[Part; 8]> {
    let mut parts: SmallVec<[Part; 8]> = SmallVec::new();
    for ((&size, &span), &stride) in into.shape.iter().zip(spans).zip(&x.strides) {
        let part = Part::new(size, span, stride);
        match parts.last_mut() {
            _ if size == 1 => (),
            // a part of an axis takes the whole ones behind it along
            Some(outer) if part.is_whole() && outer.step == 1 && outer.stride == stride * size as isize => {
                *outer = Part {
                    size: outer.size * size,
                    stride,
                    low: outer.low * size,
                    extent: outer.extent * size,
                    ..*outer
                };
            }
            _ => parts.push(part),
        }
    }
    parts
}

/// The names of the parameters of each axis.
const AXES: [[&str; 5]; 8] = [
    ["size0", "stride0", "low0", "extent0", "step0"],
    ["size1", "stride1", "low1", "extent1", "step1"],
    ["size2", "stride2", "low2", "extent2", "step2"],
    ["size3", "stride3", "low3", "extent3", "step3"],
    ["size4", "stride4", "low4", "extent4", "step4"],
    ["size5", "stride5", "low5", "extent5", "step5"],
    ["size6", "stride6", "low6", "extent6", "step6"],
    ["size7", "stride7", "low7", "extent7", "step7"],
];

/// The function that says where in `x` an element lies.
fn found(parts: &[Part]) -> String {
    let mut text =
        "fn found(i: u32) -> Found {\n    var rest = i;\n    var k = p.offset;\n    var inside = true;\n"
            .to_owned();
    for (part, [size, stride, low, extent, step]) in parts.iter().zip(AXES).rev() {
        let _ = writeln!(
            text,
            "    {{\n    let q = rest / p.{size};\n    var c = rest - q * p.{size};\n    rest = q;"
        );
        if !part.is_whole() {
            let _ = writeln!(
                text,
                "    c -= p.{low};\n    inside = inside && c < p.{extent} && c % p.{step} == 0u;\n    c /= p.{step};"
            );
        }
        let _ = writeln!(text, "    k += c * p.{stride};\n    }}");
    }
    text + "    return Found(k, inside);\n}\n"
}

/// The adjoint of windows: what overlaps is added up.
pub(crate) fn fold(
    gpu: &'static Gpu,
    x: &WgpuValue,
    axis: usize,
    step: usize,
    out: &Meta,
) -> Result<WgpuValue> {
    if x.meta.numel() == 0 {
        return Ok(WgpuValue::same(out.clone(), Scalar::Int(0)));
    }
    let x = create::placed(gpu, x)?;
    let y = create::output(gpu, out)?;
    let last = x.meta.shape.rank() - 1;
    let mut start = Layout { shape: out.shape.clone(), ..x.layout.clone() };
    start.strides.truncate(last);
    start.strides[axis] = 0;
    let mut kernel = Kernel::new(gpu, "fold");
    kernel.read_at("x", &x, false).places("start", &start);
    kernel.param("inner", out.shape[axis + 1..].iter().product()).param("len", out.shape[axis]);
    kernel.param("size", x.meta.shape[last]).param("windows", x.meta.shape[axis]).param("step", step);
    kernel.param("far", x.layout.strides[axis] as usize).param("near", x.layout.strides[last] as usize);
    kernel.each(&y, false, || include_str!("../shaders/fold.wgsl").to_owned())?;
    Ok(y)
}
