//! The book's picture of accounts, for writing live state anew.

mod settle;

use std::collections::BTreeMap;

use metering::{
    AccountId, AccountImage, Fingerprint, IDEMPOTENCY_MS, Idempotency, IdempotencyKey, IdempotencyMark, KeyId,
    LotImage, OpId, SessionVersions, TimeMs,
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::{self, Ids, Stamp, count, credits, shard_number, stamp, time};
use crate::dead_letters::is_marked;
use crate::entries::EntriesTransaction;
use crate::fence::hold;
use crate::key_days::capped;
use crate::{Fence, Ledger, LedgerError, sessions};

#[derive(FromRow)]
struct RawAccount {
    account_id: Uuid,
    seq: i64,
    control_version: i64,
    control_row: i64,
    status: String,
    anchor_day: i16,
    budget_limit: i64,
    budget_used: i64,
    budget_period_end: Stamp,
}

#[derive(FromRow)]
struct RawLot {
    account_id: Uuid,
    lot_id: i64,
    remaining: i64,
    granted_at: Stamp,
    expires_at: Stamp,
}

#[derive(FromRow)]
struct RawMark {
    account_id: Uuid,
    key: Uuid,
    op: Uuid,
    fingerprint: Uuid,
    in_use_until: Stamp,
    drawn_at: Stamp,
}

impl Ledger {
    /// A page of a shard's accounts after `after`, in order of id, for a new incarnation.
    ///
    /// Changes of credits that are still on their way are first settled in the book with what is there, because live
    /// state will never apply them: it begins with their result. So none is read that live state has already: those `written` out of their
    /// turn are left out. `now` is the shard's time.
    pub async fn prepare_install(
        &self,
        fence: Fence,
        after: Option<AccountId>,
        limit: u32,
        written: &[AccountId],
        now: TimeMs,
    ) -> Result<Vec<AccountImage>, LedgerError> {
        let mut transaction = self.begin_entries().await?;
        hold(&mut transaction, fence).await?;
        let page: Vec<Uuid> = sqlx::query_scalar(include_str!("../queries/lock_page_of_accounts.sql"))
            .bind(shard_number(fence.shard))
            .bind(after.map_or(Uuid::nil(), |after| after.as_uuid()))
            .bind(i64::from(limit))
            .bind(written.uuids())
            .fetch_all(&mut *transaction)
            .await?;
        let images = prepare(&mut transaction, fence, &page, now).await?;
        transaction.commit().await?;
        Ok(images)
    }

    /// Some accounts, as [`Self::prepare_install`], in order of id; those that are not of the shard are left out.
    pub async fn prepare_install_of(
        &self,
        fence: Fence,
        accounts: &[AccountId],
        now: TimeMs,
    ) -> Result<Vec<AccountImage>, LedgerError> {
        let mut transaction = self.begin_entries().await?;
        hold(&mut transaction, fence).await?;
        let images = prepare_these(&mut transaction, fence, accounts, now).await?;
        transaction.commit().await?;
        Ok(images)
    }

    /// One account that live state has already: freeze it and drain its events first. `None` when the shard has no such account, or when it
    /// is marked: an install would drop what it has parked.
    pub async fn prepare_install_one(
        &self,
        fence: Fence,
        account: AccountId,
        now: TimeMs,
    ) -> Result<Option<AccountImage>, LedgerError> {
        let mut transaction = self.begin_entries().await?;
        hold(&mut transaction, fence).await?;
        if is_marked(&mut transaction, fence, account).await? {
            transaction.rollback().await?;
            return Ok(None);
        }
        let image = prepare_these(&mut transaction, fence, &[account], now).await?.pop();
        transaction.commit().await?;
        Ok(image)
    }
}

async fn prepare_these(
    transaction: &mut EntriesTransaction,
    fence: Fence,
    accounts: &[AccountId],
    now: TimeMs,
) -> Result<Vec<AccountImage>, LedgerError> {
    let page: Vec<Uuid> = sqlx::query_scalar(include_str!("../queries/lock_accounts.sql"))
        .bind(shard_number(fence.shard))
        .bind(accounts.uuids())
        .fetch_all(&mut **transaction)
        .await?;
    prepare(transaction, fence, &page, now).await
}

/// The accounts are locked, so nothing below can change between two reads: a version is never newer than its image.
async fn prepare(
    transaction: &mut EntriesTransaction,
    fence: Fence,
    accounts: &[Uuid],
    now: TimeMs,
) -> Result<Vec<AccountImage>, LedgerError> {
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    settle::pending_moves(&mut *transaction, fence, accounts, now).await?;
    let rows: Vec<RawAccount> = sqlx::query_as(include_str!("../queries/image_accounts.sql"))
        .bind(accounts)
        .fetch_all(&mut **transaction)
        .await?;
    let images = rows.iter().map(|raw| Ok((raw.account_id, image(raw)?)));
    let mut images = images.collect::<Result<BTreeMap<Uuid, AccountImage>, LedgerError>>()?; // in the order of the book

    let lots: Vec<RawLot> = sqlx::query_as(include_str!("../queries/image_lots.sql"))
        .bind(accounts)
        .bind(stamp(now)?)
        .fetch_all(&mut **transaction)
        .await?;
    for raw in lots {
        if let Some(image) = images.get_mut(&raw.account_id) {
            image.lots.push(lot_image(&raw)?);
        }
    }
    let revoked: Vec<(Uuid, Uuid)> = sqlx::query_as(include_str!("../queries/image_revoked_keys.sql"))
        .bind(accounts)
        .fetch_all(&mut **transaction)
        .await?;
    for (account, key) in revoked {
        if let Some(image) = images.get_mut(&account) {
            image.revoked_keys.push(KeyId::from_uuid(key));
        }
    }
    for (account, sessions) in sessions::versions(&mut *transaction, accounts).await? {
        if let Some(image) = images.get_mut(&account) {
            image.sessions = sessions;
        }
    }
    let undos: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT account_id, debit_op FROM undos WHERE account_id = ANY ($1) AND state = 'open' ORDER BY debit_op",
    )
    .bind(accounts)
    .fetch_all(&mut **transaction)
    .await?;
    for (account, op) in undos {
        if let Some(image) = images.get_mut(&account) {
            image.open_undos.push(OpId::from_uuid(op));
        }
    }
    for (account, found) in capped(&mut *transaction, accounts).await? {
        if let Some(image) = images.get_mut(&account) {
            (image.key_caps, image.key_counts) = (found.caps, found.counts);
        }
    }
    let marks: Vec<RawMark> = sqlx::query_as(include_str!("../queries/image_idempotency.sql"))
        .bind(accounts)
        .bind(stamp(now.minus_ms(IDEMPOTENCY_MS))?)
        .fetch_all(&mut **transaction)
        .await?;
    for raw in marks {
        if let Some(image) = images.get_mut(&raw.account_id) {
            image.idempotency.push(mark(&raw)?);
        }
    }
    Ok(images.into_values().collect())
}

fn image(raw: &RawAccount) -> Result<AccountImage, LedgerError> {
    Ok(AccountImage {
        account: AccountId::from_uuid(raw.account_id),
        seq: count(raw.seq)?,
        control_version: count(raw.control_version)?,
        control_row: count(raw.control_row)?,
        status: columns::status(&raw.status)?,
        anchor: columns::anchor(raw.anchor_day)?,
        budget_limit: credits(raw.budget_limit)?,
        budget_used: credits(raw.budget_used)?,
        budget_period_end: time(raw.budget_period_end)?,
        revoked_keys: Vec::new(),
        key_caps: Vec::new(),
        key_counts: Vec::new(),
        lots: Vec::new(),
        open_undos: Vec::new(),
        idempotency: Vec::new(),
        sessions: SessionVersions::default(),
    })
}

fn lot_image(raw: &RawLot) -> Result<LotImage, LedgerError> {
    Ok(LotImage {
        lot: columns::lot(raw.lot_id)?,
        remaining: credits(raw.remaining)?,
        granted_at: time(raw.granted_at)?,
        expires_at: time(raw.expires_at)?,
    })
}

fn mark(raw: &RawMark) -> Result<IdempotencyMark, LedgerError> {
    let under = Idempotency {
        key: IdempotencyKey::from_uuid(raw.key),
        fingerprint: Fingerprint::from_uuid(raw.fingerprint),
        in_use_until: time(raw.in_use_until)?,
    };
    Ok(IdempotencyMark { under, op: OpId::from_uuid(raw.op), at: time(raw.drawn_at)? })
}
