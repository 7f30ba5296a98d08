// How often each digit occurs in a tile of `length` elements of a row: hist[row][tile][digit].

var<workgroup> counts: array<atomic<u32>, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let group = w.x + w.y * grid.x;
    if group >= p.groups {
        return;
    }
    let start = row(group / p.tiles);
    let first = (group % p.tiles) * p.length;
    let end = min(first + p.length, p.n);
    atomicStore(&counts[l], 0u);
    workgroupBarrier();
    for (var i = first + l; i < end; i += 256u) {
        atomicAdd(&counts[key(x_at(start + i * p.stride)) & 255u], 1u);
    }
    workgroupBarrier();
    hist_set(group * 256u + l, atomicLoad(&counts[l]));
}
