//! Special functions.

table! {
    /// Beyond the elementary ones.
    special(a) {
        each i0: ();
        each igamma igammac: (a.operand(1)?);
        each mvlgamma: (a.size(1)? as u32);
        each polygamma: (a.size(1)? as u32);
        "special.entr" => a.tensor(0)?.entr()?,
        "special.erfcx" => a.tensor(0)?.erfcx()?,
        "special.i0e" => a.tensor(0)?.i0e()?,
        "special.i1" | "special.modified_bessel_i1" => a.tensor(0)?.i1()?,
        "special.i1e" => a.tensor(0)?.i1e()?,
        "special.log_ndtr" => a.tensor(0)?.log_ndtr()?,
        "special.modified_bessel_i0" => a.tensor(0)?.i0()?,
        "special.ndtr" => a.tensor(0)?.ndtr()?,
        "special.ndtri" => a.tensor(0)?.ndtri()?,
        "special.polygamma" => a.tensor(0)?.polygamma(a.size(1)? as u32)?,
        "special.xlog1py" => a.tensor(0)?.xlog1py(a.operand(1)?)?,
        "special.zeta" => a.tensor(0)?.zeta(a.operand(1)?)?,
    }
}
