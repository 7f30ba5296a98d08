// Blocks of both operands of a convolution for the product in `matmul.wgsl`, whose batches are groups, each in `parts` of
// what is summed over.

fn a_start(batch: u32) -> u32 {
    return batch;
}

fn b_start(batch: u32) -> u32 {
    return batch;
}

// Four rows of an operand at one place of what is summed over are what an invocation brings: of the first operand such
// that neighbours take what follows along the sum, of the second what follows along its rows.

fn a_fill(l: u32, batch: u32, row0: u32, inner: u32) {
    let first = (batch % p.parts) * p.depth;
    for (var i = l; i < A_GROUPS * DEPTH; i += THREADS) {
        let at = inner + i % DEPTH;
        let g = i / DEPTH;
        let row = row0 + 4u * g;
        var v = vec4<T>(T(0));
        if at < p.depth && first + at < p.total {
            let k = factors(batch / p.parts, first + at) + row * p.a_row;
            if row < p.m { v.x = a_at(k); }
            if row + 1u < p.m { v.y = a_at(k + p.a_row); }
            if row + 2u < p.m { v.z = a_at(k + 2u * p.a_row); }
            if row + 3u < p.m { v.w = a_at(k + 3u * p.a_row); }
        }
        tile_a[(i % DEPTH) * A_GROUPS + g] = v;
    }
}

// The rows of the second operand are windows, or where IS_WEIGHT elements of them: an invocation keeps to four.
var<private> row_0: Place;
var<private> row_1: Place;
var<private> row_2: Place;
var<private> row_3: Place;

fn prepare(l: u32, batch: u32, column0: u32) {
    let row = column0 + 4u * (l % B_GROUPS);
    if IS_WEIGHT == 1u {
        row_0 = tap(row);
        row_1 = tap(row + 1u);
        row_2 = tap(row + 2u);
        row_3 = tap(row + 3u);
    } else {
        row_0 = window(row);
        row_1 = window(row + 1u);
        row_2 = window(row + 2u);
        row_3 = window(row + 3u);
    }
}

fn b_fill(l: u32, batch: u32, column0: u32, inner: u32) {
    let group = batch / p.parts;
    let first = (batch % p.parts) * p.depth;
    let g = l % B_GROUPS;
    let row = column0 + 4u * g;
    for (var k = l / B_GROUPS; k < DEPTH; k += THREADS / B_GROUPS) {
        let at = inner + k;
        var v = vec4<T>(T(0));
        if at < p.depth && first + at < p.total {
            if IS_WEIGHT == 1u {
                let w = window(first + at);
                if row < p.n { v.x = seen(group, w, row_0); }
                if row + 1u < p.n { v.y = seen(group, w, row_1); }
                if row + 2u < p.n { v.z = seen(group, w, row_2); }
                if row + 3u < p.n { v.w = seen(group, w, row_3); }
            } else {
                let t = tap(first + at);
                if row < p.n { v.x = seen(group, row_0, t); }
                if row + 1u < p.n { v.y = seen(group, row_1, t); }
                if row + 2u < p.n { v.z = seen(group, row_2, t); }
                if row + 3u < p.n { v.w = seen(group, row_3, t); }
            }
        }
        tile_b[k * B_GROUPS + g] = v;
    }
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
