// What each step makes of the number before it and of the next elements, along rows: an invocation goes along one.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let row = (w.x + w.y * grid.x) * 256u + l;
    if row >= p.rows {
        return;
    }
    var at_a = row_a(row);
    var at_b = row_b(row);
    var at_y = row_y(row);
    var y = p.first;
    for (var i = 0u; i < p.n; i++) {
        y = y * a_at(at_a) + b_at(at_b);
        y_set(at_y, y);
        at_a += p.stride_a;
        at_b += p.stride_b;
        at_y += p.stride_y;
    }
}
