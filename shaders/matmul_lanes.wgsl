// The product of `matmul.wgsl` where eight neighbours exchange registers: no workgroup memory, no barriers. They make a tile
// of y. Of the first operand each of them loads some groups of four rows, which all need; of the second each loads the
// four columns of its own results, which are B_GROUPS vectors of each row.

@compute @workgroup_size(8)
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
    let a_from = a_start(batch);
    let b_from = b_start(batch);

    prepare(l, b_from, column0);
    // results, written out: an array of them would lie in memory
    for (var inner = 0u; inner < p.depth; inner += 4u) {
        let b = b_block(b_from, column0 + 4u * l, inner);
        // products
    }

    // stores
}
