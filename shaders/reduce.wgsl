// All elements along some axes to one: y[i] = join of f(x[kept(i) + reduced(r)]) over all r, or over part `i % parts` of
// them. A team makes a result.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let i = (w.x + w.y * grid.x) * TEAMS + team_of(l);
    let result = min(i, p.results - 1u);
    let start = kept(result / p.parts);
    let first = (result % p.parts) * p.length;
    let end = min(first + p.length, p.elements);
    let centre = centre_of(result / p.parts);
    var acc = vec4<T>(p.identity);
    // four at a time, so that they need not wait for each other
    var r = first + member_of(l);
    for (; r + 3u * TEAM < end; r += 4u * TEAM) {
        let a = x_at(start + reduced(r));
        let b = x_at(start + reduced(r + TEAM));
        let c = x_at(start + reduced(r + 2u * TEAM));
        let d = x_at(start + reduced(r + 3u * TEAM));
        acc = join(acc, mapped(vec4<T>(a, b, c, d), centre));
    }
    for (; r < end; r += TEAM) {
        acc = join(acc, vec4<T>(mapped(vec4<T>(x_at(start + reduced(r))), centre).x, vec3<T>(p.identity)));
    }
    var total = team_join(l, acc);
    if IS_MEAN == 1u {
        total = total / p.count;
    }
    if member_of(l) == 0u && i < p.results {
        y_set(i, total);
    }
}
