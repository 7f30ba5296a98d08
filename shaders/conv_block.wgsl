// Blocks of both operands of a convolution for the product in `matmul.wgsl`, whose batches are groups, each in `parts` of
// what is summed over.

fn a_start(batch: u32) -> u32 {
    return batch;
}

fn b_start(batch: u32) -> u32 {
    return batch;
}

fn a_block(batch: u32, row: u32, inner: u32) -> array<vec4<T>, 4> {
    let first = (batch % p.parts) * p.depth;
    var v: array<vec4<T>, 4>;
    for (var j = 0u; j < 4u; j++) {
        let k = first + inner + j;
        if inner + j < p.depth && k < p.total {
            let at = factors(batch / p.parts, k) + row * p.a_row;
            if row < p.m { v[j].x = a_at(at); }
            if row + 1u < p.m { v[j].y = a_at(at + p.a_row); }
            if row + 2u < p.m { v[j].z = a_at(at + 2u * p.a_row); }
            if row + 3u < p.m { v[j].w = a_at(at + 3u * p.a_row); }
        }
    }
    return v;
}

fn b_block(batch: u32, row: u32, inner: u32) -> array<vec4<T>, 4> {
    let group = batch / p.parts;
    let first = (batch % p.parts) * p.depth + inner;
    // the rows are windows, or where IS_WEIGHT elements of them
    var rows: array<Place, 4>;
    for (var i = 0u; i < 4u; i++) {
        if IS_WEIGHT == 1u {
            rows[i] = tap(row + i);
        } else {
            rows[i] = window(row + i);
        }
    }
    var v: array<vec4<T>, 4>;
    for (var j = 0u; j < 4u; j++) {
        if inner + j < p.depth && first + j < p.total {
            for (var i = 0u; i < 4u; i++) {
                if row + i < p.n {
                    if IS_WEIGHT == 1u {
                        v[j][i] = seen(group, window(first + j), rows[i]);
                    } else {
                        v[j][i] = seen(group, rows[i], tap(first + j));
                    }
                }
            }
        }
    }
    return v;
}

fn added(c: u32) -> vec4<T> {
    return vec4<T>(T(0));
}

// Columns are the places of images, which lie apart.
fn store(start: u32, c: u32, v: vec4<T>) {
    let channel = start / p.n;
    if WHOLE == 1u {
        put(channel, c, v);
        return;
    }
    for (var j = 0u; j < min(4u, p.n - c); j++) {
        put(channel, c + j, vec4<T>(v[j]));
    }
}

fn put(channel: u32, c: u32, v: vec4<T>) {
    let image = c / p.run;
    let i = (image * p.channels + channel) * p.run + c - image * p.run;
    SET
}
