// Softmax, or its logarithm, of rows of n elements: y = e^(x - max x) / sum, or x - max x - ln sum. A team makes a row. Where a
// row fits in the registers of a team (KEPT groups of four for each member) it is read once, else three times. Four elements
// are one load where WIDE.

fn load(start: u32, r: u32) -> vec4<T> {
    if WIDE == 1u {
        if r < p.n {
            return x_at4((start + r) / 4u);
        }
        return vec4<T>(p.lowest);
    }
    var v = vec4<T>(p.lowest);
    for (var c = 0u; c < 4u; c++) {
        if r + c < p.n {
            v[c] = x_at(start + (r + c) * p.x_step);
        }
    }
    return v;
}

fn finish(start: u32, r: u32, z: vec4<T>, scale: T) {
    var v = z;
    if IS_LOG == 1u {
        v = z - vec4<T>(scale);
    } else {
        v = z / vec4<T>(scale);
    }
    if WIDE == 1u {
        if r < p.n {
            store4((start + r) / 4u, v);
        }
        return;
    }
    for (var c = 0u; c < 4u; c++) {
        if r + c < p.n {
            store1(start + (r + c) * p.y_step, v[c]);
        }
    }
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let i = (w.x + w.y * grid.x) * TEAMS + team_of(l);
    let row = min(i, p.rows - 1u);
    let source = x_start(row);
    let goal = y_start(row);
    let first = 4u * member_of(l);
    var kept: array<vec4<T>, KEPT>;

    var most = vec4<T>(p.lowest);
    if IS_KEPT == 1u {
        for (var j = 0u; j < KEPT; j++) {
            kept[j] = load(source, first + 4u * TEAM * j);
            most = $maximum(most, kept[j]);
        }
    } else {
        for (var r = first; r < p.n; r += 4u * TEAM) {
            most = $maximum(most, load(source, r));
        }
    }
    let top = vec4<T>(team_larger(l, most));

    var acc = vec4<T>(T(0));
    if IS_KEPT == 1u {
        for (var j = 0u; j < KEPT; j++) {
            let z = kept[j] - top;
            let e = $exp(z);
            acc += select(vec4<T>(T(0)), e, inside(first + 4u * TEAM * j));
            kept[j] = e;
            if IS_LOG == 1u {
                kept[j] = z;
            }
        }
    } else {
        for (var r = first; r < p.n; r += 4u * TEAM) {
            acc += select(vec4<T>(T(0)), $exp(load(source, r) - top), inside(r));
        }
    }
    var scale = team_sum(l, acc);
    if IS_LOG == 1u {
        scale = $log(vec4<T>(scale)).x;
    }

    if i >= p.rows {
        return;
    }
    if IS_KEPT == 1u {
        for (var j = 0u; j < KEPT; j++) {
            finish(goal, first + 4u * TEAM * j, kept[j], scale);
        }
    } else {
        for (var r = first; r < p.n; r += 4u * TEAM) {
            let z = load(source, r) - top;
            if IS_LOG == 1u {
                finish(goal, r, z, scale);
            } else {
                finish(goal, r, $exp(z), scale);
            }
        }
    }
}

// Which of the four elements from r on are there.
fn inside(r: u32) -> vec4<bool> {
    return vec4<u32>(r, r + 1u, r + 2u, r + 3u) < vec4<u32>(p.n);
}

fn larger(a: vec4<T>, b: vec4<T>) -> vec4<T> {
    return $maximum(a, b);
}

fn sum(a: vec4<T>, b: vec4<T>) -> vec4<T> {
    return a + b;
}
