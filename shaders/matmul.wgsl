// y[.., m, n] = a[.., m, k] b[.., n, k]ᵀ + bias[n], with any strides. A workgroup of ROWS x COLUMNS invocations makes a
// tile of y; each keeps REGS x REGS blocks of 4 x 4 results in registers. Slices of both operands, DEPTH deep, go
// through workgroup memory, turned so that four rows lie side by side.

const THREADS = ROWS * COLUMNS;
const A_GROUPS = ROWS * REGS;
const B_GROUPS = COLUMNS * REGS;

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

// Four results of row r from column c on.
fn finish(batch: u32, r: u32, c: u32, v: vec4<T>) {
    if c < p.n && r < p.m {
        store((batch * p.m + r) * p.n, c, v + added(c));
    }
}
