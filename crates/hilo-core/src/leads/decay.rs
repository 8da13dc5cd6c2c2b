//! How much is left of an amount after some time: half of it after each half-life.
//!
//! `(amount, age, half-life)` → amount, in whole numbers only. A page, a Worker and a test may have different floating point, and a score
//! decides who is called.

/// The bits behind the point of a factor.
const BITS: u32 = 62;
/// The roots that are multiplied: an age is exact to the 2⁻⁴⁰th part of its half-life.
const ROOTS_MAX: usize = 40;
/// ½^½, ½^¼, ½^⅛ …
const ROOTS: [u128; ROOTS_MAX] = roots();

const fn roots() -> [u128; ROOTS_MAX] {
    let mut roots = [0; ROOTS_MAX];
    let mut root: u128 = 1 << (BITS - 1);
    let mut left: &mut [u128] = &mut roots;
    while let [first, rest @ ..] = left {
        root = (root << BITS).isqrt();
        *first = root;
        left = rest;
    }
    roots
}

/// `amount · ½^(age / half_life)`, to the nearest whole number. Both times are in the same unit. Without a half-life nothing is left.
pub(super) fn decayed(amount: i64, age: u64, half_life: u64) -> i64 {
    let (Some(halvings), Some(mut rest)) = (age.checked_div(half_life), age.checked_rem(half_life))
    else {
        return 0;
    };
    let Some(shift) = u32::try_from(halvings).ok().filter(|halvings| *halvings < 64) else {
        return 0;
    };
    let mut factor: u128 = 1 << BITS;
    for root in ROOTS {
        // Twice the rest, without an overflow.
        if let Some(over) = rest.checked_sub(half_life - rest) {
            rest = over;
            factor = (factor * root) >> BITS;
        } else {
            rest += rest;
        }
    }
    let shift = BITS + shift;
    let left = (u128::from(amount.unsigned_abs()) * factor + (1 << (shift - 1))) >> shift;
    let left = i64::try_from(left).unwrap_or(i64::MAX);
    if amount < 0 { -left } else { left }
}
