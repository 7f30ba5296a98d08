// Blocks of both operands of a convolution for the product in `matmul.wgsl`, whose batches are groups, each in `parts` of
// what is summed over.

fn a_start(batch: u32) -> u32 {
    return batch;
}

fn b_start(batch: u32) -> u32 {
    return batch;
}

// Where `inner` of a batch is in the whole sum: past its end where it is none of that batch's.
fn summed(batch: u32, inner: u32) -> u32 {
    return select(p.total, (batch % p.parts) * p.depth + inner, inner < p.depth);
}

// Four rows of the first operand by four of what is summed over, as vectors of four rows. Four of a row are one load where
// WIDE.
fn a_block(batch: u32, row: u32, inner: u32) -> array<vec4<T>, 4> {
    var v: array<vec4<T>, 4>;
    if WIDE == 1u {
        let at = summed(batch, inner);
        if at < p.total {
            let k = factors(batch / p.parts, at) + row * p.a_row;
            for (var j = 0u; j < 4u; j++) {
                if row + j < p.m {
                    v[j] = a_at4((k + j * p.a_row) / 4u);
                }
            }
        }
        return turned(v);
    }
    for (var j = 0u; j < 4u; j++) {
        let at = summed(batch, inner + j);
        if at < p.total {
            let k = factors(batch / p.parts, at) + row * p.a_row;
            if row < p.m { v[j].x = a_at(k); }
            if row + 1u < p.m { v[j].y = a_at(k + p.a_row); }
            if row + 2u < p.m { v[j].z = a_at(k + 2u * p.a_row); }
            if row + 3u < p.m { v[j].w = a_at(k + 3u * p.a_row); }
        }
    }
    return v;
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

// Its four rows at one place of what is summed over.
fn b_four(batch: u32, row: u32, inner: u32) -> vec4<T> {
    let group = batch / p.parts;
    let at = summed(batch, inner);
    var v = vec4<T>(T(0));
    if at < p.total {
        if IS_WEIGHT == 1u {
            let w = window(at);
            if row < p.n { v.x = seen(group, w, row_0); }
            if row + 1u < p.n { v.y = seen(group, w, row_1); }
            if row + 2u < p.n { v.z = seen(group, w, row_2); }
            if row + 3u < p.n { v.w = seen(group, w, row_3); }
        } else {
            let t = tap(at);
            if row < p.n { v.x = seen(group, row_0, t); }
            if row + 1u < p.n { v.y = seen(group, row_1, t); }
            if row + 2u < p.n { v.z = seen(group, row_2, t); }
            if row + 3u < p.n { v.w = seen(group, row_3, t); }
        }
    }
    return v;
}

fn b_block(batch: u32, row: u32, inner: u32) -> array<vec4<T>, 4> {
    return array<vec4<T>, 4>(
        b_four(batch, row, inner),
        b_four(batch, row, inner + 1u),
        b_four(batch, row, inner + 2u),
        b_four(batch, row, inner + 3u),
    );
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
