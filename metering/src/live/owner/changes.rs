//! What the owner writes: accounts and keys from the book, control changes.

use redis::{Cmd, Pipeline, Value};

use super::{Certified, OwnerError, OwnerLink};
use crate::live::answers::EVERYBODY;
use crate::live::keys::CHANGES;
use crate::live::replies::{Reply, odd};
use crate::live::scripts::Script;
use crate::live::{Settle, SettleOutcome, Undo, UndoOutcome, answers, commands};
use crate::{
    AccountId, AccountImage, Change, Credits, IdempotencyMark, KeyImage, KeyState, OpId, SessionVersion,
    SessionVersions, TimeMs, lots,
};

/// Marks written by one script call.
const MARKS_PAGE: usize = 1_000;

/// One outbox row for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlRow {
    /// Its number in the outbox, from 1.
    pub row: u64,
    /// The account.
    pub account: AccountId,
    /// The account's control version that it makes.
    pub version: u64,
    /// The change.
    pub change: Change,
}

/// The answer to a control change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlOutcome {
    /// It was applied now; its event says so.
    Applied,
    /// It was there already.
    Already,
    /// Live state is not at the version before it: install the account anew.
    Gap,
    /// Live state does not hold what the change needs: install the account anew, with what the book has.
    NeedsInstall,
    /// The lot is not past its expiry by the shard's clock: send it again later.
    Early,
    /// The account waits to be installed anew.
    Frozen,
}

/// The answer to an install.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallOutcome {
    /// Live state is as the book has it.
    Installed,
    /// Live state went on since the book was read: drain, read again.
    Moved,
}

impl OwnerLink {
    /// Applies control changes in order, in one round trip.
    pub async fn control(&mut self, shard: &Certified, rows: &[ControlRow]) -> Result<Vec<ControlOutcome>, OwnerError> {
        let commands = rows.iter().map(|row| control_command(shard, row)).collect();
        let replies = self.run_all(shard, commands).await?;
        replies
            .into_iter()
            .map(|mut reply| match reply.text()?.as_str() {
                "applied" => Ok(ControlOutcome::Applied),
                "already" => Ok(ControlOutcome::Already),
                "gap" => Ok(ControlOutcome::Gap),
                "early" => Ok(ControlOutcome::Early),
                "install" => Ok(ControlOutcome::NeedsInstall),
                "frozen" => Ok(ControlOutcome::Frozen),
                _ => Err(odd("an answer to a control change").into()),
            })
            .collect()
    }

    /// Writes accounts from the book, in one round trip, and before it their idempotency marks.
    pub async fn install(
        &mut self,
        shard: &Certified,
        images: &[AccountImage],
    ) -> Result<Vec<InstallOutcome>, OwnerError> {
        let marks =
            images.iter().flat_map(|image| image.idempotency.chunks(MARKS_PAGE).map(move |marks| (image, marks)));
        let marks = marks.map(|(image, marks)| put_marks_command(shard, &image.account, marks)).collect();
        self.run_all(shard, marks).await?;
        let commands = images.iter().map(|image| install_command(shard, image)).collect();
        let replies = self.run_all(shard, commands).await?;
        replies
            .into_iter()
            .map(|mut reply| match reply.text()?.as_str() {
                "installed" => Ok(InstallOutcome::Installed),
                "moved" => Ok(InstallOutcome::Moved),
                _ => Err(odd("an answer to an install").into()),
            })
            .collect()
    }

    /// For whom debits have asked in vain since this was last asked; while `goes_on` they are remembered, at most 64.
    pub async fn wanted(&mut self, shard: &Certified, goes_on: bool) -> Result<Vec<AccountId>, OwnerError> {
        let mut command = shard.evalsha(Script::Wanted, 1);
        command.arg(shard.fence.meta()).arg(if goes_on { "listen" } else { "done" });
        let mut reply = self.run_under(shard, command).await?;
        reply.time()?;
        let wanted = reply.text()?;
        wanted
            .split_terminator(' ')
            .map(|hex| AccountId::from_hex(hex).map_err(|_| odd("an account id").into()))
            .collect()
    }

    /// Stops an account until it is installed anew; answers its seq, or `None` where it is not there or can't be read.
    pub async fn freeze(
        &mut self,
        shard: &Certified,
        account: &AccountId,
        epoch: u64,
    ) -> Result<Option<u64>, OwnerError> {
        let mut command = shard.evalsha(Script::Freeze, 2);
        command.arg(shard.fence.meta()).arg(shard.fence.account(account)).arg(epoch);
        let mut reply = self.run_under(shard, command).await?;
        reply.time()?;
        match reply.text()?.as_str() {
            "frozen" => Ok(Some(reply.number()?)),
            _ => Ok(None),
        }
    }

    /// Releases a hold that nobody has settled in time: notes that it is to be undone; the book decides. As a gateway's undo.
    pub async fn release(&mut self, shard: &Certified, ask: &Undo) -> Result<UndoOutcome, OwnerError> {
        let mut command = shard.evalsha(Script::Undo, commands::undo_keys(ask));
        commands::undo_arguments(&mut command, &shard.fence, ask);
        let mut reply = self.run_under(shard, command).await?;
        reply.time()?;
        Ok(answers::read::undo(&mut reply)?)
    }

    /// Settles a hold once more, whose settlement went with the tail of a lost process. As a gateway's settlement.
    pub async fn settle_again(&mut self, shard: &Certified, ask: &Settle) -> Result<SettleOutcome, OwnerError> {
        let mut command = shard.evalsha(Script::Settle, commands::SETTLE_KEYS);
        commands::settle_arguments(&mut command, &shard.fence, ask);
        let mut reply = self.run_under(shard, command).await?;
        reply.time()?;
        Ok(answers::read::settle(&mut reply)?)
    }

    /// Writes keys as the book has them now, in one round trip. Answers the shard's sequence after the last write, for the book
    /// to note; `None` where there was nothing to write.
    pub async fn put_keys(&mut self, shard: &Certified, keys: &[KeyImage]) -> Result<Option<u64>, OwnerError> {
        let commands = keys.iter().map(|image| put_key_command(shard, image)).collect();
        let mut sequence = None;
        for mut reply in self.run_all(shard, commands).await? {
            reply.text()?;
            sequence = Some(reply.number()?);
        }
        Ok(sequence)
    }

    /// Runs commands in one round trip and opens each reply behind its time.
    async fn run_all(&mut self, shard: &Certified, commands: Vec<Cmd>) -> Result<Vec<Reply>, OwnerError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = Pipeline::with_capacity(commands.len());
        for command in commands {
            pipeline.add_command(commands::fenced(command, &shard.fence));
        }
        pipeline.ignore_errors(); // each reply says its own: an aggregate would hide that the shard is not certified
        let values: Vec<Value> = pipeline.query_async(&mut self.connection).await?;
        values
            .into_iter()
            .map(|value| {
                let mut reply = Reply::open(value)?;
                reply.time()?;
                Ok(reply)
            })
            .collect()
    }
}

fn control_command(shard: &Certified, row: &ControlRow) -> Cmd {
    let fence = &shard.fence;
    let beside = match &row.change {
        Change::UndoSettled { debit_op, .. } => fence.closed(debit_op),
        Change::SessionsEnded { .. } => fence.sessions(&row.account),
        _ => fence.closed(&OpId::from_uuid(uuid::Uuid::nil())),
    };
    let mut command = shard.evalsha(Script::Control, 7);
    command.arg(fence.meta()).arg(fence.events()).arg(fence.account(&row.account)).arg(fence.lots(&row.account));
    command.arg(fence.future_lots(&row.account)).arg(fence.emptied_lots(&row.account)).arg(beside);
    command.arg(row.account.hex()).arg(row.row).arg(row.version).arg(row.change.kind().as_str());
    change_arguments(&mut command, &row.change);
    command
}

/// What each kind of change needs, in the order of `control.lua`.
fn change_arguments(command: &mut Cmd, change: &Change) {
    match change {
        Change::AccountCreated { status, anchor } => command.arg(status.letter()).arg(anchor.day()),
        Change::StatusSet { status } => command.arg(status.letter()).arg(CHANGES),
        Change::BudgetSet { limit } => command.arg(limit.get()),
        Change::LotGranted { lot, credits, granted_at, expires_at } => {
            command.arg(lot.as_u64()).arg(credits.get()).arg(granted_at.as_u64()).arg(expires_at.as_u64())
        }
        Change::LotExpiryMoved { lot, expires_at } => command.arg(lot.as_u64()).arg(expires_at.as_u64()),
        Change::LotReduced { lot, credits } => command.arg(lot.as_u64()).arg(credits.get()),
        Change::LotExpired { lot } => command.arg(lot.as_u64()),
        Change::KeyRevoked { key } | Change::KeyCapped { key, .. } => command.arg(key.hex()),
        Change::RebuildAsked => command,
        Change::SessionsEnded { subject, version } => {
            let field = subject.as_ref().map_or_else(|| EVERYBODY.to_owned(), |subject| subject.digest().to_string());
            command.arg(field).arg(version.get()).arg(CHANGES)
        }
        Change::UndoSettled { split, period_end, counted, key, debited_at, .. } => {
            let credits = lots::total(split).unwrap_or(Credits::MAX); // a split is a debit's, whose sum was counted
            command.arg(lots::write(split)).arg(period_end.as_u64()).arg(credits.get()).arg(u8::from(*counted));
            let key = key.map_or_else(String::new, |key| key.hex());
            command.arg(key).arg(debited_at.as_u64())
        }
    };
}

fn put_marks_command(shard: &Certified, account: &AccountId, marks: &[IdempotencyMark]) -> Cmd {
    let fence = &shard.fence;
    let mut command = shard.evalsha(Script::PutMarks, marks.len().saturating_add(2));
    command.arg(fence.meta()).arg(fence.account(account));
    for mark in marks {
        command.arg(fence.idempotency(account, &mark.under.key));
    }
    for mark in marks {
        command.arg(mark.write());
    }
    command
}

fn install_command(shard: &Certified, image: &AccountImage) -> Cmd {
    let (fence, account) = (&shard.fence, &image.account);
    let mut command = shard.evalsha(Script::Install, image.open_undos.len().saturating_add(7));
    command.arg(fence.meta()).arg(fence.events()).arg(fence.account(account)).arg(fence.lots(account));
    command.arg(fence.future_lots(account)).arg(fence.emptied_lots(account)).arg(fence.sessions(account));
    for undo in &image.open_undos {
        command.arg(fence.closed(undo));
    }
    command.arg(account.hex()).arg(image.seq).arg(image.control_version).arg(image.control_row);
    command.arg(image.status.letter()).arg(image.anchor.day()).arg(image.budget_limit.get());
    command.arg(image.budget_used.get()).arg(image.budget_period_end.as_u64());
    command.arg(image.revoked_keys.len());
    for key in &image.revoked_keys {
        command.arg(key.hex());
    }
    command.arg(image.key_caps.len());
    for capped in &image.key_caps {
        command.arg(capped.key.hex()).arg(capped.of.hex());
        for cap in [capped.caps.day, capped.caps.month] {
            command.arg(cap.unwrap_or(Credits::ZERO).get());
        }
    }
    command.arg(image.key_counts.len());
    for count in &image.key_counts {
        command.arg(count.of.hex()).arg(count.day).arg(count.day_used.get());
        command.arg(count.period_end.as_u64()).arg(count.period_used.get());
    }
    command.arg(image.lots.len());
    for lot in &image.lots {
        command
            .arg(lot.lot.as_u64())
            .arg(lot.remaining.get())
            .arg(lot.granted_at.as_u64())
            .arg(lot.expires_at.as_u64());
    }
    session_arguments(&mut command, &image.sessions);
    command
}

/// How many versions, each with whose it is, and the channel on which gateways hear of them.
fn session_arguments(command: &mut Cmd, sessions: &SessionVersions) {
    let everybody = (sessions.everybody > SessionVersion::FIRST).then_some((EVERYBODY.to_owned(), sessions.everybody));
    let subjects = sessions.subjects.iter().map(|(subject, version)| (subject.to_string(), *version));
    let versions: Vec<(String, SessionVersion)> = everybody.into_iter().chain(subjects).collect();
    command.arg(versions.len());
    for (field, version) in versions {
        command.arg(field).arg(version.get());
    }
    command.arg(CHANGES);
}

fn put_key_command(shard: &Certified, image: &KeyImage) -> Cmd {
    let state = match image.state {
        KeyState::Active => "a",
        KeyState::Revoked => "r",
    };
    let mut command = shard.evalsha(Script::PutKey, 2);
    command.arg(shard.fence.meta()).arg(shard.fence.api_key(&image.digest));
    command.arg(image.digest.to_string()).arg(image.account.hex()).arg(image.key.hex());
    command.arg(state).arg(image.account_status.letter());
    command.arg(image.expires_at.unwrap_or(TimeMs::EPOCH).as_u64()).arg(CHANGES);
    // A policy is texts and numbers, which JSON can always hold.
    command.arg(serde_json::to_string(&image.policy).unwrap_or_default()).arg(image.rates_of.hex());
    command
}
