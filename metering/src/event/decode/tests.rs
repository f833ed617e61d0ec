//! Entries as scripts write them, of every kind; each field missing or odd.

use super::*;
use crate::EventId;
use uuid::Uuid;

fn debit_fields() -> HashMap<String, String> {
    let id = Uuid::from_u128(5).as_simple().to_string();
    [("v", "1"), ("k", "debit"), ("b", "3 1000 4 2000 10 4"), ("s", "7:3,9:1"), ("i", ""), ("p", "v1.messages")]
        .into_iter()
        .chain([("op", id.as_str()), ("a", &id)])
        .map(|(field, value)| (field.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn a_debit_is_read_as_the_script_wrote_it() {
    let event = decode("7-12", &debit_fields()).unwrap();
    assert_eq!(event.id, EventId { incarnation: 7, sequence: 12 });
    assert_eq!((event.body.seq(), event.body.kind()), (Some(3), "debit"));
}

#[test]
fn a_debit_of_one_field_is_the_debit_of_the_fields_it_stands_for() {
    let id = Uuid::from_u128(5).as_simple().to_string();
    let one = |value: String| HashMap::from([("debit".to_owned(), value)]);
    let packed = format!("{id};{id};7:3,9:1;;v1.messages;3 1000 4 2000 10 4");
    assert_eq!(decode("7-12", &one(packed.clone())), decode("7-12", &debit_fields()));
    let mut longer = debit_fields();
    longer.insert("h".to_owned(), "1500".to_owned());
    longer.insert("y".to_owned(), format!("{id} {id} 1600"));
    let more = decode("7-12", &one(format!("{packed};1500;{id} {id} 1600"))).unwrap();
    assert_eq!(Ok(&more), decode("7-12", &longer).as_ref());
    assert!(matches!(more.body, Body::Debit { hold_until: Some(_), idempotency: Some(_), .. }));
    assert_eq!(decode("7-12", &one(format!("{packed};"))).unwrap_err().field, "debit");
    assert_eq!(decode("7-12", &one(format!("{packed};soon"))).unwrap_err().field, "h");
    let mut beside = one(packed);
    beside.insert("v".to_owned(), "2".to_owned());
    assert_eq!(decode("7-12", &beside).unwrap_err().field, "v", "no one field any more");
}

#[test]
fn an_entry_with_any_field_missing_or_odd_is_refused_by_name() {
    for field in ["v", "k", "b", "s", "i", "p", "op", "a"] {
        let mut missing = debit_fields();
        missing.remove(field);
        assert_eq!(decode("7-12", &missing).unwrap_err().field, field);
        let mut odd = debit_fields();
        odd.insert(field.to_owned(), "~".to_owned());
        assert!(decode("7-12", &odd).is_err(), "{field}");
    }
    for odd in ["3 1000 4 2000 10", "3 1000 4 2000 10 4 4", "3 1000 4 2000 10 -4", "3  1000 4 2000 10 4"] {
        let mut fields = debit_fields();
        fields.insert("b".to_owned(), odd.to_owned());
        assert_eq!(decode("7-12", &fields).unwrap_err().field, "b", "{odd}");
    }
    let mut short = debit_fields();
    short.insert("s".to_owned(), "7:3".to_owned());
    assert_eq!(decode("7-12", &short).unwrap_err().field, "s", "a split that is not its sum");
}

fn fields(words: &[(&str, &str)]) -> HashMap<String, String> {
    let both = [("v", "1"), ("a", ACCOUNT)];
    both.iter().chain(words).map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
}

const ACCOUNT: &str = "00000000000000000000000000000001";
const OP: &str = "00000000000000000000000000000002";
const OF: &str = "00000000000000000000000000000003";

/// What each kind has beside version and account, as the scripts write it, and what it says.
fn kinds() -> Vec<(Vec<(&'static str, &'static str)>, Body)> {
    let (account, op, of) =
        (AccountId::from_hex(ACCOUNT).unwrap(), OpId::from_hex(OP).unwrap(), OpId::from_hex(OF).unwrap());
    let (credits, at) = (|count| Credits::new(count).unwrap(), TimeMs::new);
    let split = |text| lots::read(text).unwrap();
    let back = |kept| Body::GiveBack {
        account,
        seq: 4,
        op,
        debit_op: of,
        returned: split("7:3"),
        lapsed: split("9:1"),
        kept,
        period_end: at(2_000),
        remaining_after: credits(10),
        budget_used_after: credits(5),
        key: Some(KeyId::from_hex(OP).unwrap()),
        debited_at: at(900),
    };
    let of_back = vec![
        ("q", "4"),
        ("op", OP),
        ("of", OF),
        ("s", "7:3"),
        ("l", "9:1"),
        ("e", "2000"),
        ("r", "10"),
        ("u", "5"),
        ("i", OP),
        ("d", "900"),
    ];
    let outcome = RequestOutcome::read("200 5 6 complete").unwrap();
    let change = crate::ControlKind::LotReduced;
    vec![
        (vec![("k", "installed"), ("q", "4"), ("cv", "8")], Body::Installed { account, seq: 4, control_version: 8 }),
        ([vec![("k", "give_back")], of_back.clone()].concat(), back(None)),
        ([vec![("k", "settle"), ("kp", "6")], of_back].concat(), back(Some(credits(6)))),
        (
            vec![("k", "undo"), ("q", "4"), ("op", OP), ("of", OF), ("na", "700"), ("kp", "6")],
            Body::Undo { account, seq: 4, op, debit_op: of, not_after: at(700), kept: Some(credits(6)) },
        ),
        (
            vec![("k", "confirm"), ("op", OP), ("c", "6"), ("o", "200 5 6 complete")],
            Body::Confirm { account, debit_op: op, credits: credits(6), outcome },
        ),
        (vec![("k", "extend"), ("op", OP), ("h", "700")], Body::Extend { account, debit_op: op, hold_until: at(700) }),
        (
            vec![
                ("k", "control"),
                ("q", "4"),
                ("w", "5"),
                ("cv", "8"),
                ("c", "lot_reduced"),
                ("s", ""),
                ("l", ""),
                ("x", "7:2"),
            ],
            Body::Control {
                account,
                seq: 4,
                row: 5,
                version: 8,
                change,
                returned: vec![],
                lapsed: vec![],
                taken: split("7:2"),
            },
        ),
    ]
}

#[test]
fn every_kind_of_event_is_read_as_its_script_wrote_it_and_needs_each_of_its_fields() {
    for (mut words, body) in kinds() {
        words.push(("t", "1000"));
        let event = decode("7-12", &fields(&words)).unwrap();
        assert_eq!((event.at, &event.body), (TimeMs::new(1_000), &body));
        for (field, _) in &words {
            let mut odd = fields(&words);
            odd.insert((*field).to_owned(), "~".to_owned());
            assert_eq!(decode("7-12", &odd).unwrap_err().field, *field, "{}", body.kind());
        }
    }
    let opened = fields(&[("k", "opened"), ("t", "1000")]);
    assert_eq!(decode("7-0", &opened).unwrap().body, Body::Opened);
    assert_eq!(decode("7", &opened).unwrap_err(), DecodeError { id: "7".to_owned(), field: "id" });
}

#[test]
fn a_give_back_of_an_older_release_does_not_say_who_had_asked_nor_when() {
    let (words, _) = kinds().remove(1);
    let mut words = fields(&[words, vec![("t", "1000")]].concat());
    words.remove("i");
    words.remove("d");
    let Body::GiveBack { key, debited_at, .. } = decode("7-12", &words).unwrap().body else { panic!("a give-back") };
    assert_eq!((key, debited_at), (None, TimeMs::EPOCH));
}

#[test]
fn a_debit_may_be_a_hold_and_may_have_an_idempotency_key() {
    let mut words = debit_fields();
    words.extend(
        [("h", "5000"), ("i", OP), ("y", &format!("{OP} {OF} 4000"))]
            .map(|(field, value)| (field.to_owned(), value.to_owned())),
    );
    let Body::Debit { hold_until, key, idempotency, credits, .. } = decode("7-12", &words).unwrap().body else {
        panic!("a debit")
    };
    assert_eq!(
        (hold_until, key, credits),
        (Some(TimeMs::new(5_000)), KeyId::from_hex(OP).ok(), Credits::new(4).unwrap())
    );
    let under = Idempotency {
        key: IdempotencyKey::from_hex(OP).unwrap(),
        fingerprint: Fingerprint::from_hex(OF).unwrap(),
        in_use_until: TimeMs::new(4_000),
    };
    assert_eq!(idempotency, Some(under));
    for odd in [
        format!("{OP} {OF}"),
        format!("{OP} {OF} 4000 1"),
        format!("{OP} {OF} -1"),
        format!("x {OF} 4000"),
        format!("{OP} x 4000"),
    ] {
        words.insert("y".to_owned(), odd.clone());
        assert_eq!(decode("7-12", &words).unwrap_err().field, "y", "{odd}");
    }
}

#[test]
fn a_debit_of_nothing_or_of_another_sum_is_none() {
    for (numbers, split) in [("3 1000 0 2000 10 4", ""), ("3 1000 4 2000 10 4", ""), ("3 1000 4 2000 10 4", "7:3,9:2")]
    {
        let mut words = debit_fields();
        words.extend([("b", numbers), ("s", split)].map(|(field, value)| (field.to_owned(), value.to_owned())));
        assert_eq!(decode("7-12", &words).unwrap_err().field, "s", "{numbers} {split}");
    }
}
