// Cross entropy of rows of n logits: lse = ln of the sum of e^x, and loss = lse - x[target], or 0 where the target does not count.
// A team makes a row.

fn larger(a: vec4<T>, b: vec4<T>) -> vec4<T> {
    return $maximum(a, b);
}

fn sum(a: vec4<T>, b: vec4<T>) -> vec4<T> {
    return a + b;
}

// Four elements of a row, so many apart; nothing of e^x beyond its end.
fn load(start: u32, r: u32) -> vec4<T> {
    var v = vec4<T>(p.lowest);
    for (var c = 0u; c < 4u; c++) {
        if r + c * TEAM < p.n {
            v[c] = x_at(start + (r + c * TEAM) * p.x_step);
        }
    }
    return v;
}

fn inside(r: u32) -> vec4<bool> {
    return vec4<u32>(r, r + TEAM, r + 2u * TEAM, r + 3u * TEAM) < vec4<u32>(p.n);
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let i = (w.x + w.y * grid.x) * TEAMS + team_of(l);
    let row = min(i, p.rows - 1u);
    let start = x_start(row);
    var most = vec4<T>(p.lowest);
    for (var r = member_of(l); r < p.n; r += 4u * TEAM) {
        most = larger(most, load(start, r));
    }
    let top = team_larger(l, most);
    var acc = vec4<T>(T(0));
    for (var r = member_of(l); r < p.n; r += 4u * TEAM) {
        acc += select(vec4<T>(T(0)), $exp(load(start, r) - vec4<T>(top)), inside(r));
    }
    let lse = ($log(vec4<T>(team_sum(l, acc))) + vec4<T>(top)).x;
    if member_of(l) > 0u || i >= p.rows {
        return;
    }
    lse_set(i, lse);
    let class_ = target_of(i);
    if class_ == p.ignore {
        loss_set(i, T(0));
    } else if class_ < INDEX(0) || class_ >= INDEX(p.n) {
        loss_set(i, T(0));
        fail(p.check, i32(class_));
    } else {
        loss_set(i, lse - x_at(start + u32(class_) * p.x_step));
    }
}
