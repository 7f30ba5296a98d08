
// What JOIN makes of the four numbers of each member of a team, for every member.
fn team_JOIN(l: u32, v: vec4<T>) -> T {
    var acc = v;
    if TEAM > 1u {
        let step = select(TEAMS, 1u, IN_ROWS == 1u);
        workgroupBarrier();
        team_memory[l] = acc;
        workgroupBarrier();
        for (var half = TEAM / 2u; half > 0u; half /= 2u) {
            if member_of(l) < half {
                acc = JOIN(acc, team_memory[l + half * step]);
                team_memory[l] = acc;
            }
            workgroupBarrier();
        }
        acc = team_memory[l - member_of(l) * step];
    }
    acc = JOIN(acc, acc.zwxy);
    return JOIN(acc, acc.yxwz).x;
}
