// Writing where an index says: y = into, with every x[.., j, ..] joined at the place index[j] along an axis, in the order of
// j. An element of y, or four where WIDE, looks for what is written to it, so that nothing depends on who comes first.

fn element(i: u32) -> T {
    return put(i).x;
}

fn element4(g: u32) -> vec4<T> {
    return put(4u * g);
}

// What is at `i` after all that is written there.
fn put(i: u32) -> vec4<T> {
    let column = i % p.inner;
    let at = (i / p.inner) % p.length;
    let outer = i / (p.inner * p.length);
    let line = select(outer * p.inner + column, 0u, ONE_LINE == 1u);
    let first = outer * p.count * p.inner + column;
    var acc = there(i);
    // for each `j` whose place this is
    return acc;
}
