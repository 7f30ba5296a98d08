// Element-wise operations: an invocation computes four elements, line by line.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let g = (w.x + w.y * grid.x) * 256u + l;
    if g >= p.groups {
        return;
    }
    // the program
}
