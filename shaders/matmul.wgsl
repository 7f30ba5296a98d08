// y[.., m, n] = a[.., m, k] b[.., n, k]ᵀ + bias[n], with any strides. A workgroup of THREADS invocations makes a tile
// of y, 4 A_GROUPS by 4 B_GROUPS; each keeps blocks of 4 x 4 results in registers. Slices of both operands, DEPTH deep, go
// through workgroup memory, turned so that four rows lie side by side.

var<workgroup> tile_a: array<vec4<T>, A_GROUPS * DEPTH>;
var<workgroup> tile_b: array<vec4<T>, B_GROUPS * DEPTH>;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let group = w.x + w.y * grid.x;
    let batch = group / p.tiles_all;
    let tile = group % p.tiles_all;
    let row0 = (tile / p.tiles) * A_GROUPS * 4u;
    let column0 = (tile % p.tiles) * B_GROUPS * 4u;
    let a0 = a_start(batch);
    let b0 = b_start(batch);
    let row = l / COLUMNS;
    let column = l % COLUMNS;

    prepare(l, b0, column0);
    // results, written out: an array of them would lie in memory
    for (var inner = 0u; inner < p.depth; inner += DEPTH) {
        a_fill(l, a0, row0, inner);
        b_fill(l, b0, column0, inner);
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k++) {
            // products
        }
        workgroupBarrier();
    }

    // stores
}
