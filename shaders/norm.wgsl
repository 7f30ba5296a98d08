// Layer norm, group norm and RMS norm of rows of n elements: y = (x - mean) / sqrt(var + eps) weight + bias, and mean and
// 1/sqrt(..) beside it; of RMS norm the mean is 0. A team makes a row. Where a row fits in the registers of a team (KEPT groups
// of four for each member) it is read once, else three times. Four elements are one load where WIDE.

fn load(row: u32, r: u32) -> vec4<T> {
    if WIDE == 1u {
        if r < p.n {
            return x_at4((row * p.n + p.x_offset + r) / 4u);
        }
        return vec4<T>(T(0));
    }
    var v = vec4<T>(T(0));
    for (var c = 0u; c < 4u; c++) {
        if r + c < p.n {
            v[c] = x_at(row * p.n + p.x_offset + r + c);
        }
    }
    return v;
}

// Which of the four elements from r on are there.
fn inside(r: u32) -> vec4<bool> {
    return vec4<u32>(r, r + 1u, r + 2u, r + 3u) < vec4<u32>(p.n);
}

fn finish(row: u32, r: u32, v: vec4<T>) {
    if WIDE == 1u {
        if r < p.n {
            store4((row * p.n + r) / 4u, v * weight_of4(row, r) + bias_of4(row, r));
        }
        return;
    }
    for (var c = 0u; c < 4u; c++) {
        if r + c < p.n {
            store1(row * p.n + r + c, v[c] * weight_of(row, r + c) + bias_of(row, r + c));
        }
    }
}

fn sum(a: vec4<T>, b: vec4<T>) -> vec4<T> {
    return a + b;
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let i = (w.x + w.y * grid.x) * TEAMS + team_of(l);
    let row = min(i, p.rows - 1u);
    let first = 4u * member_of(l);
    let step = 4u * TEAM;
    let count = T(p.n);
    var kept: array<vec4<T>, KEPT>;
    if IS_KEPT == 1u {
        for (var j = 0u; j < KEPT; j++) {
            kept[j] = load(row, first + step * j);
        }
    }

    var mean = T(0);
    if IS_CENTRED == 1u {
        var acc = vec4<T>(T(0));
        if IS_KEPT == 1u {
            for (var j = 0u; j < KEPT; j++) {
                acc += kept[j];
            }
        } else {
            for (var r = first; r < p.n; r += step) {
                acc += load(row, r);
            }
        }
        mean = team_sum(l, acc) / count;
    }

    var squares = vec4<T>(T(0));
    if IS_KEPT == 1u {
        for (var j = 0u; j < KEPT; j++) {
            let z = select(vec4<T>(T(0)), kept[j] - vec4<T>(mean), inside(first + step * j));
            kept[j] = z;
            squares += z * z;
        }
    } else {
        for (var r = first; r < p.n; r += step) {
            let z = select(vec4<T>(T(0)), load(row, r) - vec4<T>(mean), inside(r));
            squares += z * z;
        }
    }
    let scale = (vec4<T>(T(1)) / $sqrt(vec4<T>(team_sum(l, squares) / count + p.eps))).x;

    if i >= p.rows {
        return;
    }
    if member_of(l) == 0u {
        store_statistics(i, mean, scale);
    }
    if IS_KEPT == 1u {
        for (var j = 0u; j < KEPT; j++) {
            finish(i, first + step * j, kept[j] * scale);
        }
    } else {
        for (var r = first; r < p.n; r += step) {
            finish(i, r, (load(i, r) - vec4<T>(mean)) * scale);
        }
    }
}
