// Where the best of some elements stands: y[i] = the first r of the best x[kept(i) + reduced(r)], NaN before all. A team looks
// for it.

struct Found {
    value: T,
    place: u32,
}

var<workgroup> shared_value: array<T, 256>;
var<workgroup> shared_place: array<u32, 256>;

// The better of two, or the first of equals.
fn better(a: Found, b: Found) -> Found {
    var ahead = b.value > a.value;
    if SIGN == 0u {
        ahead = b.value < a.value;
    }
    let nan_a = is_nan(a.value);
    let nan_b = is_nan(b.value);
    let equal = (a.value == b.value) || (nan_a && nan_b);
    if (ahead && !nan_a) || (nan_b && !nan_a) || (equal && b.place < a.place) {
        return b;
    }
    return a;
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let member = member_of(l);
    let i = (w.x + w.y * grid.x) * TEAMS + team_of(l);
    let start = kept(min(i, p.results - 1u));
    // a team has no more members than elements
    var best = Found(x_at(start + reduced(member)), member);
    for (var r = member + TEAM; r < p.elements; r += TEAM) {
        best = better(best, Found(x_at(start + reduced(r)), r));
    }
    if TEAM > 1u {
        shared_value[l] = best.value;
        shared_place[l] = best.place;
        workgroupBarrier();
        for (var half = TEAM / 2u; half > 0u; half /= 2u) {
            if member < half {
                let other = l + half * select(TEAMS, 1u, IN_ROWS == 1u);
                best = better(best, Found(shared_value[other], shared_place[other]));
                shared_value[l] = best.value;
                shared_place[l] = best.place;
            }
            workgroupBarrier();
        }
    }
    if member == 0u && i < p.results {
        y_set(i, I(best.place));
    }
}
