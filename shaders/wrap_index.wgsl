// An index counted from the start: where it is negative, from the end.

fn element(i: u32) -> T {
    let at = index(i);
    if at >= T(0) {
        if at >= p.size {
            fail(p.check, reported(at));
        }
        return at;
    }
    if at + p.size < T(0) {
        fail(p.check, reported(at));
    } else if at + p.size > p.most {
        fail(p.narrow, reported(at));
    }
    return at + p.size;
}
