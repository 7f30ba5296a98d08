// Four results of row r from column c on.
fn finish(batch: u32, r: u32, c: u32, v: vec4<T>) {
    if c < p.n && r < p.m {
        store((batch * p.m + r) * p.n, c, v + added(c));
    }
}
