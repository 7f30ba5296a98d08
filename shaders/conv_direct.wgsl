// A convolution whose products are too small to be worth tiles: each result by itself.

fn element(i: u32) -> T {
    let row = i / p.run;
    let image = row / p.channels;
    let channel = row - image * p.channels;
    let group = channel / p.m;
    let from_a = (channel - group * p.m) * p.a_row;
    let w = window(image * p.run + i - row * p.run);
    var sum = T(0);
    for (var k = 0u; k < p.total; k++) {
        sum += a_at(factors(group, k) + from_a) * seen(group, w, tap(k));
    }
    return sum;
}
