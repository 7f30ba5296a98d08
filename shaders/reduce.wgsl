// All elements along some axes to one: y[i] = join of x[kept(i) + reduced(r)] over all r, or over part `i % parts` of
// them. TEAM invocations make a result; they stand side by side where IN_ROWS, else a workgroup's results do.

var<workgroup> shared_acc: array<vec4<T>, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    const TEAMS = 256u / TEAM;
    var team = l / TEAM;
    var member = l % TEAM;
    if IN_ROWS == 0u {
        team = l % TEAMS;
        member = l / TEAMS;
    }
    let i = (w.x + w.y * grid.x) * TEAMS + team;
    var acc = vec4<T>(p.identity);
    if i < p.results {
        let start = kept(i / p.parts);
        let first = (i % p.parts) * p.length;
        let end = min(first + p.length, p.elements);
        // four at a time, so that they need not wait for each other
        var r = first + member;
        for (; r + 3u * TEAM < end; r += 4u * TEAM) {
            let a = x_at(start + reduced(r));
            let b = x_at(start + reduced(r + TEAM));
            let c = x_at(start + reduced(r + 2u * TEAM));
            let d = x_at(start + reduced(r + 3u * TEAM));
            acc = join(acc, vec4<T>(a, b, c, d));
        }
        for (; r < end; r += TEAM) {
            acc = join(acc, vec4<T>(x_at(start + reduced(r)), vec3<T>(p.identity)));
        }
    }
    if TEAM > 1u {
        shared_acc[l] = acc;
        workgroupBarrier();
        for (var half = TEAM / 2u; half > 0u; half /= 2u) {
            if member < half {
                let other = select(l + half * TEAMS, l + half, IN_ROWS == 1u);
                acc = join(acc, shared_acc[other]);
                shared_acc[l] = acc;
            }
            workgroupBarrier();
        }
    }
    if member == 0u && i < p.results {
        acc = join(acc, acc.zwxy);
        acc = join(acc, acc.yxwz);
        var total = acc.x;
        if IS_MEAN == 1u {
            total = total / p.count;
        }
        y_set(i, total);
    }
}
