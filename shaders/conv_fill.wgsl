// Writes a slice of the second operand of a convolution to its tile: neighbours take what follows along its rows.
fn b_fill(l: u32, batch: u32, column0: u32, inner: u32) {
    let g = l % B_GROUPS;
    for (var k = l / B_GROUPS; k < DEPTH; k += THREADS / B_GROUPS) {
        tile_b[k * B_GROUPS + g] = b_four(batch, column0 + 4u * g, inner + k);
    }
}
