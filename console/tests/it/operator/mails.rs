//! Mails with their evidence, sent again; addresses put on the list and released.

use ledger::mails::{EventKind, MailReport, MailState, NoticeSettings};
use metering::{AccountId, Status};
use serde_json::json;

use super::{Steps, WHY, audited, is_olgas, latest, operator};
use crate::house::{House, by};

impl House {
    /// A mail about an account in some state, as a worker leaves it.
    async fn mail(&self, account: AccountId, state: &str, held: Option<&str>) -> u64 {
        let uuid = account.as_uuid();
        let held = held.map_or("NULL".to_owned(), |held| format!("'{held}'"));
        let sql = format!(
            "INSERT INTO mails (account_id, address, kind, detail, dedupe_key, queued_at, state, held_reason, addresses) \
             SELECT '{uuid}', 'ann@example.org', 'low_balance', '{{\"remaining\": 20}}', 'story:' || gen_random_uuid(), \
             clock_timestamp(), '{state}', {held}, ARRAY['ann@example.org']"
        );
        self.book.execute(&sql).await.unwrap();
        u64::try_from(self.book.number("SELECT max(mail_id) FROM mails").await).unwrap()
    }
}

#[tokio::test]
async fn a_setting_that_keeps_a_mail_back_is_told_from_a_delivery_that_failed() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let held = house.mail(ann, "held_back", Some("settings_off")).await;
    let bounced = house.mail(ann, "sent", None).await;
    let message = house.book.text("SELECT message_id FROM mails ORDER BY mail_id DESC LIMIT 1").await;
    let now = house.now().await;
    let report = MailReport {
        provider: "generic".to_owned(),
        event: "e1".to_owned(),
        messages: vec![message],
        what: EventKind::Bounced,
        address: Some("ann@example.org".to_owned()),
        at: now,
        code: Some("5.1.1".to_owned()),
        detail: Some("550 <script>alert(1)</script> no such user".to_owned()),
    };
    house.book.ledger.record_mail_reports(&[report], now).await.unwrap();
    let off = NoticeSettings { low_balance: false, ..NoticeSettings::default() };
    house.book.ledger.set_notice_settings(ann, &off, None, &by(now)).await.unwrap();

    let setting = house.get(&olga, &format!("/operator/mails/{held}")).await;
    assert!(setting.says("Setting</span> The account has turned these notices off in its settings."), "{setting:?}");
    assert!(setting.says("low-balance notices off, lifecycle notices on"), "{setting:?}");
    let delivery = house.get(&olga, &format!("/operator/mails/{bounced}")).await;
    assert!(delivery.says("Delivery</span> An address does not take it."), "{delivery:?}");
    assert!(delivery.says("550 &#60;script&#62;alert(1)&#60;/script&#62; no such user"), "{delivery:?}");
    assert!(delivery.says("Nothing is sent to <strong>ann@example.org</strong>"), "{delivery:?}");
    let list = house.get(&olga, "/operator/mails?state=bounced").await;
    assert!(list.says(&format!("href=\"/operator/mails/{bounced}\"")), "{list:?}");
    assert!(!list.says(&format!("href=\"/operator/mails/{held}\"")), "{list:?}");
    let account = house.get(&olga, &format!("/operator/accounts/{ann}")).await;
    assert!(account.says("<strong>Setting:</strong>") && account.says("<strong>Delivery:</strong>"), "{account:?}");
    let api = house.get(&olga, &format!("/api/operator/mails?account={ann}")).await.json();
    let trouble: Vec<&str> =
        api["items"].as_array().unwrap().iter().map(|mail| mail["trouble"].as_str().unwrap()).collect();
    assert_eq!(trouble, ["delivery", "setting"]);
    let home = house.get(&olga, "/operator").await;
    assert!(home.says("<span class=\"count some\">1</span> Mails bounced"), "{home:?}");
}

#[tokio::test]
async fn a_mail_is_sent_again_once_and_an_address_is_suppressed_and_released_with_a_reason() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    let mail = house.mail(ann, "unknown", None).await;
    let resend = format!("/operator/mails/{mail}/resend");
    steps.insists_on_a_reason(&resend, &[]).await;
    let (page, carried) = steps.preview(&resend, &[("reason", WHY)]).await;
    assert!(page.says("somebody gets it twice"), "{page:?}");
    assert_eq!(steps.confirm(&resend, &carried).await.location(), format!("/operator/mails/{mail}?done=mail_queued"));
    let audits = audited(&house).await;
    steps.confirm(&resend, &carried).await.location();
    assert_eq!(audited(&house).await, audits, "confirmed twice it is queued once");
    assert_eq!(house.book.ledger.mail(mail).await.unwrap().state, MailState::Queued);
    let line = latest(&house, Some(ann), "mail_resent");
    is_olgas(&line.await, &json!({ "state": "unknown" }), &json!({ "state": "queued" }));
    let under_way = house.form(&olga, &resend, &[("reason", WHY)]).await;
    assert!(under_way.status == 422 && under_way.says("it is on its way"), "{under_way:?}");

    let fields = [("address", "Bob+x@Example.org"), ("reason", WHY)];
    steps.insists_on_a_reason("/operator/suppress", &fields[..1]).await;
    assert_eq!(steps.done("/operator/suppress", &fields).await, "/operator/suppressions?done=address_suppressed");
    let line = latest(&house, None, "address_suppressed").await;
    is_olgas(&line, &json!(null), &json!({ "suppressed": true, "reason": "operator" }));
    for (address, said) in [("bob+x@example.org", "on the list already"), ("nobody", "This is no e-mail address")] {
        let wrong = house.form(&olga, "/operator/suppress", &[("address", address), ("reason", WHY)]).await;
        assert!(wrong.status == 422 && wrong.says(said), "{wrong:?}");
    }
    let list = house.get(&olga, "/operator/suppressions").await;
    let release = "/operator/suppressions/bob%2Bx@example.org/release";
    assert!(list.says(&format!("href=\"{release}\"")), "{list:?}");
    steps.insists_on_a_reason(release, &[]).await;
    assert_eq!(steps.done(release, &[("reason", WHY)]).await, "/operator/suppressions?done=address_released");
    let line = latest(&house, None, "address_unsuppressed").await;
    is_olgas(&line, &json!({ "reason": "operator" }), &json!({ "suppressed": false }));
    assert_eq!(house.get(&olga, release).await.refused_page(), "404 not_found");
}
