//! Dead letters: shown so that no byte of them can pass for something else, and decided about.

use std::fmt::Write as _;

use metering::{AccountId, Status};

use super::{Steps, WHY, audited, latest, operator};
use crate::house::House;

/// What somebody could have put into a stream to hurt whoever looks.
const HOSTILE: &[(&[u8], &[u8])] = &[
    (b"k", b"<script>alert(1)</script>"),
    (b"\"><img src=x onerror=alert(1)>", b"a"),
    (b"bytes", b"\xff\x00\x1b[2J"),
    (b"turned", "abc\u{202e}cba".as_bytes()),
];

impl House {
    /// An open letter of an account, with these fields and this reason.
    async fn letter(&self, account: AccountId, sequence: u64, fields: &[(&[u8], &[u8])], reason: &str) -> String {
        let mut bytes = Vec::new();
        for part in fields.iter().flat_map(|(name, value)| [name, value]) {
            bytes.extend_from_slice(format!("{}:", part.len()).as_bytes());
            bytes.extend_from_slice(part);
        }
        let hex: String = bytes.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let (uuid, shard) = (account.as_uuid(), account.shard(metering::ShardCount::new(4).unwrap()));
        let total = bytes.len();
        let sql = format!(
            "INSERT INTO dead_letters (shard, incarnation, sequence, bytes, bytes_total, reason, kind, account_id) \
             SELECT number, incarnation, {sequence}, '\\x{hex}', {total}, '{reason}', 'undecodable', '{uuid}' \
             FROM shards WHERE kind = 'accounts' AND number = {}",
            shard.number
        );
        assert_eq!(self.book.execute(&sql).await.unwrap(), 1);
        let incarnation = self.book.number("SELECT min(incarnation) FROM dead_letters").await;
        format!("{shard}/{incarnation}-{sequence}")
    }
}

#[tokio::test]
async fn hostile_bytes_of_a_dead_letter_are_shown_and_do_nothing() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let letter = house.letter(ann, 7, HOSTILE, "<b onmouseover=alert(1)>broken</b>").await;
    for path in
        ["/operator/letters".to_owned(), format!("/operator/letters/{letter}"), format!("/operator/accounts/{ann}")]
    {
        let page = house.get(&olga, &path).await;
        assert_eq!(page.status, 200, "{page:?}");
        for raw in ["<script>alert", "<img src", "<b onmouseover", "\u{202e}", "\u{1b}"] {
            assert!(!page.text.contains(raw), "{raw:?} in {path}: {page:?}");
        }
        assert!(page.says("&#60;b onmouseover=alert(1)&#62;broken"), "{page:?}");
    }
    let page = house.get(&olga, &format!("/operator/letters/{letter}")).await;
    assert!(page.says("&#60;script&#62;alert(1)&#60;/script&#62;"), "{page:?}");
    assert!(page.says("0xff001b5b324a") && page.says("0x616263e280ae636261"), "{page:?}");
    let api = house.get(&olga, &format!("/api/operator/dead-letters/{letter}")).await.json();
    assert_eq!(api["fields"][2], serde_json::json!(["bytes", "0xff001b5b324a"]));
    assert_eq!((&api["letter"], &api["state"]), (&letter.as_str().into(), &"open".into()));
}

#[tokio::test]
async fn a_letter_is_tried_again_or_given_up_with_a_reason_and_the_decision_is_shown_until_it_is_carried_out() {
    let house = House::start().await;
    let (ann, bob) = (house.account("Ann", Status::Active, 100).await, house.account("Bob", Status::Active, 100).await);
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    let first = house.letter(ann, 7, &[(b"k", b"x")], "it can not be read").await;
    house.letter(ann, 8, &[(b"k", b"y")], "follows").await;
    let other = house.letter(bob, 9, &[(b"k", b"z")], "it can not be read").await;
    let retry = format!("/operator/letters/{first}/retry");
    steps.insists_on_a_reason(&retry, &[("missing", "skip")]).await;
    let to = steps.done(&retry, &[("missing", "skip"), ("reason", WHY)]).await;
    assert_eq!(to, format!("/operator/letters/{first}?done=letters_decided"));
    let line = latest(&house, Some(ann), "dead_letters_retried").await;
    assert_eq!((line.actor.as_str(), line.reason.as_str()), ("olga@example.org", WHY));
    assert_eq!(line.after.as_ref().unwrap()["skips_missing"], true);
    assert_eq!(line.before.as_ref().unwrap()["state"], "open");
    let page = house.get(&olga, &to).await;
    assert!(page.says("waits for the shard&#39;s owner") && page.says("missing numbers given up"), "{page:?}");

    let discard = format!("/operator/letters/{other}/discard");
    steps.insists_on_a_reason(&discard, &[("which", "all")]).await;
    let (page, carried) = steps.preview(&discard, &[("which", "all"), ("reason", WHY)]).await;
    assert!(page.says("That can&#39;t be undone."), "{page:?}");
    steps.confirm(&discard, &carried).await.location();
    let audits = audited(&house).await;
    steps.confirm(&discard, &carried).await.location();
    assert_eq!(audited(&house).await, audits, "confirmed twice it is decided once");
    let line = latest(&house, Some(bob), "dead_letters_discarded").await;
    assert_eq!((line.actor.as_str(), line.reason.as_str()), ("olga@example.org", WHY));
    let list = house.get(&olga, "/operator/letters").await;
    assert!(list.says("1 given up, the others applied"), "{list:?}");
    let home = house.get(&olga, "/operator").await;
    assert!(home.says("<span class=\"count some\">3</span> Dead letters"), "{home:?}");
    assert!(home.says("<span class=\"count some\">2</span> Decisions under way"), "{home:?}");
    let waiting = house.get(&olga, "/api/operator/decisions").await.json();
    assert_eq!(waiting["items"].as_array().unwrap().len(), 2, "{waiting}");
    let decision =
        house.get(&olga, &format!("/api/operator/decisions/{}", waiting["items"][0]["decision"])).await.json();
    assert_eq!(decision["state"], "asked");
    assert_eq!(house.get(&olga, "/api/operator/decisions/99").await.problem(), "404 not_found");
}

#[tokio::test]
async fn a_letter_that_live_state_has_lost_since_can_only_be_discarded() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let letter = house.letter(ann, 7, &[(b"k", b"x")], "it can not be read").await;
    house.book.execute("UPDATE shards SET incarnation = incarnation + 1 WHERE kind = 'accounts'").await.unwrap();
    let page = house.get(&olga, &format!("/operator/letters/{letter}")).await;
    assert!(page.says("lost in live state since") && !page.says("/retry\""), "{page:?}");
    let refused = house.form(&olga, &format!("/operator/letters/{letter}/retry"), &[("reason", WHY)]).await;
    assert!(refused.status == 422 && refused.says("It can only be discarded."), "{refused:?}");
    assert_eq!(house.get(&olga, "/operator/letters/s000/nonsense").await.refused_page(), "404 not_found");
    assert_eq!(house.get(&olga, "/operator/letters/s000/1-1").await.refused_page(), "404 dead_letter_not_found");
}
