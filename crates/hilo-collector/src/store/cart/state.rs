//! The storage of a cart's object: one row for the state, and further rows for large values and for ids that count once.
//!
//! The state is parsed once per life of the object and then kept in memory. The row's version shows whether memory and
//! storage agree.

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

/// The state of a cart beside its lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// The owner of the cart.
    pub owner: Owner,
    /// How long the cart is kept.
    pub terms: Terms,
    /// The name of the source that edited the cart last. Touchpoints are judged by this source's settings.
    pub source: String,
    /// Whether this source is a server.
    pub is_server: bool,
    /// The revision, which grows with every change of the cart.
    pub rev: Revision,
    /// The replica in whose name the hub acts in this epoch.
    pub hub: ReplicaId,
    /// The operations that the epoch before had applied at its end.
    pub previous: Option<Applied>,
    /// Whether the cart takes edits.
    pub standing: Standing,
    /// The time of the last edit.
    pub edited_ms: i64,
    /// The beginning of the idle period: the last edit, or the end of a checkout.
    pub idle_ms: i64,
    /// The person that touchpoints are about, under analytics consent.
    pub person: Option<Person>,
    /// The last report of an abandoned cart, until an order.
    pub abandoned: Option<Abandoned>,
    /// The open checkout.
    pub checkout: Option<OpenCheckout>,
}

impl State {
    /// The time at which the cart counts as abandoned if it stays idle.
    pub(super) fn abandon_ms(&self) -> i64 {
        self.idle_ms + i64::from(self.terms.abandoned_s) * 1_000
    }

    /// The time at which the cart expires.
    pub(super) fn expire_ms(&self) -> i64 {
        self.edited_ms + i64::from(self.terms.keep_days) * DAY_MS
    }
}

/// Whether a cart takes edits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    /// The cart takes edits.
    #[default]
    Open,
    /// A guest's cart is moving into a customer's. It takes no edits meanwhile.
    Leaving {
        /// The id of the merge.
        merge_id: String,
        /// The customer's cart.
        to: CustomerCart,
        /// When the merge began, milliseconds since the epoch.
        #[serde(default)]
        begun_ms: i64,
    },
    /// A guest's cart has moved into a customer's.
    Left {
        /// The id of the merge.
        merge_id: String,
        /// The label of the customer's cart.
        into: String,
    },
}

/// The report of an abandoned cart: the beginning of the idle period, which is part of the message ids, and the time of
/// the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Abandoned {
    pub label: String,
    pub epoch: u32,
    /// The beginning of the idle period.
    pub idle_ms: i64,
    /// The time of the report.
    pub at_ms: i64,
}

impl Abandoned {
    /// Makes the message id of an event about this report.
    pub(super) fn message_id(&self, event: CartEvent) -> String {
        let idle_ms = u64::try_from(self.idle_ms).unwrap_or(0);
        idle_id(event, &self.label, self.epoch, idle_ms)
    }
}

/// The open checkout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenCheckout {
    /// The checkout's id.
    pub id: String,
    /// The digest of the lines at the beginning of the checkout.
    pub sum_hash: String,
    /// The time at which the checkout counts as given up.
    pub until_ms: i64,
}

/// Makes the digest of the lines that a buyer would pay for.
pub(super) fn sum_hash(cart: &Cart) -> Result<String, Failure> {
    let price = |line: &LineKey| cart.look(line).and_then(|(_, info)| info.unit_price);
    let lines: Vec<_> = cart
        .shown()
        .map(|(line, quantity)| (line, quantity, price(line).map(|price| price.to_string())))
        .collect();
    Ok(sha256_hex(encode(&lines)?.as_bytes()))
}

/// A replica, bound to the first token that it used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bound {
    /// SHA-256 of the token. Text that is no digest matches no token.
    pub token: String,
    /// The time of the replica's last operation.
    pub seen_ms: i64,
}

/// A task with a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    /// Check whether the cart is abandoned.
    Abandon,
    /// Check whether the open checkout is given up.
    Checkout,
    /// Check whether the cart has expired.
    Expire,
    /// Continue an unfinished merge.
    Merge,
    /// Send touchpoints.
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

/// The values that every operation needs.
#[derive(Clone, Debug)]
pub(super) struct StoredCart {
    /// The row's version; 0 before the first write.
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
    /// Makes the state of an unused cart.
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

    /// Whether memory and storage agree.
    pub(super) fn is_current(&self, sql: &impl Sql) -> Result<bool, Failure> {
        let rows = sql.exec("SELECT version FROM cart", &[])?;
        let stored = rows.first().map_or(Ok(0), |row| row.int("version"))?;
        Ok(stored == self.version)
    }

    /// Reads all values; `None` if nothing was ever written.
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

    /// Deletes the display fields of lines that the cart no longer has.
    pub(super) fn prune_infos(&self, sql: &impl Sql, before: &Cart) -> Result<(), Failure> {
        for (line, _) in before.looks().filter(|(line, _)| self.cart.look(line).is_none()) {
            sql.exec("DELETE FROM infos WHERE line = ?", &[encode(line)?.into()])?;
        }
        Ok(())
    }

    /// Binds a replica to its token, or updates the time of its last operation.
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

    /// Sets or deletes a task's time.
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

    /// Sets a task's time, unless an earlier time is set: the task checks again whether its time has come.
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

/// Stores an id that counts once. Returns whether it is the first time.
pub(super) fn first_time(sql: &impl Sql, kind: &str, id: &str) -> Result<bool, Failure> {
    let rows = sql.exec(
        "INSERT INTO once (kind, id) VALUES (?, ?) ON CONFLICT (kind, id) DO NOTHING RETURNING seq",
        &[kind.into(), id.into()],
    )?;
    Ok(!rows.is_empty())
}

/// Whether an id was stored.
pub(super) fn has_happened(sql: &impl Sql, kind: &str, id: &str) -> Result<bool, Failure> {
    let rows =
        sql.exec("SELECT seq FROM once WHERE kind = ? AND id = ?", &[kind.into(), id.into()])?;
    Ok(!rows.is_empty())
}

/// Lists the newest ids of a kind, oldest first.
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
