// A truth, which is reported where it is none.

fn element(i: u32) -> T {
    let holds = x(i);
    if holds == T(0) {
        fail(p.check, 0);
    }
    return holds;
}
