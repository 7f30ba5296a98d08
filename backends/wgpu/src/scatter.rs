//! Writing where an index says. What falls on one place is joined there in the order of the index, as on the processor, so
//! that sums do not depend on which invocation comes first: each element of the result looks for what is its own, in an
//! index that is put in order before, where it is long.
use crate::{
    WgpuValue, create,
    device::Gpu,
    index::{checked, place},
    join,
    kernel::Kernel,
    sort, team,
};
use firesteel_core::{Binary, DType, Error, Meta, Result, Scatter, Span, Spans, formula};

/// Longer lines of an index are put in order.
const FEW: usize = 16;

/// `into` with `y[index[i][j]][j] ∘= x[i][j]` for axis 0, and so on.
pub(crate) fn scatter(
    gpu: &'static Gpu,
    kind: Scatter,
    into: &WgpuValue,
    index: &WgpuValue,
    x: &WgpuValue,
    axis: usize,
) -> Result<WgpuValue> {
    let along = |a: usize, len: usize| if a == axis { into.meta.shape[a] } else { len };
    let spans: Spans =
        index.meta.shape.iter().enumerate().map(|(a, &len)| Span::all(along(a, len))).collect();
    let part = into.view(into.layout.slice(&spans));
    let put = Put { gpu, op: "scatter", kind, into: &part, index, x, axis };
    join::write(gpu, into, &put.run(false)?, &spans)
}

/// `into` with the slices of `x` joined at the places of `index [n]` along the axis.
pub(crate) fn index_put(
    gpu: &'static Gpu,
    kind: Scatter,
    into: &WgpuValue,
    index: &WgpuValue,
    x: &WgpuValue,
    axis: usize,
) -> Result<WgpuValue> {
    Put { gpu, op: "index_put", kind, into, index, x, axis }.run(true)
}

/// What is written, where, and how: `x` has the shape of `into` but along the axis.
struct Put<'a> {
    gpu: &'static Gpu,
    op: &'static str,
    kind: Scatter,
    into: &'a WgpuValue,
    index: &'a WgpuValue,
    x: &'a WgpuValue,
    axis: usize,
}

impl Put<'_> {
    /// Of an index with one line for all, or one for each line of `x` along the axis.
    fn run(&self, one_line: bool) -> Result<WgpuValue> {
        let Put { gpu, op, kind, into, index, x, axis } = *self;
        let (length, count) = (into.meta.shape[axis], x.meta.shape[axis]);
        if index.meta.numel() == 0 {
            return Ok(into.clone());
        }
        if length == 0 {
            return Err(Error::index(op, format!("dim {axis} has size 0, and so no places to write to")));
        }
        if into.meta.numel() == 0 {
            return Ok(into.clone());
        }
        let lines = if count > FEW { Some(self.sorted(one_line)?) } else { None };
        let y = create::output(gpu, &into.meta)?;
        let inner = into.meta.shape[axis + 1..].iter().product::<usize>();
        let wide = one_line && inner.is_multiple_of(4);
        let mut kernel = Kernel::new(gpu, "scatter");
        kernel.read("into", into).read("x", x).constant("ONE_LINE", one_line.into());
        kernel.param("inner", inner).param("length", length).param("count", count);
        kernel.depends([kind as u32, lines.is_some().into()]);
        match &lines {
            Some([places, order]) => {
                kernel.read("places", places).read("order", order);
            }
            None => {
                kernel.read("index", index);
                checked(&mut kernel, op, index.meta.dtype, length, axis);
            }
        }
        kernel.each(&y, wide, || {
            let at = if one_line { "j" } else { "first + j * p.inner" };
            let each = match lines {
                Some(_) => MANY.to_owned(),
                None => FEW_LINES.replace("AT", at),
            };
            let each = each.replace("JOIN", "acc = join(acc, written(first + j * p.inner));");
            let body = include_str!("../shaders/scatter.wgsl").replace(EACH, &each);
            let place = if lines.is_some() { String::new() } else { place(index.meta.dtype) };
            let (there, written) =
                if wide { ("into4(i / 4u)", "x4(i / 4u)") } else { ("vec4<T>(into(i))", "vec4<T>(x(i))") };
            team::typed(
                &format!(
                    "{body}{place}fn there(i: u32) -> vec4<T> {{ return {there}; }}\n\
                     fn written(i: u32) -> vec4<T> {{ return {written}; }}\n\
                     fn join(a: vec4<T>, b: vec4<T>) -> vec4<T> {{ return {}; }}\n",
                    joined(kind, into.meta.dtype)
                ),
                into.meta.dtype,
            )
        })?;
        Ok(y)
    }

    /// The places of each line of the index in order, and where in the line they stood.
    fn sorted(&self, one_line: bool) -> Result<[WgpuValue; 2]> {
        let Put { gpu, op, into, index, axis, .. } = *self;
        let axis_of_index = if one_line { 0 } else { axis };
        let places = create::output(gpu, &Meta::new(&index.meta.shape, DType::U32))?;
        let mut kernel = Kernel::new(gpu, "places");
        kernel.read("index", index);
        checked(&mut kernel, op, index.meta.dtype, into.meta.shape[axis], axis);
        kernel.each(&places, false, || {
            place(index.meta.dtype) + "fn element(i: u32) -> u32 { return place(index(i)); }\n"
        })?;
        sort::ordered(gpu, &places, axis_of_index, false, DType::U32)
    }
}

/// The line of the shader that stands for either of these.
const EACH: &str = "    // for each `j` whose place this is\n";

/// Looks through a whole line of the index.
const FEW_LINES: &str = "
    for (var j = 0u; j < p.count; j++) {
        if place(index(AT)) == at {
            JOIN
        }
    }
";

/// Looks where in the ordered places of a line this one begins.
const MANY: &str = "
    var low = 0u;
    var high = p.count;
    while low < high {
        let half = (low + high) / 2u;
        if places(line * p.count + half) < at {
            low = half + 1u;
        } else {
            high = half;
        }
    }
    for (; low < p.count && places(line * p.count + low) == at; low++) {
        let j = order(line * p.count + low);
        JOIN
    }
";

/// What is there, and what is written, as one.
fn joined(kind: Scatter, dtype: DType) -> &'static str {
    let binary = match kind {
        Scatter::Set => return "b",
        Scatter::Add => Binary::Add,
        Scatter::Mul => Binary::Mul,
        Scatter::Max => Binary::Maximum,
        Scatter::Min => Binary::Minimum,
    };
    formula::binary(binary, dtype.category()).unwrap_or("b")
}
