//! Ids have one spelling each, and shards are where they always were.

use super::*;

#[test]
fn an_account_id_has_one_spelling() {
    let id = AccountId::from_uuid(Uuid::from_u128(0x0192_f000_0000_7000_8000_0000_0000_00ab));
    assert_eq!(id.to_string(), "acct_0192f0000000700080000000000000ab");
    assert_eq!(id.to_string().parse(), Ok(id));
    for wrong in [
        "",
        "acct_",
        "0192f0000000700080000000000000ab",
        "acct_0192F0000000700080000000000000AB",
        "acct_0192f000-0000-7000-8000-0000000000ab",
    ] {
        assert!(wrong.parse::<AccountId>().is_err(), "{wrong}");
    }
}

#[test]
fn a_lot_id_refuses_what_lua_can_not_hold() {
    assert_eq!("lot_42".parse::<LotId>().map(|lot| lot.as_u64()), Ok(42));
    for wrong in ["lot_0", "lot_01", "lot_", "42", "lot_-1", "lot_9007199254740992", "lot_1e3"] {
        assert!(wrong.parse::<LotId>().is_err(), "{wrong}");
    }
}

#[test]
fn accounts_spread_over_the_shards() {
    let count = ShardCount::new(16).unwrap();
    let mut seen = [0_u32; 16];
    for number in 0..16_000_u128 {
        seen[usize::from(AccountId::from_uuid(Uuid::from_u128(number)).shard(count).number)] += 1;
    }
    assert!(seen.iter().all(|&accounts| (800..1200).contains(&accounts)), "{seen:?}");
}

#[test]
fn a_route_name_can_not_break_a_key_or_a_label() {
    assert!("v1.messages".parse::<RouteName>().is_ok());
    for wrong in ["", "A", "a b", "a\"", "ü", &"x".repeat(65)] {
        assert!(wrong.parse::<RouteName>().is_err(), "{wrong}");
    }
}

#[test]
fn ids_are_the_same_in_every_dress() {
    let uuid = Uuid::from_u128(0xab);
    let (hex, dashed) = ("000000000000000000000000000000ab", "00000000-0000-0000-0000-0000000000ab");
    let op = OpId::from_uuid(uuid);
    assert_eq!((op.hex().as_str(), op.to_string().as_str(), op.as_uuid()), (hex, dashed, uuid));
    assert_eq!((dashed.parse(), OpId::from_hex(hex)), (Ok(op), Ok(op)));
    for wrong in ["", "ab", &hex[1..], &format!("0{hex}"), &hex.to_uppercase(), &hex.replace('a', "g")] {
        assert!(OpId::from_hex(wrong).is_err() && wrong.parse::<KeyId>().is_err(), "{wrong}");
    }
    let key = KeyId::from_uuid(uuid);
    assert_eq!((key.to_string(), String::from(key)), (format!("key_{hex}"), format!("key_{hex}")));
    assert_eq!(KeyId::try_from(format!("key_{hex}")), Ok(key));
}

#[test]
fn lots_and_routes_are_read_back() {
    for number in [1, 2, crate::credits::LARGEST] {
        let lot = LotId::new(number).unwrap();
        let text = format!("lot_{number}");
        assert_eq!((lot.as_u64(), lot.to_string(), String::from(lot)), (number, text.clone(), text.clone()));
        assert_eq!(LotId::try_from(text), Ok(lot));
    }
    for number in [0, crate::credits::LARGEST + 1] {
        assert!(LotId::new(number).is_err());
    }
    assert!("lot_+1".parse::<LotId>().is_err());
    let longest = "a.b-c_9".to_owned() + &"x".repeat(57);
    let route: RouteName = longest.parse().unwrap();
    assert_eq!(
        (route.as_str(), route.to_string(), String::from(route.clone())),
        (longest.as_str(), longest.clone(), longest.clone())
    );
    assert_eq!(RouteName::try_from(longest), Ok(route));
}

#[test]
fn a_shard_is_where_it_was_in_every_release() {
    for (count, of_0, of_7) in [(16, 5, 10), (999, 996, 635), (1, 0, 0)] {
        let count = ShardCount::new(count).unwrap();
        let shard = |number| AccountId::from_uuid(Uuid::from_u128(number)).shard(count);
        assert_eq!((shard(0).number, shard(7).number), (of_0, of_7));
        assert_eq!(shard(0).kind, ShardKind::Accounts);
    }
    let digest = crate::KeyDigest::from_bytes(std::array::from_fn(|place| u8::try_from(place).unwrap()));
    let shard = digest.shard(ShardCount::new(999).unwrap());
    assert_eq!((shard.kind, shard.number, shard.to_string().as_str()), (ShardKind::Keys, 412, "k412"));
    assert_eq!(Shard { kind: ShardKind::Accounts, number: 3 }.to_string(), "s003");
    for count in [1, 2, 999] {
        let read = ShardCount::try_from(count).unwrap();
        assert_eq!((read.get(), u16::from(read)), (count, count));
    }
    assert!(ShardCount::new(0).is_err() && ShardCount::new(1_000).is_err() && ShardCount::try_from(0).is_err());
}
