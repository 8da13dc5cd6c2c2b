//! Recorded choices: reports are ordered by their time.

use super::*;
use crate::calls::ConsentReport;

impl Object {
    fn change(&mut self, change: ConsentChange) -> ConsentRecorded {
        self.ask(&ProfileCall::Consent(change))
    }

    fn report(&mut self, id: &str, at: &str, state: &str) -> ConsentRecorded {
        let report = ConsentReport { message_id: id.to_owned(), chosen_at: at.parse().unwrap() };
        self.change(ConsentChange { report: Some(report), ..change(0, "analytics", state) })
    }
}

fn change(revision: u32, purpose: &str, state: &str) -> ConsentChange {
    ConsentChange {
        subject: "s".to_owned(),
        controller: "Shop".to_owned(),
        revision,
        changes: vec![ChoiceChange {
            purpose: purpose.to_owned(),
            state: state.to_owned(),
            at: "2026-11-24T10:00:00Z".to_owned(),
            method: Method::Import,
        }],
        notice: Notice::default(),
        signals: Default::default(),
        random: [7; 16],
        report: None,
    }
}

#[test]
fn of_two_reports_the_later_counts_in_whatever_order_they_arrive() {
    let mut object = Object::new();
    let stands = |recorded: ConsentRecorded| recorded.state["analytics"].clone();
    object.report("r1", "2026-11-24T08:00:00Z", "denied");
    assert_eq!(stands(object.report("r2", "2026-11-24T09:00:00Z", "granted")), "granted");
    assert_eq!(stands(object.report("r3", "2026-11-24T08:30:00Z", "denied")), "granted");
    assert_eq!(stands(object.report("r4", "2026-11-24T09:00:00Z", "denied")), "denied");
    assert_eq!(stands(object.report("r5", "2026-11-24T09:00:00Z", "granted")), "denied");
}

#[test]
fn a_report_takes_the_next_revision_and_is_recorded_once() {
    let mut object = Object::new();
    object.decide(4, "analytics", "granted");
    let first = object.report("r1", "2026-11-24T11:00:00Z", "denied");
    assert_eq!(first.receipt.revision, 5);
    let again = object.report("r1", "2026-11-24T09:59:59Z", "denied");
    assert_eq!(again.receipt, first.receipt);
    assert_eq!(object.record(vec![kept("m1", 4)]), [Recorded::ConsentDenied]);
}
