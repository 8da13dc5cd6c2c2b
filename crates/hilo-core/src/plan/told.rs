//! What a plan makes of an event that violates it: the decision, and sentences for people.
//!
//! Mode and violations → the refusal, or nothing; the same as lines of text. `check.rs` finds the violations.

use super::{Mode, Plan};
use crate::outcome::{Code, Rejection};

/// The violation for which an event is refused, if the plan's mode refuses.
pub fn refusal(mode: Mode, violations: &[Rejection]) -> Option<&Rejection> {
    violations.first().filter(|_| mode == Mode::Reject)
}

/// Each violation with its place and what becomes of the event, a line each.
pub fn told(plan: &Plan, violations: &[Rejection]) -> Vec<String> {
    let line = |one: &Rejection| {
        let place = one.field.as_deref().unwrap_or("event");
        let becomes = match (plan.mode, one.code) {
            (Mode::Reject, _) => "reject: the event is refused, and held for a replay",
            // What is not there cannot be taken away.
            (Mode::Strip, Code::PlanMissing | Code::PlanUnknownEvent) => {
                "strip: the event is kept and flagged, because there is nothing to take away"
            }
            (Mode::Strip, _) => "strip: the event is kept without it, and flagged",
            (Mode::Flag, _) => "flag: the event is kept and flagged",
        };
        format!("{place}: {}: {}. {becomes}", one.code.name(), one.message)
    };
    violations.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::check;
    use super::*;
    use crate::event::Event;

    /// The lines about an order with a total of another type and without its id.
    fn lines(mode: &str) -> (Vec<String>, bool) {
        let text = format!(
            "[plan]\nmode = \"{mode}\"\n[[plan.event]]\nname = \"Order Completed\"\n[plan.event.properties]\n\
             order_id = {{ type = \"text\", required = true }}\ntotal = \"number\"\n"
        );
        let plan = crate::config::parse_plan(&text).unwrap().unwrap();
        let event = json!({
            "messageId": "m1", "type": "track", "event": "Order Completed", "anonymousId": "a1", "context": {},
            "properties": {"total": "much"}, "timestamp": "2026-11-24T10:00:00Z", "receivedAt": "2026-11-24T10:00:00Z",
        });
        let mut event: Event = serde_json::from_value(event).unwrap();
        let violations = check(&mut event, &plan);
        (told(&plan, &violations), refusal(plan.mode, &violations).is_some())
    }

    #[test]
    fn a_line_says_which_property_violates_the_plan_and_what_becomes_of_the_event() {
        let missing =
            "properties.order_id: plan_missing: the tracking plan requires this: send text";
        let of_type = "properties.total: plan_type: the tracking plan wants a number here";
        let of = |id: &str, total: &str, is_refused| {
            (vec![format!("{missing}. {id}"), format!("{of_type}. {total}")], is_refused)
        };
        let kept = "flag: the event is kept and flagged";
        assert_eq!(lines("flag"), of(kept, kept, false));
        let nothing = "strip: the event is kept and flagged, because there is nothing to take away";
        let without = "strip: the event is kept without it, and flagged";
        assert_eq!(lines("strip"), of(nothing, without, false));
        let refused = "reject: the event is refused, and held for a replay";
        assert_eq!(lines("reject"), of(refused, refused, true));
    }
}
