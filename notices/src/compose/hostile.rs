//! Whatever stands in names and addresses, a mail has the headers that are meant and no others.

use std::sync::LazyLock;

use config::notices::Letter;
use ledger::mails::{ClaimedMail, MailKind, MailTurn, NoticeSettings};
use lettre::Address;
use mail_parser::{Message, MessageParser};
use metering::TimeMs;
use proptest::prelude::*;
use serde_json::json;

use super::Stationery;
use super::headers::SUBJECT_CHARS_MAX;
use super::words::{NAME_CHARS_MAX, one_line};
use crate::decide::{What, reachable};
use crate::smtp::is_ascii;

const NOW: TimeMs = TimeMs::new(1_795_665_540_000);
const HEADERS: [&str; 10] = [
    "From",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "List-Unsubscribe",
    "To",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
];

static STATIONERY: LazyLock<Stationery> = LazyLock::new(|| {
    let letter = Letter {
        brand: "Tollgate".to_owned(),
        public_url: "https://console.example/".to_owned(),
        support_url: "mailto:help@console.example".to_owned(),
        from: String::new(),
        reply_to: String::new(),
    };
    let reply_to = Some("answers@console.example".parse().unwrap());
    Stationery::new(&letter, "\"Tollgate, Billing\" <billing@console.example>".parse().unwrap(), reply_to)
});

fn mail(kind: MailKind, name: &str) -> ClaimedMail {
    ClaimedMail {
        turn: MailTurn { mail: 1, turn: 1 },
        attempts: 1,
        account: "acct_00000000000070008000000000000001".parse().unwrap(),
        account_name: name.to_owned(),
        account_email: None,
        address: None,
        settings: NoticeSettings::default(),
        kind,
        detail: json!({
            "credits": 1_234, "product": name, "expires_at": NOW, "trial_end": NOW, "remaining": 200, "original": 1_000, "percent": 20,
            "as_of": NOW, "ahead": (1..=5).map(|day| json!({ "expires_at": NOW.plus_ms(day * 86_400_000), "remaining": 40 })).collect::<Vec<_>>(),
        }),
        message_id: "tollgate.0123456789abcdef0123456789abcdef".to_owned(),
        queued_at: NOW,
    }
}

/// Those of these that mails can go to, as the service decides.
fn addresses(written: &[String]) -> Vec<Address> {
    match reachable(written, &[]).what {
        What::Send(to) => to,
        _ => Vec::new(),
    }
}

/// Every header line is one of ours, or goes on with one; the lines are short and of printable ASCII. Letters of an address that goes by
/// SMTPUTF8 stand among the recipients as they are (RFC 6532).
fn names_of(raw: &[u8], to: &[Address]) -> Vec<String> {
    let of_recipients = to.iter().any(|address| !is_ascii(address));
    let text = String::from_utf8(raw.to_vec()).expect("a mail is text");
    let (head, _) = text.split_once("\r\n\r\n").expect("a mail has a text behind its headers");
    let mut names = Vec::new();
    for line in head.split("\r\n") {
        if !line.starts_with([' ', '\t']) {
            let (name, _) = line.split_once(':').unwrap_or_else(|| panic!("no header: {line:?}"));
            names.push(name.to_owned());
        }
        let as_they_are = of_recipients && names.last().is_some_and(|name| name == "To");
        let is_plain = |letter: char| (' '..='~').contains(&letter) || letter == '\t';
        assert!(
            line.len() <= 998
                && line.chars().all(|letter| is_plain(letter) || (as_they_are && letter.is_alphanumeric())),
            "{line:?}"
        );
    }
    names
}

fn recipients(message: &Message<'_>) -> Vec<String> {
    let to = message.to().expect("a mail has recipients").clone().into_list();
    to.into_iter().map(|one| one.address.unwrap_or_default().into_owned()).collect()
}

fn check(kind: MailKind, name: &str, to: &[Address]) {
    let raw = STATIONERY.compose(&mail(kind, name), to, NOW).unwrap();
    let mut names = names_of(&raw, to);
    names.sort();
    let mut wanted: Vec<String> = HEADERS.map(str::to_owned).into();
    wanted.sort();
    assert_eq!(names, wanted, "{name:?}");
    let message = MessageParser::default().parse(&raw).unwrap();
    let subject = message.subject().unwrap();
    let shown = match one_line(name, NAME_CHARS_MAX) {
        name if name.is_empty() => "your account".to_owned(),
        name => name,
    };
    let told = format!(" ({})", shown.replace("=?", "= ?"));
    assert!(subject.starts_with("Tollgate: ") && subject.ends_with(&told), "{subject:?} for {name:?}");
    assert!(subject.chars().count() <= SUBJECT_CHARS_MAX);
    assert_eq!(recipients(&message), to.iter().map(ToString::to_string).collect::<Vec<_>>());
    let from = message.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some("Tollgate, Billing"), Some("billing@console.example")));
    assert_eq!(message.message_id(), Some("tollgate.0123456789abcdef0123456789abcdef@console.example"));
    assert_eq!((message.text_body_count(), message.html_body_count(), message.attachment_count()), (1, 1, 0));
    let (text, html) = (message.body_text(0).unwrap(), message.body_html(0).unwrap());
    assert!(text.contains(&shown) || text.replace("\r\n", "\n").contains(&shown), "{text}");
    assert_eq!(html.matches('<').count(), html_of("Ada", kind).matches('<').count(), "the name writes no tags: {html}");
    assert!(html.ends_with("</html>\r\n") || html.ends_with("</html>\n") || html.ends_with("</html>"));
}

fn html_of(name: &str, kind: MailKind) -> String {
    let raw = STATIONERY.compose(&mail(kind, name), &["a@x".parse().unwrap()], NOW).unwrap();
    MessageParser::default().parse(&raw).unwrap().body_html(0).unwrap().into_owned()
}

fn hostile() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "\r\n",
        "\n",
        "\r",
        "\0",
        "\r\n\r\n",
        "Bcc: eve@example.com",
        "Subject: x",
        ": ",
        " ",
        "\t",
        "<",
        ">",
        "\"",
        "'",
        "&",
        "=?utf-8?q?x?=",
        "=?utf-8?b?",
        "?=",
        "\u{202e}",
        "\u{200b}",
        "\u{2028}",
        "\u{feff}",
        "ü",
        "日本語",
        "🧾",
        "e\u{301}",
        "(",
        ")",
        ",",
        ";",
        "@",
        "\\",
        ".",
        "\r\n.\r\n",
        "{{ letter }}",
        "</p>",
        "<script>",
        "a",
        "Ada Ltd",
        "\u{7f}",
        "\u{85}",
        "\u{1b}[31m",
    ]);
    let mixed = prop::collection::vec(parts, 0..40).prop_map(|parts| parts.concat());
    prop_oneof![mixed, any::<String>(), "\\PC{0,200}", "a{150,200}", "(ü|日){100,200}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn no_name_and_no_address_writes_a_header(
        name in hostile(),
        written in prop::collection::vec(prop_oneof![hostile(), "[a-z.+]{1,20}@[a-z.-]{1,20}", "[aüя日]{1,20}@[büя日]{1,20}", "[a-z\\r\\n<>\" ]{1,9}@[a-z,\\n]{1,9}"], 0..6),
        kind in prop::sample::select(MailKind::ALL),
    ) {
        let mut to = addresses(&written);
        to.push("ada@example.com".parse().unwrap());
        check(kind, &name, &to);
    }
}

#[test]
fn the_worst_of_them_by_hand() {
    let to = ["ada@example.com".parse::<Address>().unwrap()];
    for name in [
        "",
        "\r\n",
        "Ada\r\nBcc: eve@example.com",
        "Ada\r\n\r\n<script>alert(1)</script>",
        "\u{202e}moc.elpmaxe@eve",
        "=?utf-8?q?Bcc=3A?=",
        "x\0y",
        &"w".repeat(200),
        &"日".repeat(200),
        "a\r\n.\r\nQUIT\r\n",
        "</title><script>",
    ] {
        for kind in MailKind::ALL {
            check(*kind, name, &to);
        }
    }
}

#[test]
fn what_is_no_address_gets_no_mail() {
    let written = [
        "a@x\r\nBcc: b@x",
        "a@x>\r\nRCPT TO:<b@x",
        "\"a b\"@x",
        "a@x b@x",
        "a@x,b@x",
        "Ada <a@x>",
        "a\0@x",
        "a@\u{202e}x",
    ];
    assert_eq!(addresses(&written.map(str::to_owned)), []);
}

#[test]
fn a_low_balance_says_how_much_is_left_of_how_much_and_what_expires_next() {
    let raw = STATIONERY.compose(&mail(MailKind::LowBalance, "Ada Ltd"), &["a@x".parse().unwrap()], NOW).unwrap();
    let message = MessageParser::default().parse(&raw).unwrap();
    assert_eq!(message.subject(), Some("Tollgate: 200 of 1 000 credits left (Ada Ltd)"));
    let text = message.body_text(0).unwrap().replace("\r\n", "\n");
    let wanted = "200 of 1\u{202f}000 credits left\n\n\
        Ada Ltd has 200 of 1\u{202f}000 credits left (20 %), as of 2026-11-26 03:59 UTC.\n\
        Chat messages and API calls draw from this one pool; when it is used up they are refused until credits are added.\n\n\
        What is left expires:\n\
        - 40 credits on 2026-11-27 03:59 UTC\n\
        - 40 credits on 2026-11-28 03:59 UTC\n\
        - 40 credits on 2026-11-29 03:59 UTC\n\
        - and what is left of 2 more lots after that\n\n\
        You are told once when 20 % or less is left.\n\n\
        Billing: https://console.example/billing\n\
        Support: mailto:help@console.example\n\n\
        -- \n\
        Tollgate\n\
        You get this mail because notices about billing are on for Ada Ltd.\n\
        Change which mails you get: https://console.example/settings";
    assert_eq!(text, wanted);
    let html = message.body_html(0).unwrap();
    assert!(html.contains("<time datetime=\"2026-11-27T03:59:00Z\">2026-11-27 03:59 UTC</time>"), "{html}");
    assert!(html.contains("<a href=\"https://console.example/settings\">"));
}

#[test]
fn values_of_another_kind_are_no_mail() {
    let mut mail = mail(MailKind::CreditsGranted, "Ada");
    for detail in
        [json!({}), json!({ "credits": -1, "product": "x", "expires_at": 0 }), json!({ "credits": "many" }), json!(7)]
    {
        mail.detail = detail;
        assert!(STATIONERY.compose(&mail, &["a@x".parse().unwrap()], NOW).is_err());
    }
}
