// Whether a whole number, computed in F32, does not fit in 32 bits.

fn element(i: u32) -> T {
    let fits = abs(x(i)) < p.limit;
    if !fits {
        fail(p.check, 0);
    }
    return T(!fits);
}
