
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

// Four rows of NAME by four of what is summed over, as vectors of four rows; zero beyond the edges. MODE says what lies
// side by side: rows (1), what is summed over (2), or nothing (0).
fn NAME_block(start: u32, row: u32, inner: u32) -> array<vec4<T>, 4> {
    var v: array<vec4<T>, 4>;
    if MODE == 1u {
        if row < LIMIT {
            for (var j = 0u; j < 4u; j++) {
                if inner + j < p.depth {
                    v[j] = NAME_at4((start + row + (inner + j) * p.NAME_inner) / 4u);
                }
            }
        }
        return v;
    }
    if MODE == 2u {
        if inner < p.depth {
            for (var j = 0u; j < 4u; j++) {
                if row + j < LIMIT {
                    v[j] = NAME_at4((start + (row + j) * p.NAME_row + inner) / 4u);
                }
            }
        }
        return array<vec4<T>, 4>(
            vec4<T>(v[0].x, v[1].x, v[2].x, v[3].x),
            vec4<T>(v[0].y, v[1].y, v[2].y, v[3].y),
            vec4<T>(v[0].z, v[1].z, v[2].z, v[3].z),
            vec4<T>(v[0].w, v[1].w, v[2].w, v[3].w),
        );
    }
    for (var j = 0u; j < 4u; j++) {
        let k = start + (inner + j) * p.NAME_inner;
        if inner + j < p.depth {
            if row < LIMIT { v[j].x = NAME_at(k + row * p.NAME_row); }
            if row + 1u < LIMIT { v[j].y = NAME_at(k + (row + 1u) * p.NAME_row); }
            if row + 2u < LIMIT { v[j].z = NAME_at(k + (row + 2u) * p.NAME_row); }
            if row + 3u < LIMIT { v[j].w = NAME_at(k + (row + 3u) * p.NAME_row); }
        }
    }
    return v;
}
