//! What operators decide about dead letters: asked here, with an audit row; carried out by the owner of the shard.

use metering::AccountId;
use serde_json::json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{DeadLetter, LetterId};
use crate::change::By;
use crate::columns::{bigint, count, shard_number, stamp};
use crate::pool::commit;
use crate::{Ledger, LedgerError};

/// Most letters that one decision discards.
const DISCARDED_MOST: usize = 1_000;

/// What an operator decided: the letters that are given up; every other open letter of the account is applied, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its number.
    pub decision: u64,
    /// Whose letters; `None` where the account could not be told.
    pub account: Option<AccountId>,
    /// Of which incarnation.
    pub incarnation: u64,
    /// Sequences of the letters that are given up.
    pub discarded: Vec<u64>,
    /// Whether numbers of the account that no letter has are given up, too.
    pub skips_missing: bool,
    /// Whether the book has it, and only live state is still to be written anew.
    pub applied: bool,
}

impl Decision {
    /// Whether events are given up, so that live state must be written anew from the book.
    #[must_use]
    pub const fn gives_up(&self) -> bool {
        self.skips_missing || !self.discarded.is_empty()
    }
}

/// How far a decision is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionState {
    /// The owner of the shard has not come to it.
    Asked,
    /// The book has it; live state of the account is being written anew.
    Applied,
    /// It is carried out.
    Done,
    /// It can't be carried out; nothing was changed.
    Refused,
}

/// What became of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionView {
    /// How far it is.
    pub state: DecisionState,
    /// How many letters were applied.
    pub applied: u64,
    /// Why it can't be carried out.
    pub refusal: Option<String>,
}

#[derive(FromRow)]
struct RawDecision {
    decision_id: i64,
    account_id: Option<Uuid>,
    incarnation: i64,
    discarded: Vec<i64>,
    skips_missing: bool,
    state: String,
}

impl Ledger {
    /// Asks that every open letter of this one's account be applied, in order. With `skips_missing`, numbers of the account that no
    /// letter has are given up.
    pub async fn retry_dead_letter(
        &self,
        letter: LetterId,
        skips_missing: bool,
        by: &By,
    ) -> Result<(u64, AccountId), LedgerError> {
        let (found, entry) = self.dead_letter(letter).await?;
        is_open(&found)?;
        if found.superseded {
            return Err(LedgerError::LetterSuperseded { letter });
        }
        let readable = entry.and_then(|entry| entry.account());
        let account = found.account.or(readable).ok_or(LedgerError::LetterOfNobody { letter })?;
        let asked = Asked { letters: &[letter], account: Some(account), discards: false, skips_missing };
        Ok((self.ask(asked, by).await?, account))
    }

    /// Asks that these letters, of one account and incarnation, be given up and the account's others be applied.
    pub async fn discard_dead_letters(
        &self,
        letters: &[LetterId],
        by: &By,
    ) -> Result<(u64, Option<AccountId>), LedgerError> {
        let Some(first) = letters.first() else { return Err(LedgerError::Invalid("no letter is named".to_owned())) };
        if letters.len() > DISCARDED_MOST {
            return Err(LedgerError::Invalid(format!("at most {DISCARDED_MOST} letters can be discarded at once")));
        }
        let mut account = None;
        for letter in letters {
            let (found, _) = self.dead_letter(*letter).await?;
            is_open(&found)?;
            let home = |letter: &LetterId| (letter.shard, letter.event.incarnation);
            if home(letter) != home(first) || account.is_some_and(|account| account != found.account) {
                return Err(LedgerError::Invalid(
                    "letters discarded together are of one account and incarnation".to_owned(),
                ));
            }
            account = Some(found.account);
        }
        let account = account.flatten();
        let asked = Asked { letters, account, discards: true, skips_missing: false };
        Ok((self.ask(asked, by).await?, account))
    }

    /// What became of a decision.
    pub async fn decision(&self, decision: u64) -> Result<DecisionView, LedgerError> {
        let found = self.find_decision(decision).await?;
        found.ok_or_else(|| LedgerError::Corrupt(format!("no decision {decision}, which it had")))
    }

    /// The same where there may be none of this number.
    pub async fn find_decision(&self, decision: u64) -> Result<Option<DecisionView>, LedgerError> {
        let found: Option<(String, i64, Option<String>)> =
            sqlx::query_as("SELECT state, applied, refusal FROM dead_letter_decisions WHERE decision_id = $1")
                .bind(bigint(decision)?)
                .fetch_optional(&self.pool)
                .await?;
        let Some((state, applied, refusal)) = found else { return Ok(None) };
        let state = match state.as_str() {
            "asked" => DecisionState::Asked,
            "applied" => DecisionState::Applied,
            "done" => DecisionState::Done,
            "refused" => DecisionState::Refused,
            _ => return Err(LedgerError::Corrupt(format!("a decision that is '{state}'"))),
        };
        Ok(Some(DecisionView { state, applied: count(applied)?, refusal }))
    }

    /// Decisions about letters of a shard that wait for its owner, oldest first.
    pub async fn waiting_decisions(&self, shard: metering::Shard) -> Result<Vec<Decision>, LedgerError> {
        let rows: Vec<RawDecision> = sqlx::query_as(include_str!("../../queries/waiting_decisions.sql"))
            .bind(shard_number(shard))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(Decision::try_from).collect()
    }

    async fn ask(&self, asked: Asked<'_>, by: &By) -> Result<u64, LedgerError> {
        let mut transaction = self.begin().await?;
        let decision = asked.write(&mut transaction, by).await?;
        commit(transaction).await?;
        Ok(decision)
    }
}

/// What an operator asks for.
struct Asked<'a> {
    letters: &'a [LetterId],
    account: Option<AccountId>,
    discards: bool,
    skips_missing: bool,
}

impl Asked<'_> {
    async fn write(&self, connection: &mut PgConnection, by: &By) -> Result<u64, LedgerError> {
        let Some(first) = self.letters.first() else {
            return Err(LedgerError::Invalid("no letter is named".to_owned()));
        };
        let discarded: &[LetterId] = if self.discards { self.letters } else { &[] };
        let discarded = discarded.iter().map(|letter| bigint(letter.event.sequence)).collect::<Result<Vec<_>, _>>()?;
        let account = self.account.map(|account| account.as_uuid());
        let decision: i64 = sqlx::query_scalar(include_str!("../../queries/ask_decision.sql"))
            .bind(shard_number(first.shard()))
            .bind(account)
            .bind(bigint(first.event.incarnation)?)
            .bind(discarded)
            .bind(self.skips_missing)
            .bind(stamp(by.at)?)
            .fetch_one(&mut *connection)
            .await?;
        let action = if self.discards { "dead_letters_discarded" } else { "dead_letters_retried" };
        sqlx::query(include_str!("../../queries/write_audit.sql"))
            .bind(stamp(by.at)?)
            .bind(&by.actor)
            .bind(action)
            .bind(account)
            .bind(first.to_string())
            .bind(json!({ "letters": self.letters, "state": "open" }))
            .bind(json!({ "decision": decision, "skips_missing": self.skips_missing }))
            .bind(&by.reason)
            .execute(connection)
            .await?;
        count(decision)
    }
}

fn is_open(found: &DeadLetter) -> Result<(), LedgerError> {
    if found.state == "open" {
        return Ok(());
    }
    Err(LedgerError::LetterResolved { letter: found.letter, state: found.state.clone() })
}

impl TryFrom<RawDecision> for Decision {
    type Error = LedgerError;

    fn try_from(raw: RawDecision) -> Result<Self, LedgerError> {
        Ok(Self {
            decision: count(raw.decision_id)?,
            account: raw.account_id.map(AccountId::from_uuid),
            incarnation: count(raw.incarnation)?,
            discarded: raw.discarded.into_iter().map(count).collect::<Result<_, _>>()?,
            skips_missing: raw.skips_missing,
            applied: raw.state == "applied",
        })
    }
}
