//! Receipts as a list: what became of each debit, page by page.

use ledger::{EntryCursor, ReceiptLine, ReceiptState};
use metering::{AccountId, Body};

use crate::actors::{NOON, Operator, credits, op, period_end, settled, shard_of};

async fn lines(operator: &Operator, account: AccountId) -> Vec<ReceiptLine> {
    operator.db.ledger.receipt_lines(account, None, 100).await.unwrap()
}

#[tokio::test]
async fn each_line_says_what_became_of_its_debit_and_what_of_it_stays() {
    let (operator, account, lot, mut stream) = settled(1_000, 30).await;
    let (_, key) = operator.issues(account, "build server", 1).await;
    let until = NOON.plus_ms(60_000);
    for number in 1..=6_u8 {
        stream.at = NOON.plus_ms(u64::from(number));
        stream.debits_by(account, Some(key).filter(|_| number == 1), op(u128::from(number)), &[(lot, 10)]);
        let Some(Body::Debit { hold_until, .. }) = stream.events.last_mut().map(|event| &mut event.body) else {
            panic!()
        };
        *hold_until = Some(until).filter(|_| number == 4);
    }
    stream.gives_back(account, op(2), &[(lot, 4)], &[(lot, 6)], period_end(NOON));
    stream.gives_back(account, op(3), &[(lot, 7)], &[], period_end(NOON));
    let Some(Body::GiveBack { kept, .. }) = stream.events.last_mut().map(|event| &mut event.body) else { panic!() };
    *kept = Some(credits(3));
    stream.is_asked_to_undo(account, op(5), until);
    stream.is_asked_to_undo(account, op(6), until);
    let Some(Body::Undo { kept, .. }) = stream.events.last_mut().map(|event| &mut event.body) else { panic!() };
    *kept = Some(credits(2)); // a settlement of which nobody knows whether it came
    stream.drains(&operator.db).await;
    let states =
        |lines: &[ReceiptLine]| lines.iter().rev().map(|line| (line.state, line.kept.get())).collect::<Vec<_>>();
    let mut said = [
        (ReceiptState::Drawn, 10),
        (ReceiptState::GivenBack, 0),
        (ReceiptState::Settled { kept: credits(3) }, 3),
        (ReceiptState::Held { until }, 10),
        (ReceiptState::UndoAsked, 10),
        (ReceiptState::UndoAsked, 10),
    ];
    assert_eq!(states(&lines(&operator, account).await), said);

    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    (said[4], said[5]) = ((ReceiptState::GivenBack, 0), (ReceiptState::Settled { kept: credits(2) }, 2));
    let lines = lines(&operator, account).await;
    assert_eq!(states(&lines), said);
    let first = lines.last().unwrap();
    assert_eq!((first.op, first.key, first.key_name.as_deref()), (op(1), Some(key), Some("build server")));
    assert_eq!((first.at, first.credits, first.route.as_deref()), (NOON.plus_ms(1), credits(10), Some("v1.messages")));
    assert_eq!(lines[0].key, None);
    // The receipt of each says the same.
    for line in &lines {
        let receipt = operator.db.ledger.receipts(line.op).await.unwrap().remove(0);
        assert_eq!(receipt.state, line.state);
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap_although_many_share_a_millisecond_and_more_come_meanwhile() {
    let (operator, account, lot, mut stream) = settled(1_000, 30).await;
    for number in 0..20_u8 {
        stream.at = NOON.plus_ms(u64::from(number) / 6);
        stream.debits(account, op(u128::from(number)), &[(lot, 1)]);
        if number % 3 == 0 {
            stream.debits(account, op(u128::from(number)), &[(lot, 1)]); // a second one stands in the receipt of the first
        }
    }
    stream.drains(&operator.db).await;
    let (mut seen, mut after): (Vec<_>, Option<EntryCursor>) = (Vec::new(), None);
    loop {
        let page = operator.db.ledger.receipt_lines(account, after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.cursor().to_string().parse().unwrap()); // as people's programs carry it
        seen.extend(page.iter().map(|line| line.op));
        if seen.len() == 6 {
            stream.debits(account, op(99), &[(lot, 1)]);
            stream.drains(&operator.db).await;
        }
    }
    let whole: Vec<_> = (0..20).rev().map(op).collect();
    assert_eq!(seen, whole);
}

#[tokio::test]
async fn a_cursor_of_another_account_is_a_place_in_one_s_own_list_and_no_more() {
    let (operator, account, lot, mut stream) = settled(1_000, 30).await;
    let other = operator.account_in(shard_of(account)).await;
    let others = operator.grants(other, 50, 30).await;
    stream.applies_pending(&operator.db, &[]).await;
    for number in 1..=4_u8 {
        stream.at = NOON.plus_ms(u64::from(number));
        let (whose, lot) = if number % 2 == 0 { (other, others) } else { (account, lot) };
        stream.debits(whose, op(u128::from(number)), &[(lot, 1)]);
    }
    stream.drains(&operator.db).await;
    let cursor = lines(&operator, other).await[0].cursor();
    let page = operator.db.ledger.receipt_lines(account, Some(cursor), 10).await.unwrap();
    assert_eq!(page.iter().map(|line| line.op).collect::<Vec<_>>(), [op(3), op(1)]);
    let nobody = AccountId::from_uuid(uuid::Uuid::nil());
    assert_eq!(operator.db.ledger.receipt_lines(nobody, Some(cursor), 10).await.unwrap(), []);
}
