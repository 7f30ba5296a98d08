//! Kernels whose results are computed element by element: an invocation makes four of them.
use crate::{
    WgpuValue,
    kernel::{Kernel, WORKGROUP},
};
use firesteel_core::{Error, Result};

/// Four elements by themselves; those past the end are the last once more.
const SINGLE: &str = "
fn four(g: u32) -> vec4<T> {
    let i = min(4u * g + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n - 1u));
    return vec4<T>(element(i.x), element(i.y), element(i.z), element(i.w));
}
";

/// Four elements together.
const TOGETHER: &str = "
fn four(g: u32) -> vec4<T> {
    return element4(g);
}
";

impl Kernel<'_> {
    /// Writes `y`, whose numbers are of type `T`: `element(i)` of the family's shader is its element number `i`, and,
    /// where they are best computed `together`, `element4(g)` its elements `4 g` to `4 g + 3`.
    pub fn each(&mut self, y: &WgpuValue, together: bool, body: impl FnOnce() -> String) -> Result<()> {
        let n = y.meta.numel();
        if n >= u32::MAX as usize {
            return Err(Error::unsupported("wgpu", format!("{n} elements are more than a kernel counts")));
        }
        let groups = n.div_ceil(4);
        self.write4("y", y).alias("T", y.meta.dtype).param("n", n).param("groups", groups);
        self.depends([together.into()]).run(groups.div_ceil(WORKGROUP), || {
            let four = if together { TOGETHER } else { SINGLE };
            [include_str!("../shaders/each.wgsl"), &body(), four].concat()
        })
    }
}
