//! One visit through every stage, in memory. In: nothing. Out: each step, printed.
fn main() {}
