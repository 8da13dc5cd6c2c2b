//! `POST /admin/v1/rejects/replay`: takes up events that the tracking plan has refused.
//!
//! Held events → the stages behind the plan → what became of them. A replay judges by the plan of today, and by the consent that is
//! recorded today. What still violates the plan stays held.

use std::collections::BTreeMap;

use hilo_core::config::Source;
use hilo_core::event::{Event, Facts};
use hilo_core::plan;
use serde_json::json;

use super::entry::Entry;
use crate::admin;
use crate::call::{Call, Trouble};
use crate::calls::decode;
use crate::calls::journal::held::HeldEvent;
use crate::calls::journal::{JournalCall, ask_journal};
use crate::loaded::Loaded;
use crate::platform::{Failure, Platform, Reply};

/// The most events of one replay. A second call replays more.
const REPLAY_MAX: u32 = 200;

/// Takes held events up again. What still violates the plan stays held.
pub(super) async fn take<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let Call { loaded, platform, .. } = *call;
    let wanted = admin::held_events(REPLAY_MAX, call)?;
    let held: Vec<HeldEvent> = ask_journal(platform, &JournalCall::Held(wanted)).await?;
    let mut by_source: BTreeMap<String, Vec<HeldEvent>> = BTreeMap::new();
    for one in held {
        by_source.entry(one.source.clone()).or_default().push(one);
    }
    let (mut replayed, mut duplicate, mut refused, mut still_held) = (0, 0, 0, 0);
    for (name, held) in by_source {
        // Nobody vouches for the events of a source that the file does not have any more.
        let Some(source) = loaded.config.sources.iter().find(|source| source.name == name) else {
            still_held += held.len();
            continue;
        };
        let taken = take_up(held, source, loaded, platform).await?;
        replayed += taken.replayed;
        duplicate += taken.duplicate;
        refused += taken.refused;
        still_held += taken.still_held;
    }
    Ok(admin::told(&json!({
        "replayed": replayed, "duplicate": duplicate, "refused": refused, "stillHeld": still_held,
    })))
}

/// What became of held events.
#[derive(Default)]
struct TakenUp {
    replayed: usize,
    duplicate: usize,
    refused: usize,
    still_held: usize,
}

async fn take_up<P: Platform>(
    held: Vec<HeldEvent>,
    source: &Source,
    loaded: &Loaded,
    platform: &P,
) -> Result<TakenUp, Failure> {
    let mut taken = TakenUp::default();
    let (mut entries, mut names) = (Vec::new(), Vec::new());
    for one in held {
        let mut event: Event = decode(&one.event)?;
        event.context.hilo.flags.retain(|flag| !flag.starts_with("plan_"));
        let violations =
            loaded.config.plan.as_ref().map(|plan| (plan.mode, plan::check(&mut event, plan)));
        if violations.is_some_and(|(mode, found)| plan::refusal(mode, &found).is_some()) {
            taken.still_held += 1;
            continue;
        }
        names.push((one.profile, one.message_hash));
        entries.push(Entry::of(entries.len(), event));
    }
    let facts = Facts {
        received_at: platform.now(),
        random: platform.random16(),
        trust: source.trust(),
        ..Facts::default()
    };
    super::keep(&mut entries, None, source, &facts, loaded, platform).await?;
    for entry in &entries {
        match entry.outcome.name() {
            "accepted" => taken.replayed += 1,
            "duplicate" => taken.duplicate += 1,
            _ => taken.refused += 1,
        }
    }
    let () = ask_journal(platform, &JournalCall::Released { events: names }).await?;
    Ok(taken)
}
