//! The object that knows what was imported, so that the same row of a file counts once, whichever file and call it stands in.
//!
//! Calls as JSON in, answers out. A row is a keyed hash: nothing here names a person, an order or a number.

mod claims;

use jiff::Timestamp;

use self::claims::Call;
use super::schema;
pub use super::schema::Updated as Volatile;
use crate::calls::imports::{
    AHEAD_MAX, Begin, Begun, Counts, FAULTS_MAX, ImportStanding, ImportsCall, LineFault, Settle,
    Settled,
};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue, atomically};

/// How long the refused rows of an import are listed after its last call: people look at them for some weeks.
const IMPORT_MS: i64 = 90 * 86_400_000;
/// How long the hash of a row is kept, after the last call of its import. Rows that are older than the months of events are refused anyway.
const KEY_MS: i64 = 3 * 366 * 86_400_000;
/// The most hashes that one beginning of an import removes.
const REMOVED_KEYS_MAX: u32 = 20_000;

/// Answers a call.
///
/// # Errors
/// The error of the storage.
pub fn answer(
    sql: &impl Sql,
    volatile: &mut Volatile,
    call: &str,
    now: Timestamp,
) -> Result<String, Failure> {
    let call: ImportsCall = decode(call)?;
    if let (ImportsCall::Standing { .. }, false) = (&call, schema::is_present(sql)?) {
        return encode(&None::<ImportStanding>);
    }
    volatile.once(sql, schema::IMPORTS)?;
    let now_ms = now.as_millisecond();
    match call {
        ImportsCall::Begin(call) => encode(&atomically(sql, || begin(sql, &call, now_ms))?),
        ImportsCall::Settle(call) => encode(&atomically(sql, || settle(sql, &call, now_ms))?),
        ImportsCall::Standing { id } => encode(&standing(sql, &id)?),
    }
}

/// The row of an import.
struct Import {
    number: i64,
    source: String,
    kind: String,
    next_seq: u32,
    row: SqlRow,
}

fn find(sql: &impl Sql, id: &str) -> Result<Option<Import>, Failure> {
    let rows = sql.exec("SELECT * FROM imports WHERE id = ?", &[SqlValue::from(id)])?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    Ok(Some(Import {
        number: row.int("number")?,
        source: row.text("source")?.to_owned(),
        kind: row.text("kind")?.to_owned(),
        next_seq: small(&row, "next_seq")?,
        row,
    }))
}

fn small(row: &SqlRow, column: &str) -> Result<u32, Failure> {
    u32::try_from(row.int(column)?).map_err(|_| Failure::Fatal(format!("{column} is out of range")))
}

fn begin(sql: &impl Sql, call: &Begin, now_ms: i64) -> Result<Begun, Failure> {
    let import = match find(sql, &call.id)? {
        Some(import) => import,
        None => {
            clear(sql, now_ms)?;
            let number = "INSERT INTO imports (id, number, source, kind, began_ms, changed_ms)
                SELECT ?, coalesce(max(number), 0) + 1, ?, ?, ?, ? FROM imports";
            let (source, kind) = (call.source.as_str().into(), call.kind.as_str().into());
            let now = SqlValue::int(now_ms)?;
            sql.run(number, &[call.id.as_str().into(), source, kind, now.clone(), now])?;
            find(sql, &call.id)?
                .ok_or_else(|| Failure::Fatal("an import was not kept".to_owned()))?
        }
    };
    if (&import.source, &import.kind) != (&call.source, &call.kind) {
        return Ok(Begun::Changed);
    }
    if let Some((body, done)) = done(sql, &import, call.seq)? {
        return Ok(if body == call.body { Begun::Done(done) } else { Begun::Changed });
    }
    if call.seq >= import.next_seq.saturating_add(AHEAD_MAX) {
        return Ok(Begun::Ahead(import.next_seq));
    }
    let own = Call { import: import.number, seq: call.seq, updates: call.updates };
    Ok(Begun::Go(own.claim(sql, &call.rows)?))
}

/// The body's hash and the counts of a call that is done.
fn done(sql: &impl Sql, import: &Import, seq: u32) -> Result<Option<(String, Settled)>, Failure> {
    let rows = sql.exec(
        "SELECT body, counts, faults FROM calls WHERE import = ? AND seq = ?",
        &[SqlValue::int(import.number)?, seq.into()],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (counts, faults) = (decode(row.text("counts")?)?, decode(row.text("faults")?)?);
    let settled = Settled { counts, faults, next_seq: import.next_seq };
    Ok(Some((row.text("body")?.to_owned(), settled)))
}

fn settle(sql: &impl Sql, call: &Settle, now_ms: i64) -> Result<Settled, Failure> {
    let import = find(sql, &call.id)?
        .ok_or_else(|| Failure::Retriable("the import was not begun".to_owned()))?;
    // The same call twice at once: the first one counts.
    if let Some((_, done)) = done(sql, &import, call.seq)? {
        return Ok(done);
    }
    let number = SqlValue::int(import.number)?;
    claims::release(sql, (import.number, call.seq), &call.released)?;
    let kept = small(&import.row, "kept")?;
    let room = FAULTS_MAX.saturating_sub(kept as usize);
    let faults: Vec<&LineFault> = call.faults.iter().take(room).collect();
    sql.run(
        "INSERT INTO calls (import, seq, body, counts, faults) VALUES (?, ?, ?, ?, ?)",
        &[
            number.clone(),
            call.seq.into(),
            call.body.as_str().into(),
            encode(&call.counts)?.into(),
            encode(&faults)?.into(),
        ],
    )?;
    let next_seq = next_missing(sql, import.number, import.next_seq)?;
    let Counts { rows, accepted, duplicate, conflict, rejected } = call.counts;
    let mut values = Vec::new();
    for count in [rows, accepted, duplicate, conflict, rejected, faults.len() as u64] {
        values.push(SqlValue::int(i64::try_from(count).unwrap_or(i64::MAX))?);
    }
    let last = if call.is_last { call.seq.into() } else { SqlValue::Null };
    values.extend([next_seq.into(), last, SqlValue::int(now_ms)?, call.id.as_str().into()]);
    sql.run(
        "UPDATE imports SET \"rows\" = \"rows\" + ?, accepted = accepted + ?, duplicate = duplicate + ?, conflict = conflict + ?,
         rejected = rejected + ?, kept = kept + ?, next_seq = ?, last_seq = coalesce(?, last_seq), changed_ms = ? WHERE id = ?",
        &values,
    )?;
    Ok(Settled { counts: call.counts, faults: call.faults.clone(), next_seq })
}

/// The number of the first call from `from` on that is not done.
fn next_missing(sql: &impl Sql, import: i64, from: u32) -> Result<u32, Failure> {
    let rows = sql.exec(
        "SELECT seq FROM calls WHERE import = ? AND seq >= ? ORDER BY seq LIMIT ?",
        &[SqlValue::int(import)?, from.into(), (AHEAD_MAX + 1).into()],
    )?;
    let mut next = from;
    for row in &rows {
        if small(row, "seq")? != next {
            break;
        }
        next += 1;
    }
    Ok(next)
}

fn standing(sql: &impl Sql, id: &str) -> Result<Option<ImportStanding>, Failure> {
    let Some(import) = find(sql, id)? else { return Ok(None) };
    let count = |name: &str| import.row.int(name).map(i64::unsigned_abs);
    let counts = Counts {
        rows: count("rows")?,
        accepted: count("accepted")?,
        duplicate: count("duplicate")?,
        conflict: count("conflict")?,
        rejected: count("rejected")?,
    };
    let is_done = match import.row.get("last_seq") {
        SqlValue::Int(last) => i64::from(import.next_seq) > *last,
        SqlValue::Null | SqlValue::Text(_) | SqlValue::Bytes(_) => false,
    };
    let rows = sql.exec(
        "SELECT faults FROM calls WHERE import = ? AND faults <> '[]' ORDER BY seq",
        &[SqlValue::int(import.number)?],
    )?;
    let mut rejected_rows: Vec<LineFault> = Vec::new();
    for row in rows {
        rejected_rows.extend(decode::<Vec<LineFault>>(row.text("faults")?)?);
    }
    Ok(Some(ImportStanding {
        state: if is_done { "done" } else { "running" }.to_owned(),
        began_ms: import.row.int("began_ms")?,
        changed_ms: import.row.int("changed_ms")?,
        next_seq: import.next_seq,
        source: import.source,
        kind: import.kind,
        counts,
        rejected_rows,
    }))
}

/// Removes what is too old, at the beginning of each import. An import's row stays while hashes name it.
fn clear(sql: &impl Sql, now_ms: i64) -> Result<(), Failure> {
    let (calls, keys) = (SqlValue::int(now_ms - IMPORT_MS)?, SqlValue::int(now_ms - KEY_MS)?);
    sql.run(
        "UPDATE calls SET faults = '[]' WHERE faults <> '[]' AND import IN (SELECT number FROM imports WHERE changed_ms < ?)",
        &[calls],
    )?;
    sql.run(
        "DELETE FROM keys WHERE key IN (SELECT key FROM keys WHERE import IN (SELECT number FROM imports WHERE changed_ms < ?) LIMIT ?)",
        &[keys, REMOVED_KEYS_MAX.into()],
    )
}

#[cfg(test)]
mod tests;
