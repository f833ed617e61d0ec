//! Which mails an account gets: chosen by its admins, over what was seen, with what the installation has switched off; and what became of them.

use ledger::mails::NoticeSwitches;
use metering::Status;
use reqwest::Method;
use serde_json::{Value, json};

use crate::house::{Answer, House, Person};

const API: &str = "/api/billing/settings";

async fn owner(house: &House) -> Person {
    house.person(house.account("Ann", Status::Active, 10).await, "billing_owner")
}

fn chosen(low_balance: bool, recipients: &[&str]) -> Value {
    json!({ "low_balance": low_balance, "lifecycle": true, "recipients": recipients })
}

/// The tag of an answer.
fn tag(answer: &Answer) -> String {
    answer.header("etag").unwrap().to_owned()
}

#[tokio::test]
async fn settings_are_chosen_on_the_page_and_the_audit_knows_by_whom() {
    let house = House::start().await;
    let ann = owner(&house).await;
    let page = house.get(&ann, "/settings").await;
    assert!(page.says("Empty: ann@example.org, the account's own address."), "{page:?}");
    assert!(page.says("There was no mail yet.") && page.says("This installation does not send mails yet."), "{page:?}");
    let typed = [("version", "0"), ("lifecycle", "on"), ("recipients", "ops@example.org;\nann@example.org")];
    assert_eq!(house.form(&ann, "/settings", &typed).await.location(), "/settings?done=settings_saved");
    let now = house.get(&ann, API).await.json();
    assert_eq!((&now["low_balance"], &now["lifecycle"]), (&json!(false), &json!(true)));
    assert_eq!(
        (&now["recipients"], &now["account_address"]),
        (&json!(["ops@example.org", "ann@example.org"]), &json!("ann@example.org"))
    );
    let by = "SELECT actor FROM audit WHERE action = 'notice_settings_set'";
    assert_eq!(house.book.text(by).await, "billing_owner@example.org");
    assert!(
        house
            .get(&ann, "/activity?kind=mail")
            .await
            .says("Notices set: low balance off, plan and payments on, to 2 addresses")
    );
}

#[tokio::test]
async fn what_was_typed_wrong_or_over_somebody_elses_choice_is_shown_again_and_not_saved() {
    let house = House::start().await;
    let ann = owner(&house).await;
    let wrong = [("version", "0"), ("recipients", "ops@example.org Bcc:eve")];
    let page = house.form(&ann, "/settings", &wrong).await;
    assert_eq!(page.status, 422);
    assert!(
        page.says("“Bcc:eve” is no e-mail address: it has no @.") && page.says("ops@example.org Bcc:eve</textarea>"),
        "{page:?}"
    );
    let twice = house.form(&ann, "/settings", &[("version", "0"), ("recipients", "a@example.org A@example.org")]).await;
    assert!(twice.status == 422 && twice.says("the same one stands there twice"), "{twice:?}");
    assert_eq!(house.form(&ann, "/settings", &[("version", "0"), ("low_balance", "on")]).await.status, 303);
    let late = house.form(&ann, "/settings", &[("version", "0"), ("recipients", "late@example.org")]).await;
    assert_eq!(late.status, 412);
    assert!(late.says("Somebody has changed these settings") && late.says("late@example.org</textarea>"), "{late:?}");
    assert!(late.says("name=\"version\" value=\"1\""), "saved again it overwrites: {late:?}");
    assert_eq!(house.get(&ann, API).await.json()["recipients"], json!([]));
}

#[tokio::test]
async fn the_api_overwrites_only_what_was_seen() {
    let house = House::start().await;
    let ann = owner(&house).await;
    let seen = tag(&house.get(&ann, API).await);
    let set = async |if_match: &str, low: bool| {
        house.ask(Method::PUT, API).of(&ann).header("if-match", if_match).json(&chosen(low, &[])).send().await
    };
    let first = set(&seen, false).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(set(&seen, true).await.problem(), "412 changed_meanwhile");
    assert_eq!(set("\"nonsense\"", true).await.problem(), "412 changed_meanwhile");
    assert_eq!(set(&tag(&first), true).await.status, 200);
    let same = set("*", true).await;
    assert_eq!((same.status, tag(&same).as_str()), (200, "\"2\""), "what is so already changes nothing");
    assert_eq!(house.put(&ann, API, &chosen(true, &["no address"])).await.problem(), "422 invalid");
    let many: Vec<String> = (0..11).map(|number| format!("p{number}@example.org")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(house.put(&ann, API, &chosen(true, &many)).await.problem(), "422 invalid");
    assert_eq!(house.put(&ann, API, &json!({ "low_balance": true })).await.problem(), "422 invalid");
    let member = house.person(ann.account, "member");
    assert_eq!(house.put(&member, API, &chosen(true, &[])).await.problem(), "403 role_missing");
    let page = house.get(&member, "/settings").await;
    assert!(page.says("An admin or the billing owner of this account can change these settings."), "{page:?}");
}

#[tokio::test]
async fn what_the_installation_does_not_send_is_said_beside_the_choice_and_so_is_that_nobody_sends() {
    let house = House::start().await;
    let ann = owner(&house).await;
    let tell = async |low_balance: bool, ago_ms: u64| {
        let told_at = house.now().await.minus_ms(ago_ms);
        let switches = NoticeSwitches { low_balance, lifecycle: true, told_at };
        house.book.ledger.tell_notice_switches(&switches).await.unwrap();
        house.get(&ann, "/settings").await
    };
    let off = tell(false, 0).await;
    assert_eq!(off.text.matches("This installation sends none of these").count(), 1, "{off:?}");
    assert!(!off.says("Mails are not being sent right now"), "{off:?}");
    assert_eq!(house.get(&ann, API).await.json()["installation"]["low_balance"], false);
    let on = tell(true, 0).await;
    assert!(!on.says("This installation"), "{on:?}");
    let silent = tell(true, 600_000).await;
    assert!(
        silent.says("Mails are not being sent right now: what sends them was last heard of 10 min ago."),
        "{silent:?}"
    );
}

#[tokio::test]
async fn the_last_mails_stand_there_with_their_evidence_and_only_the_accounts_own() {
    let house = House::start().await;
    let (ann, eve) = (owner(&house).await, house.person(house.account("Eve", Status::Active, 10).await, "member"));
    let id = ann.account.as_uuid();
    let queue = format!(
        "INSERT INTO mails (account_id, kind, address, detail, dedupe_key, queued_at, state, held_reason) \
         VALUES ('{id}', 'low_balance', 'ann@example.org', '{{}}', 'x', now(), 'held_back', 'settings_off')"
    );
    house.book.execute(&queue).await.unwrap();
    let fact = "INSERT INTO mail_events (mail_id, what, code, at, recorded_at) SELECT mail_id, 'held_back', 'settings_off', now(), now() FROM mails";
    house.book.execute(fact).await.unwrap();
    let page = house.get(&ann, "/settings").await;
    assert!(page.says("Held back</span>") && page.says("these settings say not to send it"), "{page:?}");
    let mail = &house.get(&ann, "/api/billing/mails").await.json()["items"][0];
    assert_eq!((&mail["state"], &mail["held_reason"]), (&json!("held_back"), &json!("settings_off")));
    let facts: Vec<&Value> = mail["evidence"].as_array().unwrap().iter().map(|fact| &fact["what"]).collect();
    assert_eq!(facts, ["queued", "held_back"]);
    assert_eq!(house.get(&eve, "/api/billing/mails").await.json()["items"], json!([]));
    assert_eq!(house.get(&eve, "/api/billing/mails?after=99999999999999999999").await.problem(), "400 bad_request");
}
