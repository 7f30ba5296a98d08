// Four rows of NAME by four of what is summed over, as vectors of four rows; zero where there is nothing left to sum. Rows
// beyond the last are the last once more: what comes of them is not stored, and nothing has to branch. MODE says what lies
// side by side: rows (1), what is summed over (2), or nothing (0).
fn NAME_block(start: u32, row: u32, inner: u32) -> array<vec4<T>, 4> {
    let zero = vec4<T>(T(0));
    var v: array<vec4<T>, 4>;
    if MODE == 1u {
        let first = start + min(row, LIMIT - 4u);
        for (var j = 0u; j < 4u; j++) {
            let k = NAME_at4((first + min(inner + j, p.depth - 1u) * p.NAME_inner) / 4u);
            v[j] = select(zero, k, inner + j < p.depth);
        }
        return v;
    }
    if MODE == 2u {
        let first = start + min(inner, p.depth - 4u);
        for (var j = 0u; j < 4u; j++) {
            let k = NAME_at4((first + min(row + j, LIMIT - 1u) * p.NAME_row) / 4u);
            v[j] = select(zero, k, inner < p.depth);
        }
        return turned(v);
    }
    for (var j = 0u; j < 4u; j++) {
        let first = start + min(inner + j, p.depth - 1u) * p.NAME_inner;
        let k = vec4<T>(
            NAME_at(first + min(row, LIMIT - 1u) * p.NAME_row),
            NAME_at(first + min(row + 1u, LIMIT - 1u) * p.NAME_row),
            NAME_at(first + min(row + 2u, LIMIT - 1u) * p.NAME_row),
            NAME_at(first + min(row + 3u, LIMIT - 1u) * p.NAME_row),
        );
        v[j] = select(zero, k, inner + j < p.depth);
    }
    return v;
}
