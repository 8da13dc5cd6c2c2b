//! An amount and weights → whole minor units that add up to the amount.

/// Weights become whole numbers of this part, so that nothing is lost between them.
const PARTS: f64 = 1_099_511_627_776.0; // 2^40

/// Splits `net` by `weights`: each part is rounded down, and the units that are left go to the largest fractions, of equal ones to the
/// earlier. A negative amount is split as its absolute value, so a refund takes back exactly what its order gave.
#[must_use]
pub fn split(net: i64, weights: &[f64]) -> Vec<i64> {
    let parts: Vec<u128> = weights.iter().map(|one| whole(*one)).collect();
    let sum: u128 = parts.iter().sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let amount = u128::from(net.unsigned_abs());
    let mut units: Vec<u128> = parts.iter().map(|part| amount * part / sum).collect();
    let left = amount - units.iter().sum::<u128>();
    let mut order: Vec<(u128, usize)> =
        parts.iter().enumerate().map(|(at, part)| (amount * part % sum, at)).collect();
    order.sort_by_key(|&(fraction, at)| (std::cmp::Reverse(fraction), at));
    for (_, at) in order.into_iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
        if let Some(unit) = units.get_mut(at) {
            *unit += 1;
        }
    }
    let sign = net.signum();
    units.into_iter().map(|unit| sign * i64::try_from(unit).unwrap_or(i64::MAX)).collect()
}

/// A weight in [`PARTS`]. What is no weight is 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a weight is between 0 and 1"
)]
fn whole(weight: f64) -> u128 {
    (weight.clamp(0.0, 1.0) * PARTS).round() as u128
}
