//! A shard of the index: who has an address, and who waits under it.
//!
//! `answer` takes a call as JSON and returns JSON; `calls/index` has the shapes. A shard has keyed hashes and no address, and answers for
//! one key at a time, so nobody can list what is in it. It has no alarm: the profiles tell it what to forget.

pub use super::schema::Updated as Volatile;
use super::{at_rest, schema};
use crate::calls::index::{Found, IndexAsk, IndexCall, Owner, PERSONS_MAX, Proved, Waiting};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue, atomically};

/// Answers an [`IndexCall`].
///
/// # Errors
/// `Retriable` when the storage refuses. Nothing of the call is stored then.
pub fn answer(sql: &impl Sql, volatile: &mut Volatile, call: &str) -> Result<String, Failure> {
    let IndexCall { key, ask } = decode(call)?;
    let writes = matches!(ask, IndexAsk::Wait { .. } | IndexAsk::Prove(_));
    if !volatile.is_done() {
        // Most addresses are nobody's. Asking for one makes no storage.
        if !writes && !schema::is_present(sql)? {
            return match ask {
                IndexAsk::Find | IndexAsk::Wait { .. } => encode(&Found::default()),
                IndexAsk::Prove(_) => encode(&Proved::default()),
                IndexAsk::Repoint { .. } | IndexAsk::Forget { .. } => encode(&()),
            };
        }
        volatile.once(sql, schema::INDEX)?;
    }
    match ask {
        IndexAsk::Find => encode(&found(sql, &key)?),
        IndexAsk::Wait { contact, owners } => {
            encode(&atomically(sql, || wait(sql, &key, &contact, owners))?)
        }
        IndexAsk::Prove(owner) => encode(&atomically(sql, || prove(sql, &key, &owner))?),
        IndexAsk::Repoint { from, to } => {
            encode(&atomically(sql, || repoint(sql, &key, &from, &to))?)
        }
        IndexAsk::Forget { object } => encode(&atomically(sql, || forget(sql, &key, &object))?),
    }
}

fn found(sql: &impl Sql, key: &str) -> Result<Found, Failure> {
    let rows = sql.exec(
        "SELECT object, label FROM owners WHERE key = ? ORDER BY object",
        &[SqlValue::from(key)],
    )?;
    let owner = |row: &SqlRow| {
        let label = at_rest::open_text(sql, &place(key), row.text("label")?)?.into_owned();
        Ok(Owner { object: row.text("object")?.to_owned(), label })
    };
    let owners = rows.iter().map(owner).collect::<Result<_, Failure>>()?;
    let rows = sql.exec(
        "SELECT object, id FROM waiting WHERE key = ? AND claimed_by IS NULL ORDER BY id LIMIT 1",
        &[SqlValue::from(key)],
    )?;
    Ok(Found { owners, waiting: rows.first().map(waiting).transpose()? })
}

/// The place of a sealed label.
fn place(key: &str) -> String {
    format!("label {key}")
}

fn waiting(row: &SqlRow) -> Result<Waiting, Failure> {
    Ok(Waiting { object: row.text("object")?.to_owned(), id: row.text("id")?.to_owned() })
}

/// Lets a contact wait, unless one does or somebody has proved the address meanwhile.
fn wait(sql: &impl Sql, key: &str, contact: &Waiting, owners: usize) -> Result<Found, Failure> {
    let before = found(sql, key)?;
    if before.owners.len() != owners || before.waiting.is_some() {
        return Ok(before);
    }
    sql.run(
        "INSERT OR IGNORE INTO waiting (key, object, id) VALUES (?, ?, ?)",
        &[key, &contact.object, &contact.id].map(SqlValue::from),
    )?;
    found(sql, key)
}

fn prove(sql: &impl Sql, key: &str, owner: &Owner) -> Result<Proved, Failure> {
    let known = found(sql, key)?.owners;
    let is_known = known.iter().any(|one| one.object == owner.object);
    let is_shared = known.iter().any(|one| one.object != owner.object);
    if is_known || known.len() < PERSONS_MAX {
        put(sql, key, owner)?;
    }
    if is_shared {
        return Ok(Proved { is_shared, waiting: Vec::new() });
    }
    sql.run(
        "UPDATE waiting SET claimed_by = ?2 WHERE key = ?1 AND claimed_by IS NULL",
        &[key, &owner.object].map(SqlValue::from),
    )?;
    // Those of an earlier attempt too: a crash may have kept them from being linked.
    let rows = sql.exec(
        "SELECT object, id FROM waiting WHERE key = ? AND claimed_by = ? ORDER BY id",
        &[key, &owner.object].map(SqlValue::from),
    )?;
    Ok(Proved { is_shared, waiting: rows.iter().map(waiting).collect::<Result<_, Failure>>()? })
}

fn put(sql: &impl Sql, key: &str, owner: &Owner) -> Result<(), Failure> {
    let label = at_rest::seal_text(sql, &place(key), &owner.label)?;
    sql.run(
        "INSERT OR REPLACE INTO owners (key, object, label) VALUES (?, ?, ?)",
        &[key, &owner.object, &label].map(SqlValue::from),
    )
}

/// Gives an address to the person whom its owner turned out to be. A contact who has moved waits no longer.
fn repoint(sql: &impl Sql, key: &str, from: &str, to: &Owner) -> Result<(), Failure> {
    let is_owner = found(sql, key)?.owners.iter().any(|one| one.object == from);
    if is_owner {
        put(sql, key, to)?;
    }
    sql.run(
        "UPDATE waiting SET claimed_by = ?3 WHERE key = ?1 AND claimed_by = ?2",
        &[key, from, &to.object].map(SqlValue::from),
    )?;
    forget(sql, key, from)
}

fn forget(sql: &impl Sql, key: &str, object: &str) -> Result<(), Failure> {
    for table in ["owners", "waiting"] {
        let query = format!("DELETE FROM {table} WHERE key = ? AND object = ?");
        sql.run(&query, &[key, object].map(SqlValue::from))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::memory::MemorySql;

    const KEY: &str = "00112233445566778899aabbccddeeff";

    fn owner(object: &str) -> Owner {
        Owner { object: object.to_owned(), label: format!("u:{object}") }
    }

    fn contact(id: &str) -> Waiting {
        Waiting { object: format!("object of {id}"), id: id.to_owned() }
    }

    fn wait_as(id: &str, owners: usize) -> IndexAsk {
        IndexAsk::Wait { contact: contact(id), owners }
    }

    struct Shard(MemorySql, Volatile);

    impl Shard {
        fn new() -> Shard {
            Shard(MemorySql::new().unwrap().of("00"), Volatile::default())
        }

        fn ask<A: serde::de::DeserializeOwned>(&mut self, ask: IndexAsk) -> A {
            let call = encode(&IndexCall { key: KEY.to_owned(), ask }).unwrap();
            decode(&answer(&self.0, &mut self.1, &call).unwrap()).unwrap()
        }

        fn owners(&mut self) -> Vec<String> {
            let found: Found = self.ask(IndexAsk::Find);
            found.owners.into_iter().map(|one| one.object).collect()
        }
    }

    #[test]
    fn a_question_about_a_strangers_address_makes_no_storage() {
        let mut shard = Shard::new();
        assert_eq!(shard.ask::<Found>(IndexAsk::Find), Found::default());
        shard.ask::<()>(IndexAsk::Forget { object: "p".to_owned() });
        assert!(!schema::is_present(&shard.0).unwrap());
    }

    #[test]
    fn a_proof_claims_the_contact_who_waits_and_names_it_again_until_it_has_moved() {
        let mut shard = Shard::new();
        let found: Found = shard.ask(wait_as("c1", 0));
        assert_eq!(found.waiting, Some(contact("c1")));
        // The second contact finds the first one.
        let found: Found = shard.ask(wait_as("c2", 0));
        assert_eq!(found.waiting, Some(contact("c1")));
        for _ in 0..2 {
            let proved: Proved = shard.ask(IndexAsk::Prove(owner("p")));
            assert_eq!(proved, Proved { is_shared: false, waiting: vec![contact("c1")] });
        }
        let from = contact("c1").object;
        shard.ask::<()>(IndexAsk::Repoint { from, to: owner("p") });
        assert_eq!(shard.ask::<Proved>(IndexAsk::Prove(owner("p"))), Proved::default());
        assert_eq!(shard.owners(), ["p"]);
    }

    #[test]
    fn an_address_of_two_persons_claims_nobody_and_contacts_wait_under_it() {
        let mut shard = Shard::new();
        let _: Proved = shard.ask(IndexAsk::Prove(owner("p")));
        let _: Found = shard.ask(wait_as("c1", 0));
        let proved: Proved = shard.ask(IndexAsk::Prove(owner("q")));
        assert_eq!(proved, Proved { is_shared: true, waiting: vec![] });
        let found: Found = shard.ask(wait_as("c1", 2));
        assert_eq!((found.owners.len(), found.waiting), (2, Some(contact("c1"))));
        shard.ask::<()>(IndexAsk::Forget { object: "p".to_owned() });
        let proved: Proved = shard.ask(IndexAsk::Prove(owner("q")));
        assert_eq!(proved.waiting, [contact("c1")]);
    }

    #[test]
    fn nobody_waits_under_an_address_that_was_proved_meanwhile() {
        let mut shard = Shard::new();
        let _: Proved = shard.ask(IndexAsk::Prove(owner("p")));
        let found: Found = shard.ask(wait_as("c1", 0));
        assert_eq!(found, Found { owners: vec![owner("p")], waiting: None });
    }

    #[test]
    fn an_address_follows_its_owner_into_the_persons_profile() {
        let mut shard = Shard::new();
        let _: Proved = shard.ask(IndexAsk::Prove(owner("device")));
        let _: Proved = shard.ask(IndexAsk::Prove(owner("user")));
        for _ in 0..2 {
            let from = "device".to_owned();
            shard.ask::<()>(IndexAsk::Repoint { from, to: owner("user") });
            assert_eq!(shard.owners(), ["user"]);
        }
        // What the index never had of a profile is not given to anybody.
        shard.ask::<()>(IndexAsk::Forget { object: "user".to_owned() });
        shard.ask::<()>(IndexAsk::Repoint { from: "device".to_owned(), to: owner("user") });
        assert_eq!(shard.owners(), Vec::<String>::new());
    }

    #[test]
    fn a_copy_of_the_storage_shows_no_label() {
        let mut shard = Shard::new();
        let _: Proved = shard.ask(IndexAsk::Prove(owner("ana")));
        let rows = shard.0.exec("SELECT label FROM owners", &[]).unwrap();
        assert!(rows[0].text("label").unwrap().starts_with("sealed:"));
        assert_eq!(shard.ask::<Found>(IndexAsk::Find).owners[0].label, "u:ana");
    }

    #[test]
    fn an_office_with_one_number_fills_no_shard() {
        let mut shard = Shard::new();
        for n in 0..2 * PERSONS_MAX {
            let _: Proved = shard.ask(IndexAsk::Prove(owner(&format!("p{n:02}"))));
        }
        assert_eq!(shard.owners().len(), PERSONS_MAX);
    }
}
