//! Sessions ended before they expire: what the book keeps of it, and tells.

use ledger::{Comparison, LedgerError, Outgoing, SessionsEnded, compare};
use metering::{AccountId, Change, SessionSubject, SessionVersion, SessionVersions, Status};

use crate::actors::{NOON, Operator, Stream, by, shard_of};

const LAST: u64 = 9_007_199_254_740_991;

fn person(name: &str) -> SessionSubject {
    name.parse().unwrap()
}

fn version(number: u64) -> SessionVersion {
    SessionVersion::new(number).unwrap()
}

impl Operator {
    async fn ends(
        &self,
        account: AccountId,
        name: Option<&str>,
        to: Option<u64>,
    ) -> Result<SessionsEnded, LedgerError> {
        let subject = name.map(person);
        self.db.ledger.end_sessions(account, subject.as_ref(), to.map(version), &by(NOON)).await
    }

    /// The version that is good from then on.
    async fn ended(&self, account: AccountId, name: Option<&str>, to: Option<u64>) -> u64 {
        self.ends(account, name, to).await.unwrap().version.get()
    }
}

#[tokio::test]
async fn ending_sessions_raises_a_version_tells_it_and_writes_who_and_why() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let first = operator.ends(account, Some("ann@team.test"), None).await.unwrap();
    assert_eq!(first, SessionsEnded { version: version(1), control_version: Some(2) });
    assert_eq!(operator.ended(account, Some("ann@team.test"), None).await, 2);
    assert_eq!(operator.ended(account, None, Some(1)).await, 1);
    let rows = operator.db.ledger.pending(shard_of(account), 0, 100).await.unwrap();
    let told: Vec<_> = rows
        .into_iter()
        .filter_map(|row| match row.what {
            Outgoing::Change { version, change: Change::SessionsEnded { subject, version: good } } => {
                Some((version, subject, good.get()))
            }
            _ => None,
        })
        .collect();
    let ann = Some(person("ann@team.test"));
    assert_eq!(told, [(2, ann.clone(), 1), (3, ann, 2), (4, None, 1)]);
    let audit = "SELECT string_agg(concat_ws(' ', actor, action, coalesce(subject, 'everybody'), before ->> 'version', \
                 after ->> 'version', reason), '; ' ORDER BY audit_id) FROM audit WHERE action = 'sessions_ended'";
    assert_eq!(
        operator.db.text(audit).await,
        "olga sessions_ended ann@team.test 0 1 a test; olga sessions_ended ann@team.test 1 2 a test; olga sessions_ended everybody 0 1 a test"
    );
}

#[tokio::test]
async fn everybodys_version_goes_above_each_persons() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    for number in 1..=3 {
        assert_eq!(operator.ended(account, Some("ann"), None).await, number);
    }
    assert_eq!(operator.ended(account, None, None).await, 4, "a token of ann's of version 3 ends with the others");
    assert_eq!(operator.db.number("SELECT count(*) FROM session_versions").await, 1, "hers is not needed any more");
    assert_eq!(operator.ended(account, Some("bob"), None).await, 5, "above everybody's");
    assert_eq!(operator.ended(account, None, Some(4)).await, 4);
    let view = operator.db.ledger.sessions(account).await.unwrap();
    assert_eq!((view.everybody.get(), view.subjects), (4, [(person("bob"), version(5))].into()));
}

#[tokio::test]
async fn a_version_is_never_lowered_and_the_same_one_changes_nothing() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    assert_eq!(operator.ended(account, None, Some(7)).await, 7);
    assert_eq!(operator.ended(account, Some("ann"), Some(9)).await, 9);
    let written = "SELECT count(*) FROM outbox WHERE control_version IS NOT NULL";
    let (rows, audit) = (operator.db.number(written).await, operator.db.number("SELECT count(*) FROM audit").await);
    for (name, to) in [(None, 6), (None, 0), (Some("ann"), 8), (Some("ann"), 7), (Some("bob"), 6)] {
        let refused = operator.ends(account, name, Some(to)).await.unwrap_err();
        assert_eq!(refused.code(), "session_version_lower", "{name:?} {to}");
    }
    for (name, to) in [(None, 7), (Some("ann"), 9), (Some("bob"), 7)] {
        let same = operator.ends(account, name, Some(to)).await.unwrap();
        assert_eq!(same, SessionsEnded { version: version(to), control_version: None }, "{name:?}");
    }
    assert_eq!(operator.db.number(written).await, rows);
    assert_eq!(operator.db.number("SELECT count(*) FROM audit").await, audit);
    assert_eq!(operator.ended(account, Some("ann"), Some(LAST)).await, LAST);
    for name in [Some("ann"), None] {
        assert_eq!(operator.ends(account, name, None).await.unwrap_err().code(), "invalid", "no version is left");
    }
}

#[tokio::test]
async fn an_account_keeps_versions_of_so_many_persons_and_ending_everybodys_makes_room() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let most = SessionVersions::SUBJECTS_MAX;
    let fill = format!(
        "INSERT INTO session_versions SELECT '{}', 'person ' || n, 1, now() FROM generate_series(1, {most}) AS n",
        account.as_uuid()
    );
    operator.db.execute(&fill).await.unwrap();
    let refused = operator.ends(account, Some("one more"), None).await.unwrap_err();
    assert_eq!(refused.code(), "too_many_subjects");
    assert!(
        refused.to_string().contains("1000 persons") && refused.to_string().contains("everybody instead"),
        "{refused}"
    );
    assert_eq!(operator.ended(account, Some("person 7"), None).await, 2, "one that is kept goes on");
    assert_eq!(operator.ended(account, None, None).await, 3);
    assert_eq!(operator.ended(account, Some("one more"), None).await, 4);
    assert_eq!(operator.db.number("SELECT count(*) FROM session_versions").await, 2);
}

#[tokio::test]
async fn an_unknown_account_has_no_sessions_to_end() {
    let operator = Operator::arrives().await;
    let nobody: AccountId = "acct_00000000000000000000000000000000".parse().unwrap();
    assert_eq!(operator.ends(nobody, None, None).await.unwrap_err().code(), "account_not_found");
    assert_eq!(operator.db.ledger.sessions(nobody).await.unwrap_err().code(), "account_not_found");
}

#[tokio::test]
async fn the_picture_for_live_state_has_what_ended_and_a_comparison_sees_it() {
    let operator = Operator::arrives().await;
    let (account, other) = (operator.account(Status::Active).await, operator.account(Status::Active).await);
    operator.ended(account, None, None).await;
    operator.ended(account, Some("ann"), None).await;
    operator.ended(other, Some("bob"), None).await;
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    let image = operator.db.ledger.prepare_install_one(stream.fence, account, NOON).await.unwrap().unwrap();
    let expected = SessionVersions { everybody: version(1), subjects: [(person("ann").digest(), version(2))].into() };
    assert_eq!((&image.sessions, image.control_version), (&expected, 3));

    stream.is_installed(account, 0, 3);
    stream.drains(&operator.db).await;
    let mut live = crate::compare::nothing_drawn(account, 0, 3);
    let book = operator.db.ledger.balances(&[account]).await.unwrap().remove(0);
    let Comparison::Differs(drifts) = compare(&book, Some(&live), &[]) else { panic!("live state lost what ended") };
    assert!(drifts[0].to_string().starts_with("sessions is good from version 1, "), "{drifts:?}");
    live.sessions = expected;
    assert!(matches!(compare(&book, Some(&live), &[]), Comparison::Agrees { .. }));
    operator.ended(account, Some("ann"), None).await;
    let book = operator.db.ledger.balances(&[account]).await.unwrap().remove(0);
    assert!(matches!(compare(&book, Some(&live), &[]), Comparison::Agrees { .. }), "it is on its way");
}
