//! Objects in memory, for the shared loops of `shell`: storage, clock, alarm, queue.

use std::rc::Rc;

use jiff::Timestamp;

use super::MemorySql;
use super::world::{InboxRoom, Stored, TokensRoom, World};
use crate::calls::{Delivery, Packed, messages};
use crate::platform::Failure;
use crate::shell::alarm::Alarm;
use crate::shell::cart::CartHost;
use crate::shell::inbox::InboxHost;
use crate::shell::journal::JournalHost;
use crate::shell::profile::{ProfileHost, Unsent};
use crate::shell::tokens::TokensHost;
use crate::shell::turns::Turns;
use crate::store::cart::{self, News, Turn};
use crate::store::inbox;
use crate::store::journal;
use crate::store::profile;
use crate::store::tokens;

/// An object and its deployment.
pub(super) struct Host<'m, V> {
    pub(super) world: &'m World,
    pub(super) name: &'m str,
    pub(super) stored: &'m Stored<V>,
}

/// A profile's object.
pub(super) type Profile<'m> = Host<'m, profile::Volatile>;
/// A cart's object. A cart in memory has no sockets.
pub(super) type Cart<'m> = Host<'m, cart::Volatile>;
/// An object of the journal.
pub(super) type Journal<'m> = Host<'m, journal::Volatile>;
/// An object of the inbox.
pub(super) type Inbox<'m> = Host<'m, InboxRoom>;

impl ProfileHost for Profile<'_> {
    type Sql = MemorySql;

    fn with<T>(&self, work: impl FnOnce(&MemorySql, &mut profile::Volatile) -> T) -> T {
        work(&self.stored.sql, &mut self.stored.volatile.borrow_mut())
    }

    fn now(&self) -> Timestamp {
        self.world.now()
    }

    fn alarm(&self) -> &Alarm {
        &self.stored.alarm
    }

    fn set_alarm(&self, at_ms: i64) -> Result<(), Failure> {
        self.stored.set_alarm(at_ms)
    }

    async fn send(&self, deliveries: &[Delivery]) -> Result<(), Unsent> {
        let mut accepted = 0;
        let packed = messages(deliveries).map_err(|why| Unsent { accepted, why })?;
        for Packed { text, count } in packed {
            self.world.enqueue(text).map_err(|why| Unsent { accepted, why })?;
            accepted += count;
        }
        Ok(())
    }

    async fn delete(&self) -> Result<(), Failure> {
        self.world.forget_profile(self.name);
        Ok(())
    }
}

impl CartHost for Cart<'_> {
    type Sql = MemorySql;

    fn with<T>(&self, work: impl FnOnce(&MemorySql, &mut cart::Volatile, Turn<'_>) -> T) -> T {
        let random = self.world.random16();
        let turn = Turn { name: self.name, now: self.world.now(), random };
        work(&self.stored.sql, &mut self.stored.volatile.borrow_mut(), turn)
    }

    fn tell(&self, _: &[News]) {}

    fn socket_deadline_ms(&self) -> Option<i64> {
        None
    }

    fn alarm(&self) -> &Alarm {
        &self.stored.alarm
    }

    fn set_alarm(&self, at_ms: i64) -> Result<(), Failure> {
        self.stored.set_alarm(at_ms)
    }

    async fn delete(&self) -> Result<(), Failure> {
        self.world.forget_cart(self.name);
        Ok(())
    }
}

impl Journal<'_> {
    /// The name of the head.
    pub(super) const HEAD: &'static str = "journal";
}

impl JournalHost for Journal<'_> {
    type Sql = MemorySql;

    fn with<T>(&self, work: impl FnOnce(&MemorySql, &mut journal::Volatile) -> T) -> T {
        work(&self.stored.sql, &mut self.stored.volatile.borrow_mut())
    }

    fn part(&self) -> journal::Part {
        if self.name == Journal::HEAD { journal::Part::Head } else { journal::Part::Shard }
    }

    fn alarm(&self) -> &Alarm {
        &self.stored.alarm
    }

    fn set_alarm(&self, at_ms: i64) -> Result<(), Failure> {
        self.stored.set_alarm(at_ms)
    }

    async fn delete(&self) -> Result<(), Failure> {
        self.world.forget_journal(self.name);
        Ok(())
    }
}

/// The object with a destination's tokens.
pub(super) struct Tokens<'m> {
    pub(super) stored: &'m Stored<TokensRoom>,
}

impl TokensHost for Tokens<'_> {
    type Sql = MemorySql;

    fn with<T>(&self, work: impl FnOnce(&MemorySql, &mut tokens::Volatile) -> T) -> T {
        work(&self.stored.sql, &mut self.stored.volatile.borrow_mut().volatile)
    }

    fn turns(&self) -> Rc<Turns> {
        Rc::clone(&self.stored.volatile.borrow().turns)
    }
}

impl InboxHost for Inbox<'_> {
    type Sql = MemorySql;

    fn with<T>(&self, work: impl FnOnce(&MemorySql, &mut inbox::Volatile) -> T) -> T {
        work(&self.stored.sql, &mut self.stored.volatile.borrow_mut().volatile)
    }

    fn turns(&self) -> Rc<Turns> {
        Rc::clone(&self.stored.volatile.borrow().turns)
    }

    fn alarm(&self) -> &Alarm {
        &self.stored.alarm
    }

    fn set_alarm(&self, at_ms: i64) -> Result<(), Failure> {
        self.stored.set_alarm(at_ms)
    }

    async fn delete(&self) -> Result<(), Failure> {
        self.world.forget_inbox(self.name);
        Ok(())
    }
}
