//! Keys for people: one of an account, page by page, so many and no more; and changes over what was seen.

use ledger::{KeyView, KeysWanted, NewKey, Rotation};
use metering::{AccountId, KeyCaps, KeyId, KeyMode, KeyPolicy, Status, TimeMs};

use crate::actors::{NOON, Operator, by};

async fn issues(operator: &Operator, account: AccountId, minute: u64, expires_at: Option<TimeMs>) -> KeyId {
    let random = [u8::try_from(minute).unwrap(); 32];
    let new =
        NewKey { name: format!("key {minute}"), mode: KeyMode::Live, expires_at, policy: KeyPolicy::default(), random };
    operator.db.ledger.issue_key(account, &new, &by(NOON.plus_ms(minute * 60_000))).await.unwrap().1
}

async fn page(
    operator: &Operator,
    account: AccountId,
    wanted: KeysWanted,
    at: TimeMs,
    after: Option<KeyId>,
) -> Vec<KeyId> {
    let page: Vec<KeyView> = operator.db.ledger.keys_page(account, wanted, at, after, 2).await.unwrap();
    page.into_iter().map(|key| key.key).collect()
}

#[tokio::test]
async fn keys_are_leafed_through_latest_first_good_ones_and_ended_ones_apart() {
    let operator = Operator::arrives().await;
    let (account, other) = (operator.account(Status::Active).await, operator.account(Status::Active).await);
    let ends_at = NOON.plus_ms(3_600_000);
    let (first, second) =
        (issues(&operator, account, 1, None).await, issues(&operator, account, 2, Some(ends_at)).await);
    let (third, theirs) = (issues(&operator, account, 3, None).await, issues(&operator, other, 4, None).await);
    operator.db.ledger.revoke_key(first, &by(NOON.plus_ms(300_000))).await.unwrap();
    let before = ends_at.minus_ms(1);
    assert_eq!(page(&operator, account, KeysWanted::All, before, None).await, [third, second]);
    assert_eq!(page(&operator, account, KeysWanted::All, before, Some(second)).await, [first]);
    assert_eq!(page(&operator, account, KeysWanted::Good, before, None).await, [third, second]);
    assert_eq!(page(&operator, account, KeysWanted::Good, ends_at, None).await, [third], "it is refused from then on");
    assert_eq!(page(&operator, account, KeysWanted::Ended, ends_at, None).await, [second, first]);
    assert!(page(&operator, account, KeysWanted::All, before, Some(theirs)).await.is_empty(), "no place in this list");
    assert_eq!(operator.db.ledger.key_of(account, third).await.unwrap().name, "key 3");
    assert_eq!(operator.db.ledger.key_of(account, theirs).await.unwrap_err().code(), "key_not_found");
}

#[tokio::test]
async fn a_policy_is_set_over_the_one_that_was_seen_and_over_no_other() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let key = issues(&operator, account, 1, None).await;
    let capped = |day: u64| {
        let caps = KeyCaps { day: Some(metering::Credits::new(day).unwrap()), month: None };
        KeyPolicy::default().with_caps(caps).unwrap()
    };
    let book = &operator.db.ledger;
    let at = by(NOON.plus_ms(120_000));
    book.set_key_policy_from(key, Some(&KeyPolicy::default()), &capped(1), &at).await.unwrap();
    let late = book.set_key_policy_from(key, Some(&KeyPolicy::default()), &capped(2), &at).await;
    assert_eq!(late.unwrap_err().code(), "changed");
    assert_eq!(book.key_of(account, key).await.unwrap().policy, capped(1));
    assert_eq!(operator.db.number("SELECT count(*) FROM audit WHERE action = 'key_policy_set'").await, 1);
}

#[tokio::test]
async fn an_account_has_so_many_good_keys_and_no_more() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let key = issues(&operator, account, 1, None).await;
    let many = format!(
        "INSERT INTO api_keys (key_id, account_id, digest, key_shard, prefix, name, mode, created_at, policy, rates_of) \
         SELECT id, '{}', sha256(id::text::bytea), 0, 'tg_live_abcd', 'many', 'live', now(), '{{}}', id \
         FROM (SELECT gen_random_uuid() AS id FROM generate_series(2, {})) AS new",
        account.as_uuid(),
        ledger::KEYS_MAX
    );
    operator.db.execute(&many).await.unwrap();
    let book = &operator.db.ledger;
    let new = NewKey {
        name: "x".to_owned(),
        mode: KeyMode::Test,
        expires_at: None,
        policy: KeyPolicy::default(),
        random: [9; 32],
    };
    let at = by(NOON.plus_ms(60_000));
    assert_eq!(book.issue_key(account, &new, &at).await.unwrap_err().code(), "too_many_keys");
    let rotation = |grace_ms: u64| Rotation { grace_ms, expires_at: None, random: [8; 32] };
    assert_eq!(
        book.rotate_key(key, &rotation(1), &at).await.unwrap_err().code(),
        "too_many_keys",
        "both would be good"
    );
    let (_, replaced, _) = book.rotate_key(key, &rotation(0), &at).await.unwrap();
    book.revoke_key(replaced, &at).await.unwrap();
    book.issue_key(account, &new, &at).await.unwrap();
}

#[tokio::test]
async fn what_is_sent_at_all_is_told_again_and_again_in_one_row() {
    let operator = Operator::arrives().await;
    let book = &operator.db.ledger;
    assert_eq!(book.notice_switches().await.unwrap(), None);
    for (low_balance, at) in [(true, NOON), (false, NOON.plus_ms(20_000))] {
        let told = ledger::mails::NoticeSwitches { low_balance, lifecycle: true, told_at: at };
        book.tell_notice_switches(&told).await.unwrap();
        assert_eq!(book.notice_switches().await.unwrap(), Some(told));
    }
}
