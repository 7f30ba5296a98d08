// y[i] = the dot product of row i of a and of its vector, or of part `i % parts` of both. A team makes one. Four elements
// are one load where WIDE.

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let i = (w.x + w.y * grid.x) * TEAMS + team_of(l);
    let result = min(i, p.results - 1u);
    let a0 = a_start(result / p.parts);
    let v0 = v_start(result / p.parts);
    let first = (result % p.parts) * p.length;
    let end = min(first + p.length, p.depth);
    var acc = vec4<T>();
    if WIDE == 1u {
        for (var k = first + 4u * member_of(l); k < end; k += 4u * TEAM) {
            acc += a_at4((a0 + k) / 4u) * v_at4((v0 + k) / 4u);
        }
    } else {
        // four at a time, so that they need not wait for each other
        var k = first + member_of(l);
        for (; k + 3u * TEAM < end; k += 4u * TEAM) {
            let ks = vec4<u32>(k, k + TEAM, k + 2u * TEAM, k + 3u * TEAM);
            let source = a0 + ks * p.a_inner;
            let by = v0 + ks * p.v_inner;
            acc += vec4<T>(a_at(source.x), a_at(source.y), a_at(source.z), a_at(source.w))
                * vec4<T>(v_at(by.x), v_at(by.y), v_at(by.z), v_at(by.w));
        }
        for (; k < end; k += TEAM) {
            acc.x += a_at(a0 + k * p.a_inner) * v_at(v0 + k * p.v_inner);
        }
    }
    let total = team_sum(l, acc);
    if member_of(l) == 0u && i < p.results {
        y_set(i, total);
    }
}
