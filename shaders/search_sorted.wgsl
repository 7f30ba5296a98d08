// y[i] = how many of a sorted row come before values[i], or where RIGHT do not come after it.

fn element(i: u32) -> T {
    let value = values(i);
    let start = (i / p.each) * p.m;
    var low = 0u;
    var high = p.m;
    while low < high {
        let half = (low + high) / 2u;
        let x = sorted(start + half);
        if select(ahead(x, value), !ahead(value, x), RIGHT == 1u) {
            low = half + 1u;
        } else {
            high = half;
        }
    }
    return T(low);
}
