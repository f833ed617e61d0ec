//! What can go wrong with the book. Display is for the outside; `source` keeps what Postgres said.

mod subject;

use metering::{AccountId, EventId, LotId, SessionVersion, Shard, ShardCount, Status};
use thiserror::Error;

pub use subject::Subject;

use crate::Difference;
use crate::LetterId;
use crate::mails::MailState;
use crate::stripe::DeliveryState;

/// Why the book did not do what it was asked.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// Another owner, certification, incarnation or cursor stands in the shard's row: nothing was written.
    #[error("shard {shard}: the fence has moved on, nothing was written")]
    Fenced {
        /// The shard.
        shard: Shard,
    },
    /// An account's events do not follow on what the book has: nothing was written.
    #[error("event {event}: account {account} is at {expected} in the book, the event says {found}")]
    Gap {
        /// The account.
        account: AccountId,
        /// The event.
        event: EventId,
        /// The number that would follow.
        expected: u64,
        /// The number it carries.
        found: u64,
    },
    /// The batch is not what follows in the stream: nothing was written.
    #[error("event {found} does not follow: expected {expected}")]
    OutOfOrder {
        /// The id that would follow.
        expected: EventId,
        /// The id it carries.
        found: EventId,
    },
    /// An event says what can't be: nothing of its batch was written.
    #[error("event {event} can't be applied: {why}")]
    Unappliable {
        /// The event.
        event: EventId,
        /// What is wrong with it.
        why: String,
    },
    /// So many events of a shard can't be applied that the fault is not theirs: nothing was written, the shard stands.
    #[error("shard {shard} has {limit} events already that can't be applied: the fault is not of single events")]
    TooManyDeadLetters {
        /// The shard.
        shard: Shard,
        /// The most it may have.
        limit: i64,
    },
    /// A letter that was decided about.
    #[error("dead letter {letter} is {state} already")]
    LetterResolved {
        /// The letter.
        letter: LetterId,
        /// applied or discarded.
        state: String,
    },
    /// A letter whose event live state has lost: what comes after it does not build on it.
    #[error(
        "dead letter {letter} is of an earlier incarnation: live state was built anew without it, it can only be discarded"
    )]
    LetterSuperseded {
        /// The letter.
        letter: LetterId,
    },
    /// A letter whose account can't be told.
    #[error("the account of dead letter {letter} can't be told: it can only be discarded, until a release can read it")]
    LetterOfNobody {
        /// The letter.
        letter: LetterId,
    },
    /// Events of the account are parked as dead letters: writing its live state anew would drop them.
    #[error("{account} has events that are parked as dead letters; decide about them first")]
    LettersOpen {
        /// The account.
        account: AccountId,
    },
    /// Nothing has this id.
    #[error("there is no {} {id}", .subject.word())]
    NotFound {
        /// What was looked for.
        subject: Subject,
        /// The id.
        id: String,
    },
    /// A budget is for accounts that are active or approved.
    #[error("a budget can be set on an active or approved account; {account} is {status}")]
    BudgetNotEligible {
        /// The account.
        account: AccountId,
        /// Its status.
        status: Status,
    },
    /// What was to be changed is no longer as whoever asks has seen it.
    #[error("the {what} of {account} was changed meanwhile: look again before changing it")]
    Changed {
        /// The account.
        account: AccountId,
        /// What was changed.
        what: &'static str,
    },
    /// The account has as many live lots as an account may have.
    #[error("{account} has {limit} live lots already, more are not allowed")]
    TooManyLots {
        /// The account.
        account: AccountId,
        /// The most it may have.
        limit: u64,
    },
    /// The account has as many good keys as an account may have.
    #[error("{account} has {limit} keys already that are good, more are not allowed; revoke one first")]
    TooManyKeys {
        /// The account.
        account: AccountId,
        /// The most it may have.
        limit: u64,
    },
    /// The lot is past its expiry and being taken out.
    #[error("{lot} has expired and is swept; grant a new lot instead")]
    LotSwept {
        /// The lot.
        lot: LotId,
    },
    /// This payment has granted its lot already.
    #[error("this source has granted {lot} already")]
    AlreadyGranted {
        /// The lot it granted.
        lot: LotId,
    },
    /// Only what is parked can be resolved.
    #[error("delivery {event} is {state}, and only a parked one can be resolved")]
    DeliveryNotParked {
        /// Its event.
        event: String,
        /// How far it is.
        state: DeliveryState,
    },
    /// A mail that waits or is being handed over can't be sent again.
    #[error("mail {mail} is {state}: it is on its way")]
    MailUnderWay {
        /// The mail.
        mail: u64,
        /// How far it is.
        state: MailState,
    },
    /// The account's notice settings were changed meanwhile.
    #[error("the notice settings of {account} were changed meanwhile; they are at version {version} now")]
    NoticeSettingsChanged {
        /// The account.
        account: AccountId,
        /// Their version.
        version: u64,
    },
    /// Not an address that mails can go to.
    #[error("this is no e-mail address: {why}")]
    AddressInvalid {
        /// What is wrong with it; never the address itself.
        why: String,
    },
    /// Sessions that were ended stay ended.
    #[error("sessions below version {version} are over already; {asked} would bring some back")]
    SessionVersionLower {
        /// The least version that is still good.
        version: SessionVersion,
        /// What was asked for.
        asked: SessionVersion,
    },
    /// The account keeps as many versions of persons as an account may.
    #[error(
        "{account} keeps versions of the sessions of {limit} persons already, more are not allowed; end the sessions of everybody instead, which makes room"
    )]
    TooManySubjects {
        /// The account.
        account: AccountId,
        /// The most it may keep.
        limit: usize,
    },
    /// The book does not agree with itself, so that live state must not be made what it says.
    #[error("the book does not agree with itself, and a rebuild would hide it: {}", listed(.differences))]
    BookDiffers {
        /// Every difference found.
        differences: Vec<Difference>,
    },
    /// A value that the book refuses; the text says which and why.
    #[error("{0}")]
    Invalid(String),
    /// The schema is not there.
    #[error("the database holds no Tollgate schema: run `tollgate migrate`")]
    SchemaMissing,
    /// The schema is older than this program.
    #[error("the schema is at {found}, this program needs {needed}: run `tollgate migrate`")]
    SchemaOld {
        /// The last migration that ran.
        found: i64,
        /// The last one this program knows.
        needed: i64,
    },
    /// The schema is newer than this program, or its history is another.
    #[error("the schema was made by another release ({found}; this program knows {needed}): use the program that fits")]
    SchemaForeign {
        /// The last migration that ran.
        found: i64,
        /// The last one this program knows.
        needed: i64,
    },
    /// The installation was laid out with another number of shards.
    #[error("the book was laid out with {} shards, not {}; the number can't change", .found.get(), .asked.get())]
    ShardCountDiffers {
        /// What the book says.
        found: ShardCount,
        /// What was asked for.
        asked: ShardCount,
    },
    /// The connection broke during a commit: it may or may not have happened. Read again before going on.
    #[error("the connection to the book broke during a commit, its outcome is unknown")]
    Unknown(#[source] sqlx::Error),
    /// Postgres is away, too busy or too slow; nothing was written.
    #[error("the book can't be reached or does not answer in time")]
    Unavailable(#[source] sqlx::Error),
    /// Postgres refused a statement in a way that nobody foresaw; nothing was written.
    #[error("the book refused a statement")]
    Database(#[source] sqlx::Error),
    /// A row that this program can't have written.
    #[error("the book holds {0}")]
    Corrupt(String),
}

fn listed(differences: &[Difference]) -> String {
    differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl LedgerError {
    /// A stable word for scripts and operators.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Fenced { .. } => "fenced",
            Self::Gap { .. } => "event_gap",
            Self::OutOfOrder { .. } => "event_out_of_order",
            Self::Unappliable { .. } => "event_unappliable",
            Self::TooManyDeadLetters { .. } => "too_many_dead_letters",
            Self::LetterResolved { .. } => "dead_letter_resolved",
            Self::LetterSuperseded { .. } => "dead_letter_superseded",
            Self::LetterOfNobody { .. } => "dead_letter_of_nobody",
            Self::NotFound { subject, .. } => subject.not_found(),
            Self::BudgetNotEligible { .. } => "budget_not_eligible",
            Self::Changed { .. } => "changed",
            Self::TooManyLots { .. } => "too_many_lots",
            Self::TooManyKeys { .. } => "too_many_keys",
            Self::LotSwept { .. } => "lot_swept",
            Self::AlreadyGranted { .. } => "already_granted",
            Self::DeliveryNotParked { .. } => "delivery_not_parked",
            Self::MailUnderWay { .. } => "mail_under_way",
            Self::NoticeSettingsChanged { .. } => "notice_settings_changed",
            Self::AddressInvalid { .. } => "address_invalid",
            Self::SessionVersionLower { .. } => "session_version_lower",
            Self::TooManySubjects { .. } => "too_many_subjects",
            Self::BookDiffers { .. } => "book_differs",
            Self::LettersOpen { .. } => "dead_letters_open",
            Self::Invalid(_) => "invalid",
            Self::SchemaMissing => "schema_missing",
            Self::SchemaOld { .. } => "schema_old",
            Self::SchemaForeign { .. } => "schema_foreign",
            Self::ShardCountDiffers { .. } => "shard_count_differs",
            Self::Unknown(_) => "outcome_unknown",
            Self::Unavailable(_) => "book_unavailable",
            Self::Database(_) => "book_refused",
            Self::Corrupt(_) => "book_corrupt",
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unknown(_) | Self::Unavailable(_))
    }

    /// Names what was looked for in vain.
    pub(crate) fn not_found(subject: Subject, id: &impl ToString) -> Self {
        Self::NotFound { subject, id: id.to_string() }
    }
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        if is_passing(&error) { Self::Unavailable(error) } else { named(&error).unwrap_or(Self::Database(error)) }
    }
}

/// Connection trouble, and what the server says when it is shutting down, full, deadlocked or past a deadline.
pub(crate) fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        // A server that goes away in the middle of a word breaks the protocol.
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed => true,
        sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| {
            matches!(code.get(..2), Some("08" | "53" | "57")) || matches!(code.as_ref(), "40001" | "40P01" | "55P03")
        }),
        _ => false,
    }
}

/// What a named constraint stands for, in words.
fn named(error: &sqlx::Error) -> Option<LedgerError> {
    let words = match error.as_database_error()?.constraint()? {
        "accounts_name_length" => "an account's name has 1 to 200 letters",
        "accounts_email_length" | "stripe_customers_email_length" => "an email address has 3 to 320 letters",
        "api_keys_name_length" => "a key's name has 1 to 200 letters",
        "lots_product_length" => "a lot's product has 1 to 200 letters",
        "stripe_checkouts_url_length" => "a checkout's URL has at most 4096 bytes",
        "audit_actor_named" => "the actor's name has 1 to 256 letters",
        "console_writes_who_length" | "console_writes_key_length" => "the key of a write has 1 to 255 bytes",
        "console_writes_answer_length" => "the answer of a write has at most 64 KiB",
        "entries_append_only" => "entries are append-only",
        "mail_events_append_only" => "mail_events is append-only",
        "audit_append_only" => "audit is append-only",
        _ => return None,
    };
    Some(LedgerError::Invalid(words.to_owned()))
}
