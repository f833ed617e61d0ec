//! Money that goes back: the lot gives up the largest part, once; what it has no more is shown; what a dispute took comes back.

use ledger::stripe::{Effect, Outcome, PaymentRef, Reversal, ReversalKind};
use metering::{LotId, Status};

use super::shop::{Shop, at};
use crate::actors::{DAY, Operator, Stream, by, op, shard_of};

/// A shop that has paid `in_1`, linked to its intent, and the stream of its shard.
async fn paid<'a>(operator: &'a Operator, name: &str) -> (Shop<'a>, Stream, LotId) {
    let shop = Shop::opens(operator, name, Status::Pending).await;
    shop.takes("evt_1", &[Effect::Paid(shop.invoice("in_1", at(1))), shop.linked("in_1")]).await;
    let mut stream = Stream::opens(&operator.db, shard_of(shop.account)).await;
    stream.at = at(30);
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    let lot = operator.sees(shop.account).await.lots[0].lot;
    (shop, stream, lot)
}

async fn reductions(operator: &Operator) -> Vec<i64> {
    let asked = "SELECT coalesce(string_agg(payload ->> 'credits', ',' ORDER BY row_id), '') FROM outbox WHERE kind = 'lot_reduced'";
    operator.db.text(asked).await.split(',').filter(|part| !part.is_empty()).map(|part| part.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_refund_takes_its_part_of_what_is_left_and_the_shortfall_shows_once_it_is_drained() {
    let operator = Operator::arrives().await;
    let (shop, mut stream, lot) = paid(&operator, "ada").await;
    stream.debits(shop.account, op(1), &[(lot, 80)]);
    stream.drains(&operator.db).await;
    shop.takes("evt_2", &[shop.refund("in_1", 1_000)]).await;
    assert_eq!(shop.clawed("in_1").await, (50, None, None), "live state has not said what there was");
    stream.applies_pending(&operator.db, &[(lot, 20)]).await;
    stream.drains(&operator.db).await;
    assert_eq!(shop.clawed("in_1").await, (50, Some(20), Some(30)));
    assert_eq!(operator.remaining(lot).await, 0);
    operator.finds_no_difference(&[shop.account]).await;
    let reversals = operator.db.ledger.reversals(&shop.id("in_1")).await.unwrap();
    assert_eq!((reversals.len(), reversals[0].account), (1, Some(shop.account)));
}

#[tokio::test]
async fn partial_refunds_take_only_what_they_grew_by_also_when_an_older_one_comes_last() {
    let operator = Operator::arrives().await;
    let (shop, ..) = paid(&operator, "ada").await;
    for (event, refunded) in [("evt_2", 500), ("evt_3", 1_500), ("evt_4", 500), ("evt_5", 1_500), ("evt_6", 2_000)] {
        shop.takes(event, &[shop.refund("in_1", refunded)]).await;
    }
    assert_eq!(reductions(&operator).await, [25, 50, 25]);
    assert_eq!(shop.clawed("in_1").await.0, 100);
}

#[tokio::test]
async fn a_dispute_and_a_refund_take_the_larger_of_both_whichever_comes_first() {
    for dispute_first in [true, false] {
        let operator = Operator::arrives().await;
        let (shop, ..) = paid(&operator, "ada").await;
        let (dispute, refund) = (shop.dispute("in_1"), shop.refund("in_1", 2_000));
        let order = if dispute_first { [dispute, refund] } else { [refund, dispute] };
        shop.takes("evt_2", &order[..1]).await;
        shop.takes("evt_3", &order[1..]).await;
        assert_eq!(reductions(&operator).await, [100], "once");
        assert_eq!(shop.clawed("in_1").await.0, 100);
    }
}

#[tokio::test]
async fn a_reversal_that_comes_before_its_payment_is_kept_and_settled_with_it() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    assert_eq!(shop.refuses("evt_1", &[shop.refund("in_1", 500)]).await, "payment_unknown");
    assert_eq!(shop.refuses("evt_2", &[shop.refund("in_1", 1_000)]).await, "payment_unknown");
    assert_eq!(shop.refuses("evt_3", &[shop.refund("in_1", 500), shop.linked("in_9")]).await, "payment_unknown");
    assert_eq!(operator.db.number("SELECT count(*) FROM stripe_links").await, 0, "the rest is rolled back");
    shop.takes("evt_4", &[Effect::Paid(shop.invoice("in_1", at(1)))]).await;
    assert_eq!(shop.state_of("evt_1").await, "parked payment_unknown", "nothing says yet that it is the same payment");
    shop.takes("evt_5", &[shop.linked("in_1")]).await;
    assert_eq!(shop.clawed("in_1").await.0, 50, "the larger of both");
    assert_eq!(shop.state_of("evt_1").await, "applied");
    assert_eq!(shop.state_of("evt_2").await, "applied");
    assert_eq!(shop.state_of("evt_3").await, "waiting", "it says more than that");
    assert!(operator.db.ledger.unsettled_reversals(10).await.unwrap().is_empty());
    let found = operator.db.ledger.delivery(&shop.id("evt_1")).await.unwrap().unwrap();
    assert_eq!(found.account, Some(shop.account));

    let late = Shop::opens(&operator, "bob", Status::Pending).await;
    late.takes("evt_1", &[late.linked("in_1")]).await;
    assert_eq!(late.refuses("evt_2", &[late.dispute("in_1")]).await, "payment_unknown");
    late.takes("evt_3", &[Effect::Paid(late.invoice("in_1", at(1)))]).await;
    assert_eq!((late.clawed("in_1").await.0, late.state_of("evt_2").await), (100, "applied".to_owned()));
}

#[tokio::test]
async fn a_lot_that_was_swept_has_nothing_to_give_and_all_of_it_is_missing() {
    let operator = Operator::arrives().await;
    let (shop, mut stream, lot) = paid(&operator, "ada").await;
    let later = at(1).plus_ms(31 * DAY);
    operator.db.ledger.ensure_partitions(later).await.unwrap();
    operator.db.ledger.expire_due(stream.fence, later, 0, 10).await.unwrap();
    shop.takes("evt_2", &[shop.refund("in_1", 2_000)]).await;
    assert!(reductions(&operator).await.is_empty());
    assert_eq!(shop.clawed("in_1").await, (100, Some(0), Some(100)));
    stream.at = later;
    stream.applies_pending(&operator.db, &[(lot, 100)]).await;
    stream.drains(&operator.db).await;
    assert_eq!(shop.clawed("in_1").await, (100, Some(0), Some(100)), "what expired was not taken back");
}

#[tokio::test]
async fn a_dispute_that_is_won_gives_back_what_it_took_once_that_is_known() {
    let operator = Operator::arrives().await;
    let (shop, mut stream, lot) = paid(&operator, "ada").await;
    stream.debits(shop.account, op(1), &[(lot, 40)]);
    stream.drains(&operator.db).await;
    shop.takes("evt_2", &[shop.dispute("in_1")]).await;
    let early = shop.hears("evt_3", &[shop.won("in_1")]).await;
    assert!(matches!(early, Outcome::Postponed(_)), "{early:?}");
    assert_eq!(shop.state_of("evt_3").await, "waiting");
    stream.applies_pending(&operator.db, &[(lot, 60)]).await;
    stream.drains(&operator.db).await;
    shop.takes("evt_3", &[shop.won("in_1")]).await;
    shop.takes("evt_4", &[shop.won("in_1")]).await;
    shop.takes("evt_5", &[shop.dispute("in_1")]).await;
    let view = operator.sees(shop.account).await;
    assert_eq!(shop.originals().await, [100, 60], "what it took, once; the dispute told again takes nothing");
    assert_eq!(view.lots[1].expires_at, view.lots[0].expires_at);
    assert_eq!(shop.clawed("in_1").await, (0, Some(0), Some(0)));

    // A refund after all that: the lot that came back gives first.
    shop.takes("evt_6", &[shop.refund("in_1", 2_000)]).await;
    assert_eq!(reductions(&operator).await, [100, 60, 40]);
    assert_eq!(shop.clawed("in_1").await.0, 100);
}

#[tokio::test]
async fn a_dispute_that_is_won_beside_a_refund_gives_back_only_what_the_refund_does_not_take() {
    let operator = Operator::arrives().await;
    let (shop, mut stream, lot) = paid(&operator, "ada").await;
    shop.takes("evt_2", &[shop.refund("in_1", 1_000)]).await;
    stream.applies_pending(&operator.db, &[(lot, 50)]).await;
    stream.drains(&operator.db).await;
    shop.takes("evt_3", &[shop.dispute("in_1")]).await;
    stream.applies_pending(&operator.db, &[(lot, 30)]).await;
    stream.drains(&operator.db).await;
    shop.takes("evt_4", &[shop.won("in_1")]).await;
    assert_eq!(shop.originals().await, [100, 30]);
    assert_eq!(shop.clawed("in_1").await, (50, Some(50), Some(0)));
}

#[tokio::test]
async fn a_dispute_whose_end_is_told_first_takes_nothing() {
    let operator = Operator::arrives().await;
    let (shop, ..) = paid(&operator, "ada").await;
    shop.takes("evt_2", &[shop.won("in_1")]).await;
    shop.takes("evt_3", &[shop.dispute("in_1")]).await;
    assert!(reductions(&operator).await.is_empty());
    assert_eq!(shop.originals().await, [100]);
}

#[tokio::test]
async fn a_pack_that_was_not_paid_after_all_ends_what_it_began() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    shop.takes("evt_1", &[Effect::Paid(shop.pack("pi_1", at(1)))]).await;
    assert_eq!(shop.status().await, Status::Active);
    let payment = PaymentRef { payment_intent: shop.some("pi_1"), ..PaymentRef::default() };
    let not_paid = Reversal { payment, kind: ReversalKind::NotPaid, at: at(9) };
    shop.takes("evt_2", &[Effect::Reversed(not_paid.clone())]).await;
    shop.takes("evt_3", &[Effect::Reversed(not_paid)]).await;
    assert_eq!((reductions(&operator).await, shop.status().await), (vec![50], Status::Pending));
    let nameless = Reversal { payment: PaymentRef::default(), kind: ReversalKind::NotPaid, at: at(9) };
    let by = by(at(60));
    let refused = operator.db.ledger.apply_effects(&[Effect::Reversed(nameless)], &by).await.unwrap_err();
    assert_eq!(refused.code(), "invalid");
}
