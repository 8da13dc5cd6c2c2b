//! Which role may make which admin call. This is the one place that decides it.
//!
//! An admin call → its roles. Who has which role stands in `hilo.toml`, and `door.rs` finds it out.

use hilo_core::config::Role::{self, Agent, Marketer, Operator, Owner};

use super::table::AdminCall;

/// Everybody who is let in.
const ALL: &[Role] = &[Marketer, Agent, Owner, Operator];
/// Whoever looks at what arrives and where it goes. No answer names a person.
const FLOWS: &[Role] = &[Marketer, Owner, Operator];
/// Whoever changes how the deployment works.
const RUNS: &[Role] = &[Owner, Operator];
/// Whoever looks at persons.
const PERSONS: &[Role] = &[Agent, Owner];

/// The roles that may make this call. A new call does not compile before it has its roles.
pub(super) const fn of(call: AdminCall) -> &'static [Role] {
    match call {
        AdminCall::Calls => ALL,
        AdminCall::Rejects
        | AdminCall::Destinations
        | AdminCall::Deliveries
        | AdminCall::Feeds
        | AdminCall::FeedEvents => FLOWS,
        AdminCall::Connect
        | AdminCall::DeadLetters
        | AdminCall::Replay
        | AdminCall::Config
        | AdminCall::Deployment
        | AdminCall::Inbox
        | AdminCall::ReplayInbox
        | AdminCall::ReplayRejects
        | AdminCall::ReadFeed
        | AdminCall::ArchiveFiles
        | AdminCall::Import
        | AdminCall::ImportStanding => RUNS,
        // The live stream names devices and users.
        AdminCall::Profile
        | AdminCall::ProfileRows
        | AdminCall::Find
        | AdminCall::Cart
        | AdminCall::Live => PERSONS,
        // Nobody can take an erasure back, and opened lines leave the collector.
        AdminCall::Erase
        | AdminCall::PersonArchive
        | AdminCall::ArchiveLines
        | AdminCall::ArchiveOpen => &[Owner],
    }
}

/// Whether the role may make the call.
pub(super) fn may(role: Role, call: AdminCall) -> bool {
    of(call).contains(&role)
}

/// Whether the role learns what exactly is wrong with the deployment.
pub(super) const fn sees_faults(role: Role) -> bool {
    matches!(role, Owner | Operator)
}

#[cfg(test)]
mod tests {
    use super::super::table::ROWS;
    use super::*;

    fn paths(role: Role) -> Vec<String> {
        let rows = ROWS.iter().filter(|row| may(role, row.call));
        rows.map(|row| row.path.trim_start_matches("/admin/v1/").to_owned()).collect()
    }

    #[test]
    fn the_owner_may_make_every_call() {
        assert_eq!(paths(Owner).len(), ROWS.len());
    }

    #[test]
    fn neither_a_marketer_nor_an_operator_reads_a_person() {
        for role in [Marketer, Operator] {
            for path in paths(role) {
                let is_personal = ["profiles", "carts", "live"].iter().any(|p| path.starts_with(p));
                assert!(!is_personal, "{role:?} {path}");
            }
        }
    }

    #[test]
    fn an_agent_reads_persons_and_changes_nothing() {
        // An address stands in a body, because a URL is written into logs.
        let changes =
            |row: &&super::super::table::Row| row.method != "GET" && row.call != AdminCall::Find;
        assert_eq!(
            ROWS.iter().filter(|row| may(Agent, row.call)).find(changes).map(|row| row.path),
            None
        );
        assert!(paths(Agent).contains(&"profiles/:key".to_owned()));
    }
}
