// One tensor in another: y[i] = x at the place that `found(i)` gives where i lies in the part that x fills, else into[i].

struct Found {
    place: u32,
    inside: bool,
}

fn element(i: u32) -> T {
    let x = found(i);
    if x.inside {
        return x_at(x.place);
    }
    return into(i);
}

fn element4(g: u32) -> vec4<T> {
    let x = found(4u * g);
    if x.inside {
        return x_at4(x.place / 4u);
    }
    return into4(g);
}
