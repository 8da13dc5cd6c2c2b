//! Operations of replicas, and commands that the hub applies itself.
//!
//! A delta → a view or a refusal. The core judges the operations of a delta. This file binds a replica to the first
//! token that it uses, and stores the judged delta.

use hilo_core::cart::epoch::Applied;
use hilo_core::cart::hub::{Checked, check};
use hilo_core::cart::wire::{Ops, Revision};
use hilo_core::cart::{Cart, Dot, LineInfo, LineKey, Quantity, Refusal, ReplicaId, join};

use super::hub::{ChangeKind, Hub};
use super::state::{Bound, first_time, has_happened};
use super::touch;
use crate::calls::cart::{CartAnswer, Command, CommandOp, Person, Since, Speaker};
use crate::calls::refused::{CartRefusal, RefusedCode};
use crate::platform::{Failure, Sql, SqlValue};
use crate::signature::sha256_hex;

/// The milliseconds without an operation after which a replica expires and has to begin again.
const REPLICA_IDLE_MS: i64 = 30 * 86_400_000;
/// The precision of the time of a replica's last operation: at most one operation an hour writes it.
const SEEN_MS: i64 = 3_600_000;
/// The most commands of one call.
const COMMANDS_MAX: usize = 64;
/// The most bytes of a command's id.
const COMMAND_ID_BYTES_MAX: usize = 128;
/// The most stored ids of commands. A command with an older id would be applied again.
const COMMANDS_KNOWN_MAX: i64 = 10_000;

impl<S: Sql> Hub<'_, S> {
    /// Applies a replica's operations.
    pub(super) fn ops(
        &mut self,
        ops: &Ops,
        person: Option<Person>,
        speaker: &Speaker,
    ) -> Result<CartAnswer, Failure> {
        let since = Since {
            epoch: ops.epoch,
            rev: Revision(ops.base),
            replica: Some(ops.replica),
            with_lines: speaker.is_server,
        };
        match self.apply(ops, person, speaker)? {
            Ok(_) => self.view(&since),
            Err(why) => CartAnswer::refused(why),
        }
    }

    /// Applies operations. Returns whether any of them was new, or why they are refused.
    pub(super) fn apply(
        &mut self,
        ops: &Ops,
        person: Option<Person>,
        speaker: &Speaker,
    ) -> Result<Result<bool, CartRefusal>, Failure> {
        if let Some(why) = self.refuse_moved() {
            return Ok(Err(why));
        }
        if let Some(why) = self.refuse_other_cart(ops)? {
            return Ok(Err(why));
        }
        let token = sha256_hex(ops.token.as_bytes());
        if let Err(refusal) = self.check_replica(ops, &token) {
            return Ok(Err(CartRefusal::from(&refusal)));
        }
        let state = &self.stored.state;
        let checked = check(
            &self.stored.cart,
            state.previous.as_ref(),
            ops.replica,
            ops,
            self.stored.state.rev.0 + 1,
        );
        match checked {
            Err(refusal) => Ok(Err(CartRefusal::from(&refusal))),
            Ok(Checked::Repeat { .. }) => Ok(Ok(false)),
            Ok(Checked::Fresh { delta, cart, .. }) => {
                self.hear(ops.replica, token)?;
                self.note_speaker(speaker);
                if !speaker.is_server {
                    // The person of the page's last delta counts. A delta without a person removes the person, because
                    // consent may have been withdrawn.
                    self.stored.state.person = person.filter(Person::is_consenting);
                }
                let last = Dot { r: ops.replica, n: ops.to };
                let edits = touch::edits(&self.stored.cart, &cart, last);
                self.change(&delta, *cart, ChangeKind::Edit)?;
                self.report_edits(&edits, speaker)?;
                Ok(Ok(true))
            }
        }
    }

    /// Refuses operations for a cart that is neither this one nor a guest's cart that has moved into it. A device may
    /// change hands: the first person's operations must not reach the second person's cart.
    fn refuse_other_cart(&self, ops: &Ops) -> Result<Option<CartRefusal>, Failure> {
        let is_this = ops.cart.is_empty() || ops.cart == self.turn.name;
        if is_this || has_happened(self.sql, "guest", &ops.cart)? {
            return Ok(None);
        }
        Ok(Some(RefusedCode::OtherCart.into()))
    }

    /// Refuses a replica that uses another token than its first one.
    fn check_replica(&self, ops: &Ops, token: &str) -> Result<(), Refusal> {
        let is_digest = ops.token.len() == 32 && ops.token.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_digest || ops.replica == ReplicaId(0) {
            return Err(Refusal::Malformed);
        }
        let applied = self.stored.cart.ctx.prefix(ops.replica);
        let ended = |applied| {
            let previous = Some(Applied::from([(ops.replica, applied)]));
            Err(Refusal::Epoch { previous })
        };
        match self.stored.replicas.get(&ops.replica) {
            Some(bound) if bound.token != token => Err(Refusal::ForeignReplica),
            Some(bound) if self.turn.ms() - bound.seen_ms > REPLICA_IDLE_MS => ended(applied),
            Some(_) => Ok(()),
            // The replica's binding has expired.
            None if applied > 0 => ended(applied),
            // The replica has edited a cart that was deleted. Its earlier operations counted in that cart.
            None if self.stored.version == 0 && ops.from > 1 && ops.from <= ops.to => {
                ended(ops.from.saturating_sub(1))
            }
            None => Ok(()),
        }
    }

    fn hear(&mut self, replica: ReplicaId, token: String) -> Result<(), Failure> {
        let now_ms = self.turn.ms();
        match self.stored.replicas.get(&replica) {
            Some(bound) if now_ms - bound.seen_ms < SEEN_MS => Ok(()),
            Some(_) => self.stored.bind(self.sql, replica, Bound { token, seen_ms: now_ms }),
            None => {
                // Expired replicas are deleted whenever a new one arrives.
                let oldest_ms = now_ms - REPLICA_IDLE_MS;
                self.stored.replicas.retain(|_, bound| bound.seen_ms >= oldest_ms);
                self.sql
                    .exec("DELETE FROM replicas WHERE seen_ms < ?", &[SqlValue::int(oldest_ms)?])?;
                self.stored.bind(self.sql, replica, Bound { token, seen_ms: now_ms })
            }
        }
    }

    /// Applies commands, each once. A command that cannot be applied ends the call with its refusal; the commands before
    /// it stay applied.
    pub(super) fn commands(
        &mut self,
        commands: &[Command],
        speaker: &Speaker,
    ) -> Result<CartAnswer, Failure> {
        if let Some(why) = self.refuse_moved() {
            return CartAnswer::refused(why);
        }
        let is_id = |id: &str| !id.is_empty() && id.len() <= COMMAND_ID_BYTES_MAX;
        let is_good = |command: &Command| {
            is_id(&command.id)
                && (command.op == CommandOp::Clear || command.line.is_some())
                && command.line.as_ref().is_none_or(LineKey::fits)
                && command.info.as_ref().is_none_or(LineInfo::fits)
        };
        if commands.is_empty() || commands.len() > COMMANDS_MAX || !commands.iter().all(is_good) {
            return CartAnswer::refused(RefusedCode::BadCommand.into());
        }
        for command in commands {
            if has_happened(self.sql, "command", &command.id)? {
                continue;
            }
            if let Err(refusal) = self.command(command, speaker)? {
                return CartAnswer::refused(CartRefusal::from(&refusal));
            }
        }
        self.sql.exec(
            "DELETE FROM once WHERE kind = 'command' AND seq <= (SELECT max(seq) FROM once) - ?",
            &[SqlValue::Int(COMMANDS_KNOWN_MAX)],
        )?;
        let since = Since {
            epoch: self.stored.cart.epoch,
            rev: Revision(0),
            replica: None,
            with_lines: true,
        };
        self.view(&since)
    }

    fn command(
        &mut self,
        command: &Command,
        speaker: &Speaker,
    ) -> Result<Result<(), Refusal>, Failure> {
        let hub = self.stored.state.hub;
        let mut delta = match carry_out(&self.stored.cart, hub, command) {
            Ok(delta) => delta,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let (Some(line), Some(info)) = (&command.line, &command.info)
            && delta.has(line)
        {
            delta.show(line, (self.stored.state.rev.0 + 1, info.clone()));
        }
        first_time(self.sql, "command", &command.id)?;
        self.note_speaker(speaker);
        let cart = &self.stored.cart;
        // This is the operation's own dot, because the hub writes without gaps.
        let last = Dot { r: hub, n: cart.ctx.prefix(hub).saturating_add(1) };
        let edits = touch::edits(cart, &join(cart, &delta), last);
        self.act(&delta, ChangeKind::Edit)?;
        self.report_edits(&edits, speaker)?;
        Ok(Ok(()))
    }
}

fn carry_out(cart: &Cart, hub: ReplicaId, command: &Command) -> Result<Cart, Refusal> {
    let quantity = command.quantity.map(Quantity::units);
    let units = quantity.unwrap_or(1);
    let line = || command.line.as_ref().ok_or(Refusal::BadLine);
    match command.op {
        CommandOp::Add => cart.add(hub, line()?, units),
        CommandOp::Set => cart.set(hub, line()?, quantity.ok_or(Refusal::BadQuantity)?),
        CommandOp::Dec => cart.dec(hub, line()?, units),
        CommandOp::Remove => cart.remove(hub, line()?),
        CommandOp::Clear => cart.clear(hub),
    }
}
