// Sums so far along rows: y[i] = x[0] + .. + x[i]. A row is cut in parts of `length` elements, and TEAM invocations side by
// side sum one, four elements each at a time. TOTALS are what each part adds up to; a row of more than one part begins with
// what those before it add up to.

var<workgroup> memory: array<T, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) w: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
) {
    let member = l % TEAM;
    let unit = (w.x + w.y * grid.x) * (256u / TEAM) + l / TEAM;
    let row = min(unit / p.parts, p.rows - 1u);
    let part = unit % p.parts;
    let end = select(0u, min((part + 1u) * p.length, p.n), unit / p.parts < p.rows);
    let start_x = row_x(row);
    let start_y = row_y(row);
    var before = T(0);
    if end > 0u && part > 0u {
        before = carried(unit - 1u);
    }
    for (var done = 0u; done < p.length; done += 4u * TEAM) {
        let i = part * p.length + done + 4u * member;
        var v = vec4<T>();
        for (var c = 0u; c < 4u; c++) {
            if i + c < end {
                v[c] = x_at(start_x + (i + c) * p.stride_x);
            }
        }
        v.y += v.x;
        v.w += v.z;
        v.z += v.y;
        v.w += v.y;
        var own = T(0);
        var all = v.w;
        if TEAM > 1u {
            workgroupBarrier();
            memory[l] = v.w;
            workgroupBarrier();
            for (var apart = 1u; apart < TEAM; apart *= 2u) {
                var sum = memory[l];
                if member >= apart {
                    sum += memory[l - apart];
                }
                workgroupBarrier();
                memory[l] = sum;
                workgroupBarrier();
            }
            if member > 0u {
                own = memory[l - 1u];
            }
            all = memory[l - member + TEAM - 1u];
        }
        if TOTALS == 0u {
            for (var c = 0u; c < 4u; c++) {
                if i + c < end {
                    y_set(start_y + (i + c) * p.stride_y, before + own + v[c]);
                }
            }
        }
        before += all;
    }
    if TOTALS == 1u && member == 0u && end > 0u {
        y_set(unit, before);
    }
}
