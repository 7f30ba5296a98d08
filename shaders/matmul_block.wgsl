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
        return turned(v);
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
