//! The object that keeps a destination's access tokens: grant, token, the last failure, and a person who is connecting.
//!
//! Each function reads the one row, changes it and stores it. Everything in it is sealed. This folder makes no request: the shell
//! makes one at a time, and brings its result here.

mod kept;
mod terms;

pub use terms::Terms;

use jiff::Timestamp;

use self::kept::{CONNECT_MS, Kept};
use super::schema;
pub use super::schema::Updated as Volatile;
use crate::calls::tokens::{Granted, Refusal, Shown, TokenAnswer, TokensStanding};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlValue};
use crate::seal::{self, Key};

/// What is sealed.
const CONTEXT: &str = "tokens";

/// What the functions of this folder need besides the storage.
pub struct Turn<'t> {
    /// The configuration's part.
    pub terms: &'t Terms,
    /// Seals the row.
    pub key: &'t Key,
    /// The time.
    pub now: Timestamp,
}

impl Turn<'_> {
    fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// Reads what is kept, for today's client. An object that has stored nothing gets no storage by this. While a row does not open,
    /// the one aside of it counts.
    fn read(&self, sql: &impl Sql, volatile: &mut Volatile) -> Result<Kept, Failure> {
        if !schema::is_present(sql)? {
            return Ok(Kept::default().adapt(self.terms));
        }
        volatile.once(sql, schema::TOKENS)?;
        let open = |row: &str| -> Result<Option<Option<Kept>>, Failure> {
            let rows = sql.exec(row, &[])?;
            let Some(row) = rows.first() else { return Ok(None) };
            let text = seal::open(self.key, CONTEXT, row.bytes("sealed")?).ok();
            let text = text.and_then(|text| String::from_utf8(text).ok());
            Ok(Some(text.map(|text| decode(&text)).transpose()?))
        };
        let kept = match open("SELECT sealed FROM kept")? {
            Some(Some(kept)) => kept,
            None => Kept::default(),
            // Tokens of the client's own are got again.
            Some(None) if !self.terms.needs_grant => Kept::default(),
            Some(None) => open("SELECT sealed FROM aside")?.flatten().unwrap_or_default().aside(),
        };
        Ok(kept.adapt(self.terms))
    }

    fn write(&self, sql: &impl Sql, volatile: &mut Volatile, kept: &Kept) -> Result<(), Failure> {
        volatile.once(sql, schema::TOKENS)?;
        let text = encode(kept)?;
        let nonce = self.key.nonce(CONTEXT, text.as_bytes());
        let sealed = seal::seal(self.key, CONTEXT, nonce, text.as_bytes())?;
        if kept.is_aside() {
            let row = "INSERT OR REPLACE INTO aside (one, sealed) VALUES (1, ?)";
            return sql.run(row, &[SqlValue::Bytes(sealed)]);
        }
        sql.run("DELETE FROM aside", &[])?;
        let row = "INSERT OR REPLACE INTO kept (one, sealed) VALUES (1, ?)";
        sql.run(row, &[SqlValue::Bytes(sealed)])
    }
}

/// Answers a caller who wants a token; `None` if a request is needed first. `stale` is the hash of a token that the service refused.
///
/// # Errors
/// The error of the storage.
pub fn answer(
    sql: &impl Sql,
    volatile: &mut Volatile,
    turn: &Turn<'_>,
    stale: Option<&str>,
) -> Result<Option<TokenAnswer>, Failure> {
    Ok(turn.read(sql, volatile)?.answer(turn.terms, stale, turn.now_ms()))
}

/// Notes that a token request is about to be made, and returns what it shows. The note is durable before the request leaves. `None` if
/// there is nothing that may be shown, and then [`answer`] returns the reason.
///
/// # Errors
/// The error of the storage.
pub fn begin(
    sql: &impl Sql,
    volatile: &mut Volatile,
    turn: &Turn<'_>,
) -> Result<Option<Shown>, Failure> {
    let mut kept = turn.read(sql, volatile)?;
    let shown = kept.begin(turn.terms, turn.now_ms());
    // A client's request may be repeated, so it needs no note.
    if turn.terms.needs_grant {
        turn.write(sql, volatile, &kept)?;
    }
    Ok(shown)
}

/// Notes the result of a token request: the new grant is durable before anybody gets the token.
///
/// # Errors
/// The error of the storage.
pub fn end(
    sql: &impl Sql,
    volatile: &mut Volatile,
    turn: &Turn<'_>,
    stale: Option<&str>,
    (shown, result): (&Shown, Result<Granted, Refusal>),
) -> Result<(), Failure> {
    let mut kept = turn.read(sql, volatile)?;
    match result {
        Ok(granted) => {
            // Only a code can lack its refresh token, and `end_connect` ends codes.
            let _ = kept.take(granted, shown, stale, turn.now_ms());
        }
        Err(refusal) => kept.refuse(refusal, turn.terms, turn.now_ms()),
    }
    turn.write(sql, volatile, &kept)
}

/// Notes that a person begins to connect, with a nonce and a verifier. Returns when the beginning ends.
///
/// # Errors
/// The error of the storage.
pub fn connect(
    sql: &impl Sql,
    volatile: &mut Volatile,
    turn: &Turn<'_>,
    secrets: (String, String),
    redirect_uri: String,
) -> Result<i64, Failure> {
    let mut kept = turn.read(sql, volatile)?;
    kept.connect(secrets, redirect_uri, turn.now_ms());
    turn.write(sql, volatile, &kept)?;
    Ok(turn.now_ms() + CONNECT_MS)
}

/// Ends the beginning with this nonce, and returns what the request for its code shows; `None` if there is no such beginning.
///
/// # Errors
/// The error of the storage.
pub fn take_code(
    sql: &impl Sql,
    volatile: &mut Volatile,
    turn: &Turn<'_>,
    nonce: &str,
    code: String,
) -> Result<Option<Shown>, Failure> {
    let mut kept = turn.read(sql, volatile)?;
    let shown = kept.end_connect(nonce, code, turn.now_ms());
    turn.write(sql, volatile, &kept)?;
    Ok(shown)
}

/// Notes the grant that a code brought. The grant before stays where the code brought none.
///
/// # Errors
/// The error of the storage; inside, why the code brought no grant.
pub fn end_connect(
    sql: &impl Sql,
    volatile: &mut Volatile,
    turn: &Turn<'_>,
    (shown, granted): (&Shown, Granted),
) -> Result<Result<(), String>, Failure> {
    let mut kept = turn.read(sql, volatile)?;
    let taken = kept.take(granted, shown, None, turn.now_ms());
    if taken.is_ok() {
        turn.write(sql, volatile, &kept)?;
    }
    Ok(taken)
}

/// Reads how things stand.
///
/// # Errors
/// The error of the storage.
pub fn standing(
    sql: &impl Sql,
    volatile: &mut Volatile,
    turn: &Turn<'_>,
) -> Result<TokensStanding, Failure> {
    Ok(turn.read(sql, volatile)?.standing(turn.terms))
}
