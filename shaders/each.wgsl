// A result of which each element is computed by itself: `four(g)` are elements 4 g to 4 g + 3 of y.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let g = (w.x + w.y * grid.x) * 256u + l;
    if g < p.groups {
        y_set4(g, four(g));
    }
}
