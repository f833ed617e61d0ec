//! What a key is held to: what is taken, what is refused, and what it is read back as.

use super::*;

#[test]
fn a_range_holds_the_addresses_that_share_its_bits() {
    let holds = |range: &str, address: &str| range.parse::<AddressRange>().unwrap().contains(address.parse().unwrap());
    for (range, inside, outside) in [
        ("203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
        ("203.0.113.7", "203.0.113.7", "203.0.113.6"),
        ("10.0.0.0/8", "::ffff:10.9.8.7", "::ffff:11.0.0.0"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
        ("::/0", "2001::1", "1.2.3.4"),
        ("0.0.0.0/0", "255.255.255.255", "::1"),
    ] {
        assert!(holds(range, inside), "{inside} in {range}");
        assert!(!holds(range, outside), "{outside} not in {range}");
    }
    for wrong in [
        "",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/",
        "10.0.0/8",
        "::ffff:10.0.0.0/104",
        "::/129",
        "host",
    ] {
        assert!(wrong.parse::<AddressRange>().is_err(), "{wrong}");
    }
}

#[test]
fn an_empty_policy_allows_everything_and_a_written_one_is_read_back() {
    let empty: KeyPolicy = serde_json::from_str("{}").unwrap();
    assert!(empty.has_scope(&"a".parse().unwrap()) && empty.takes_address("1.2.3.4".parse().unwrap()));
    assert_eq!(serde_json::to_string(&empty).unwrap(), "{}");
    let text = r#"{"scopes":["messages"],"addresses":["10.0.0.0/8"],"rates":[{"name":"minute","count":60,"per_ms":60000,"burst":5}],"caps":{"day":9}}"#;
    let policy: KeyPolicy = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&policy).unwrap(), text);
    assert!(policy.has_scope(&"messages".parse().unwrap()) && !policy.has_scope(&"batch".parse().unwrap()));
    assert_eq!(policy.rates()[0].emission_us(), 1_000_000);
}

#[test]
fn what_can_not_be_is_refused() {
    let rate = |count: u32, per_ms: u64, burst: u32| Rate::new("r", count, per_ms, Some(burst));
    for wrong in
        [rate(0, 1_000, 1), rate(1, 999, 1), rate(1, 1_000, 0), rate(1_000_001, 1_000, 1), rate(1, 32 * 86_400_000, 1)]
    {
        assert!(wrong.is_err(), "{wrong:?}");
    }
    let twice = vec![rate(1, 1_000, 1).unwrap(), rate(2, 1_000, 1).unwrap()];
    assert!(KeyPolicy::new(vec![], vec![], twice).is_err());
    for wrong in [
        r#"{"scopes":[""]}"#,
        r#"{"scopes":["A"]}"#,
        r#"{"rate":[]}"#,
        r#"{"addresses":["x"]}"#,
        r#"{"caps":{"day":0}}"#,
        r#"{"caps":{"year":1}}"#,
    ] {
        assert!(serde_json::from_str::<KeyPolicy>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_key_has_so_many_of_each_and_no_more() {
    let scopes = |count: usize| (0..count).map(|number| format!("s{number}").parse().unwrap()).collect::<Vec<Scope>>();
    let addresses = |count: usize| vec!["10.0.0.0/8".parse::<AddressRange>().unwrap(); count];
    let rates =
        |count: usize| (0..count).map(|number| Rate::new(&format!("r{number}"), 1, 1_000, None).unwrap()).collect();
    let full = KeyPolicy::new(scopes(64), addresses(64), rates(4)).unwrap();
    assert_eq!((full.scopes().len(), full.addresses().len(), full.rates().len()), (64, 64, 4));
    for (scopes, addresses, rates) in [
        (scopes(65), addresses(0), rates(0)),
        (scopes(0), addresses(65), rates(0)),
        (scopes(0), addresses(0), rates(5)),
    ] {
        assert!(KeyPolicy::new(scopes, addresses, rates).is_err());
    }
}

#[test]
fn caps_are_kept_and_a_cap_of_nothing_is_none() {
    let credits = |count| Some(Credits::new(count).unwrap());
    let caps = KeyCaps { day: credits(1), month: credits(2) };
    assert_eq!(KeyPolicy::default().with_caps(caps).unwrap().caps(), caps);
    for caps in [KeyCaps { day: credits(0), month: credits(2) }, KeyCaps { day: credits(1), month: credits(0) }] {
        assert!(KeyPolicy::default().with_caps(caps).is_err(), "{caps:?}");
    }
}

#[test]
fn an_address_that_is_in_no_range_is_not_taken() {
    let ranges = ["10.0.0.0/8", "2001:db8::/32"].map(|range| range.parse().unwrap()).to_vec();
    let policy = KeyPolicy::new(vec![], ranges, vec![]).unwrap();
    assert!(policy.takes_address("2001:db8::1".parse().unwrap()));
    assert!(!policy.takes_address("11.0.0.1".parse().unwrap()));
    for (written, whole) in
        [("203.0.113.7", "203.0.113.7/32"), ("2001:db8::1", "2001:db8::1/128"), ("10.0.0.0/0", "10.0.0.0/0")]
    {
        let range: AddressRange = written.parse().unwrap();
        assert_eq!((range.to_string().as_str(), String::from(range)), (whole, whole.to_owned()));
    }
}

#[test]
fn a_name_is_short_and_plain() {
    let longest = "x".repeat(64);
    let scope: Scope = longest.parse().unwrap();
    assert_eq!((scope.to_string(), String::from(scope)), (longest.clone(), longest.clone()));
    assert!("read_all.v1:chat-2".parse::<Scope>().is_ok());
    for wrong in ["", "A", "a b", "a/b", &"x".repeat(65)] {
        assert!(wrong.parse::<Scope>().is_err() && Rate::new(wrong, 1, 1_000, None).is_err(), "{wrong}");
    }
    assert!(Rate::new(&longest, 1, 1_000, None).is_ok());
    assert!(Rate::new("a:b", 1, 1_000, None).is_err(), "live state writes a rate's name between colons");
}

#[test]
fn a_rate_within_its_bounds_is_kept_as_it_is() {
    let month = 31 * 86_400_000;
    for (count, per_ms, burst) in [(1, 1_000, 1), (1_000_000, 1_000, 1_000_000), (60, month, 5)] {
        let rate = Rate::new("r", count, per_ms, Some(burst)).unwrap();
        assert_eq!((rate.name(), rate.count(), rate.per_ms(), rate.burst()), ("r", count, per_ms, burst));
    }
    assert_eq!(Rate::new("r", 60, 1_000, None).unwrap().burst(), 60, "as many at once as in a period");
    for (count, per_ms, burst) in [(1, month + 1, 1), (1, 1_000, 1_000_001)] {
        assert!(Rate::new("r", count, per_ms, Some(burst)).is_err(), "{count} {per_ms} {burst}");
    }
    assert_eq!(Rate::new("r", 1_000_000, 1_000, None).unwrap().emission_us(), 1);
    assert_eq!(Rate::new("r", 3, 1_000, None).unwrap().emission_us(), 333_333);
}
