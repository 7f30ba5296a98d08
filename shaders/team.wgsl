// A workgroup of 256 invocations in teams of TEAM, each of which makes one result; of a team the members stand side by side
// where IN_ROWS, else members of neighbouring teams do.

const TEAMS = 256u / TEAM;

var<workgroup> team_memory: array<vec4<T>, 256>;

fn team_of(l: u32) -> u32 {
    if IN_ROWS == 1u {
        return l / TEAM;
    }
    return l % TEAMS;
}

fn member_of(l: u32) -> u32 {
    if IN_ROWS == 1u {
        return l % TEAM;
    }
    return l / TEAMS;
}

