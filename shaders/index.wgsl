// y[.., i, ..] = x[.., index[i], ..] along an axis, or with an index for every element: `number(i)` is that of the one
// that element i is read by. Out of range is zero.

fn element(i: u32) -> T {
    let at = place(index(number(i)));
    if at == NOWHERE {
        return T(0);
    }
    return x_at(start(i) + at * p.stride);
}

fn element4(g: u32) -> vec4<T> {
    let at = place(index(number(4u * g)));
    if at == NOWHERE {
        return vec4<T>(T(0));
    }
    return x_at4((start(4u * g) + at * p.stride) / 4u);
}
