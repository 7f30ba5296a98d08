
// What JOIN makes of the four numbers of each member of a team, for every member. In rows those of LANES neighbours go from
// register to register, and what they make through memory to so many that do so once more.
fn team_JOIN(l: u32, v: vec4<T>) -> T {
    var acc = JOIN(v, v.zwxy);
    acc = JOIN(acc, acc.yxwz);
    // neighbours
    if TEAM > LANES {
        let first = l - member_of(l) * select(TEAMS, 1u, IN_ROWS == 1u);
        workgroupBarrier();
        team_memory[l] = acc;
        workgroupBarrier();
        if LANES > 1u {
            let count = TEAM / LANES;
            let width = min(LANES, count);
            let at = first + (l % width) * LANES;
            acc = vec4<T>(team_memory[at].x);
            for (var i = width; i < count; i += width) {
                acc = JOIN(acc, vec4<T>(team_memory[at + i * LANES].x));
            }
            // what neighbours made
        } else {
            let step = select(TEAMS, 1u, IN_ROWS == 1u);
            for (var half = TEAM / 2u; half > 0u; half /= 2u) {
                if member_of(l) < half {
                    acc = JOIN(acc, team_memory[l + half * step]);
                    team_memory[l] = acc;
                }
                workgroupBarrier();
            }
            acc = team_memory[first];
        }
    }
    return acc.x;
}
