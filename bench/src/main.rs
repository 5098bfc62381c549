//! Plimsoll beside its peers, as ratios.
fn main() {}
