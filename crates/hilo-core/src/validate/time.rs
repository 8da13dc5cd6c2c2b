//! Reads a sender's time.
//! In: a JSON value. Out: a time, or none.

use jiff::Timestamp;
use serde_json::Value;

/// Reads a time: RFC 3339 text, or milliseconds since the epoch.
pub(super) fn read_time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => {
            let ms = number.as_i64().or_else(|| whole(number.as_f64()?))?;
            Timestamp::from_millisecond(ms).ok()
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whole milliseconds: clocks such as `performance.timeOrigin` count in fractions.
fn whole(ms: f64) -> Option<i64> {
    /// Whole numbers up to here are exact in an f64 (ECMA-262, `Number.MAX_SAFE_INTEGER`).
    const SAFE_MAX: f64 = 9_007_199_254_740_991.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "inside ±2^53, and the fraction is dropped on purpose"
    )]
    (ms.abs() <= SAFE_MAX).then_some(ms as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check_time(value: Value, expected: Option<&str>) {
        assert_eq!(read_time(&value).map(|at| at.to_string()).as_deref(), expected, "{value}");
    }

    #[test]
    fn times_are_read_as_text_and_as_milliseconds() {
        check_time(json!("2026-11-24T10:00:00.123Z"), Some("2026-11-24T10:00:00.123Z"));
        check_time(json!("2026-11-24T10:00:00+01:00"), Some("2026-11-24T09:00:00Z"));
        check_time(json!(1_795_514_400_000_i64), Some("2026-11-24T10:00:00Z"));
        check_time(json!(1_795_514_400_000.75), Some("2026-11-24T10:00:00Z"));
        check_time(json!("2026-11-24T10:00:00"), None);
        for nonsense in [
            json!("NaN"),
            json!("yesterday"),
            json!(1e300),
            json!(u64::MAX),
            json!([]),
            Value::Null,
        ] {
            check_time(nonsense, None);
        }
    }
}
