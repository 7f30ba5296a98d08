// One of several tensors to its part of a result: y[to(i)] = x[i], four elements at once where WIDE.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let g = (w.x + w.y * grid.x) * 256u + l;
    if g < p.count {
        put(g);
    }
}
