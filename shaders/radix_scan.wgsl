// Where in its row the elements with each digit of each tile go: behind those with lower digits, and those of the tiles
// before. An invocation follows a digit through the tiles, and clears what it has read for the next digits' counts.

var<workgroup> sums: array<u32, 512>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let r = w.x + w.y * grid.x;
    if r >= p.rows {
        return;
    }
    let first = r * p.tiles * 256u + l;
    let end = first + p.tiles * 256u;
    var total = 0u;
    for (var i = first; i < end; i += 256u) {
        total += hist_at(i);
    }
    var at = summed_before(l, total);
    for (var i = first; i < end; i += 256u) {
        let count = hist_at(i);
        to_set(i, at);
        hist_set(i, 0u);
        at += count;
    }
}
