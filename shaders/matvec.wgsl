// y[i] = the dot product of row i of a and of its vector, or of part `i % parts` of both. TEAM invocations make one;
// they stand side by side where IN_ROWS, else a workgroup's results do. Four elements are one load where WIDE.

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
    var acc = vec4<T>();
    if i < p.results {
        let a0 = a_start(i / p.parts);
        let v0 = v_start(i / p.parts);
        let first = (i % p.parts) * p.length;
        let end = min(first + p.length, p.depth);
        if WIDE == 1u {
            for (var k = first + 4u * member; k < end; k += 4u * TEAM) {
                acc += a_at4((a0 + k) / 4u) * v_at4((v0 + k) / 4u);
            }
        } else {
            // four at a time, so that they need not wait for each other
            var k = first + member;
            for (; k + 3u * TEAM < end; k += 4u * TEAM) {
                let ks = vec4<u32>(k, k + TEAM, k + 2u * TEAM, k + 3u * TEAM);
                let as_ = a0 + ks * p.a_inner;
                let vs = v0 + ks * p.v_inner;
                acc += vec4<T>(a_at(as_.x), a_at(as_.y), a_at(as_.z), a_at(as_.w))
                    * vec4<T>(v_at(vs.x), v_at(vs.y), v_at(vs.z), v_at(vs.w));
            }
            for (; k < end; k += TEAM) {
                acc.x += a_at(a0 + k * p.a_inner) * v_at(v0 + k * p.v_inner);
            }
        }
    }
    if TEAM > 1u {
        shared_acc[l] = acc;
        workgroupBarrier();
        for (var half = TEAM / 2u; half > 0u; half /= 2u) {
            if member < half {
                let other = select(l + half * TEAMS, l + half, IN_ROWS == 1u);
                acc += shared_acc[other];
                shared_acc[l] = acc;
            }
            workgroupBarrier();
        }
    }
    if member == 0u && i < p.results {
        y_set(i, acc.x + acc.y + acc.z + acc.w);
    }
}
