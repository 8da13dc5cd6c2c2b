//! What a cart's object stores: one row for the state, and rows for what is large or happens once.
//!
//! Parsed once per life of the object and then kept in memory. The row's version shows whether memory and storage still agree.

use std::collections::BTreeMap;

use hilo_core::cart::epoch::Applied;
use hilo_core::cart::touchpoint::{CartEvent, idle_id};
use hilo_core::cart::wire::{Full, Revision};
use hilo_core::cart::{Cart, LineInfo, LineKey, ReplicaId};
use serde::{Deserialize, Serialize};

use crate::calls::cart::{CustomerCart, Owner, Person, Speaker, Terms};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlValue};
use crate::signature::sha256_hex;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// The state beside the cart itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Whose cart it is.
    pub owner: Owner,
    /// How long it is kept.
    pub terms: Terms,
    /// The source that edited it last: touchpoints are judged in its name.
    pub source: String,
    /// Whether that is a server.
    pub is_server: bool,
    /// Grows with every change of the cart.
    pub rev: Revision,
    /// The replica in whose name the hub acts in this epoch.
    pub hub: ReplicaId,
    /// What the epoch before had applied at its end.
    pub previous: Option<Applied>,
    /// Whether it takes edits.
    pub standing: Standing,
    /// The last edit.
    pub edited_ms: i64,
    /// Since when nothing has happened: the last edit, or the end of a checkout.
    pub idle_ms: i64,
    /// The person that touchpoints are about, under analytics consent.
    pub person: Option<Person>,
    /// The last time it was reported as abandoned, until an order.
    pub abandoned: Option<Abandoned>,
    /// The checkout that is open.
    pub checkout: Option<OpenCheckout>,
}

impl State {
    /// When it counts as abandoned if nothing happens.
    pub(super) fn abandon_ms(&self) -> i64 {
        self.idle_ms + i64::from(self.terms.abandoned_s) * 1_000
    }

    /// When it has outlived itself.
    pub(super) fn expire_ms(&self) -> i64 {
        self.edited_ms + i64::from(self.terms.keep_days) * DAY_MS
    }
}

/// Whether a cart takes edits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    /// It does.
    #[default]
    Open,
    /// A guest's cart on its way into a customer's: nothing may change meanwhile.
    Leaving {
        /// Which merge.
        merge_id: String,
        /// Where to.
        to: CustomerCart,
    },
    /// A guest's cart that has arrived there.
    Left {
        /// Which merge.
        merge_id: String,
        /// The label of the customer's cart.
        into: String,
    },
}

/// A cart that was reported as abandoned: what the ids of its messages are made of, and the time of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Abandoned {
    pub label: String,
    pub epoch: u32,
    /// When the idle period began.
    pub idle_ms: i64,
    /// When it was reported.
    pub at_ms: i64,
}

impl Abandoned {
    /// The id of the event about it.
    pub(super) fn message_id(&self, event: CartEvent) -> String {
        let idle_ms = u64::try_from(self.idle_ms).unwrap_or(0);
        idle_id(event, &self.label, self.epoch, idle_ms)
    }
}

/// The checkout that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenCheckout {
    /// Its id.
    pub id: String,
    /// The digest of the lines it began with.
    pub sum_hash: String,
    /// When it counts as given up.
    pub until_ms: i64,
}

/// The digest of what would be paid for.
pub(super) fn sum_hash(cart: &Cart) -> Result<String, Failure> {
    let price = |line: &LineKey| cart.look(line).and_then(|(_, info)| info.unit_price);
    let lines: Vec<_> = cart
        .shown()
        .map(|(line, quantity)| (line, quantity, price(line).map(|price| price.to_string())))
        .collect();
    Ok(sha256_hex(encode(&lines)?.as_bytes()))
}

/// A replica, bound to the first token it came with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bound {
    /// SHA-256 of the token. Text that is no digest matches no token.
    pub token: String,
    /// When its last operation came.
    pub seen_ms: i64,
}

/// What is to be done at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    /// See whether it was abandoned.
    Abandon,
    /// See whether the open checkout was given up.
    Checkout,
    /// See whether it has outlived itself.
    Expire,
    /// Carry on with a merge that was left unfinished.
    Merge,
    /// Hand touchpoints on.
    Outbox,
}

impl Task {
    const ALL: [Task; 5] = [Task::Abandon, Task::Checkout, Task::Expire, Task::Merge, Task::Outbox];

    const fn name(self) -> &'static str {
        match self {
            Task::Abandon => "abandon",
            Task::Checkout => "checkout",
            Task::Expire => "expire",
            Task::Merge => "merge",
            Task::Outbox => "outbox",
        }
    }
}

/// Everything that is looked at for an operation.
#[derive(Clone, Debug)]
pub(super) struct StoredCart {
    /// The row's version; 0 before it is first written.
    pub version: i64,
    pub state: State,
    pub cart: Cart,
    pub replicas: BTreeMap<ReplicaId, Bound>,
    pub schedule: BTreeMap<Task, i64>,
}

#[derive(Serialize, Deserialize)]
struct Row<S> {
    state: S,
    epoch: u32,
    full: Full,
}

impl StoredCart {
    /// A cart that nothing has happened to.
    pub(super) fn fresh(speaker: &Speaker, hub: ReplicaId, now_ms: i64) -> StoredCart {
        StoredCart {
            version: 0,
            state: State {
                owner: speaker.owner.clone(),
                terms: speaker.terms,
                source: speaker.source.clone(),
                is_server: speaker.is_server,
                rev: Revision(0),
                hub,
                previous: None,
                standing: Standing::Open,
                edited_ms: now_ms,
                idle_ms: now_ms,
                person: None,
                abandoned: None,
                checkout: None,
            },
            cart: Cart::default(),
            replicas: BTreeMap::new(),
            schedule: BTreeMap::new(),
        }
    }

    /// Whether what is in memory is what is stored.
    pub(super) fn is_current(&self, sql: &impl Sql) -> Result<bool, Failure> {
        let rows = sql.exec("SELECT version FROM cart", &[])?;
        let stored = rows.first().map_or(Ok(0), |row| row.int("version"))?;
        Ok(stored == self.version)
    }

    /// Reads everything; `None` where nothing was ever written.
    pub(super) fn load(sql: &impl Sql) -> Result<Option<StoredCart>, Failure> {
        let rows = sql.exec("SELECT version, body FROM cart", &[])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let Row { state, epoch, full }: Row<State> = decode(row.text("body")?)?;
        let mut cart = full.cart(epoch);
        for row in sql.exec("SELECT line, body FROM infos", &[])? {
            let line: LineKey = decode(row.text("line")?)?;
            let (Revision(rev), info): (Revision, LineInfo) = decode(row.text("body")?)?;
            cart.show(&line, (rev, info));
        }
        let mut replicas = BTreeMap::new();
        for row in sql.exec("SELECT replica, token, seen_ms FROM replicas", &[])? {
            let id = row.text("replica")?.parse().map_err(|_| disagreement("replica"))?;
            let bound =
                Bound { token: row.text("token")?.to_owned(), seen_ms: row.int("seen_ms")? };
            replicas.insert(ReplicaId(id), bound);
        }
        let mut schedule = BTreeMap::new();
        for row in sql.exec("SELECT task, at_ms FROM schedule", &[])? {
            let name = row.text("task")?;
            if let Some(task) = Task::ALL.into_iter().find(|task| task.name() == name) {
                schedule.insert(task, row.int("at_ms")?);
            }
        }
        Ok(Some(StoredCart { version: row.int("version")?, state, cart, replicas, schedule }))
    }

    /// Writes the state's row.
    pub(super) fn save(&mut self, sql: &impl Sql) -> Result<(), Failure> {
        self.version += 1;
        let mut bare = self.cart.clone();
        bare.retain_looks(|_| false);
        let row = Row { state: &self.state, epoch: bare.epoch, full: Full::of(&bare) };
        sql.exec(
            "INSERT OR REPLACE INTO cart (id, version, body) VALUES (1, ?, ?)",
            &[SqlValue::int(self.version)?, encode(&row)?.into()],
        )?;
        Ok(())
    }

    /// Writes the display fields of these lines.
    pub(super) fn save_infos<'l>(
        &self,
        sql: &impl Sql,
        lines: impl Iterator<Item = &'l LineKey>,
    ) -> Result<(), Failure> {
        for line in lines {
            let Some((rev, info)) = self.cart.look(line) else { continue };
            sql.exec(
                "INSERT OR REPLACE INTO infos (line, body) VALUES (?, ?)",
                &[encode(line)?.into(), encode(&(Revision(*rev), info))?.into()],
            )?;
        }
        Ok(())
    }

    /// Forgets the display fields of lines that the cart has none of any more.
    pub(super) fn prune_infos(&self, sql: &impl Sql, before: &Cart) -> Result<(), Failure> {
        for (line, _) in before.looks().filter(|(line, _)| self.cart.look(line).is_none()) {
            sql.exec("DELETE FROM infos WHERE line = ?", &[encode(line)?.into()])?;
        }
        Ok(())
    }

    /// Binds a replica, or notes that it was heard of.
    pub(super) fn bind(
        &mut self,
        sql: &impl Sql,
        replica: ReplicaId,
        bound: Bound,
    ) -> Result<(), Failure> {
        sql.exec(
            "INSERT OR REPLACE INTO replicas (replica, token, seen_ms) VALUES (?, ?, ?)",
            &[
                replica.0.to_string().into(),
                bound.token.as_str().into(),
                SqlValue::int(bound.seen_ms)?,
            ],
        )?;
        self.replicas.insert(replica, bound);
        Ok(())
    }

    /// Sets or takes away a task's time.
    pub(super) fn schedule(
        &mut self,
        sql: &impl Sql,
        task: Task,
        at_ms: Option<i64>,
    ) -> Result<(), Failure> {
        if self.schedule.get(&task).copied() == at_ms {
            return Ok(());
        }
        let name = SqlValue::from(task.name());
        if let Some(at_ms) = at_ms {
            sql.exec(
                "INSERT OR REPLACE INTO schedule (task, at_ms) VALUES (?, ?)",
                &[name, SqlValue::int(at_ms)?],
            )?;
            self.schedule.insert(task, at_ms);
        } else {
            sql.exec("DELETE FROM schedule WHERE task = ?", &[name])?;
            self.schedule.remove(&task);
        }
        Ok(())
    }

    /// Sets a task's time, unless it is set for an earlier time: the task looks again whether its time has come.
    pub(super) fn schedule_by(
        &mut self,
        sql: &impl Sql,
        task: Task,
        at_ms: i64,
    ) -> Result<(), Failure> {
        match self.schedule.get(&task) {
            Some(set) if *set <= at_ms => Ok(()),
            Some(_) | None => self.schedule(sql, task, Some(at_ms)),
        }
    }
}

/// Notes that something happened; whether it is the first time.
pub(super) fn first_time(sql: &impl Sql, kind: &str, id: &str) -> Result<bool, Failure> {
    let rows = sql.exec(
        "INSERT INTO once (kind, id) VALUES (?, ?) ON CONFLICT (kind, id) DO NOTHING RETURNING seq",
        &[kind.into(), id.into()],
    )?;
    Ok(!rows.is_empty())
}

/// Whether something has happened.
pub(super) fn has_happened(sql: &impl Sql, kind: &str, id: &str) -> Result<bool, Failure> {
    let rows =
        sql.exec("SELECT seq FROM once WHERE kind = ? AND id = ?", &[kind.into(), id.into()])?;
    Ok(!rows.is_empty())
}

/// The newest ids of a kind, oldest first.
pub(super) fn happened(sql: &impl Sql, kind: &str, limit: u32) -> Result<Vec<String>, Failure> {
    let rows = sql.exec(
        "SELECT id FROM (SELECT seq, id FROM once WHERE kind = ? ORDER BY seq DESC LIMIT ?)
         ORDER BY seq",
        &[kind.into(), limit.into()],
    )?;
    rows.iter().map(|row| row.text("id").map(str::to_owned)).collect()
}

fn disagreement(column: &str) -> Failure {
    Failure::Fatal(format!("column {column} is not what was written"))
}
