// The adjoint of windows: y[.., at, ..] = the sum of what windows hold for that place; of window v that is element
// `at - v * step`.

fn element(i: u32) -> T {
    let at = (i / p.inner) % p.len;
    let k = start(i);
    let first = select(0u, (at - p.size) / p.step + 1u, at >= p.size);
    let end = min(p.windows, at / p.step + 1u);
    var sum = T(0);
    for (var v = first; v < end; v++) {
        sum += x_at(k + v * p.far + (at - v * p.step) * p.near);
    }
    return sum;
}
