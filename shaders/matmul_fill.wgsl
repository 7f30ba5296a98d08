// Writes a slice of NAME to its tile, in blocks of four by four, which are turned on the way.
fn NAME_fill(l: u32, start: u32, row0: u32, inner: u32) {
    for (var i = l; i < GROUPS * (DEPTH / 4u); i += THREADS) {
        let k = 4u * (i % (DEPTH / 4u));
        let g = i / (DEPTH / 4u);
        let block = NAME_block(start, row0 + 4u * g, inner + k);
        for (var j = 0u; j < 4u; j++) {
            tile_NAME[(k + j) * GROUPS + g] = block[j];
        }
    }
}
