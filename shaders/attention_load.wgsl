
// Four numbers of a row of NAME; zero beyond its edges. Four are one load where WIDE.
fn NAME_load(start: u32, row: u32, d: u32) -> vec4<T> {
    var v = vec4<T>(T(0));
    if row >= LIMIT {
        return v;
    }
    let k = start + row * p.NAME_row;
    if WIDE == 1u {
        return NAME_at4((k + d) / 4u);
    }
    for (var c = 0u; c < 4u; c++) {
        if d + c < WIDTH {
            v[c] = NAME_at(k + (d + c) * p.NAME_step);
        }
    }
    return v;
}
