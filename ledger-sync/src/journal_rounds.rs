//! What the owner of a shard does about the journals of gateways: finds out which debits are lost, and asks again for what was promised
//! to callers and lost.

use ledger::{Counted, DueReturn};
use metering::OpId;
use metering::live::{Settle, Undo};
use tracing::{info, warn};
use uuid::Uuid;

use crate::certify::Hold;
use crate::drain::Drain;
use crate::interruption::Interruption;
use crate::service::Service;

/// Holds what gateways have witnessed against the book. Live state is asked how far it counts after the debits were read: their gateways
/// had its answer before, so one beyond that was lost.
pub async fn find_lost(service: &Service, hold: &mut Hold, drain: &mut Drain) -> Result<(), Interruption> {
    let Some(up_to_row) = service.book.last_waiting_debit(hold.fence.shard).await? else { return Ok(()) };
    drain.note(service, hold, &[]).await?;
    let Some(sequence) = drain.counted() else { return Ok(()) };
    let counted = Counted { up_to_row, sequence };
    let found = service.book.reconcile_journal(hold.fence, counted).await?;
    config::failpoint("journal.reconciled");
    let metrics = &service.metrics.journal;
    metrics.lost_debits.inc_by(found.lost);
    metrics.lost_credits.inc_by(found.credits);
    if found.lost > 0 {
        let (shard, lost, credits) = (hold.fence.shard, found.lost, found.credits);
        warn!(%shard, lost, credits, "{lost} debits of shard {shard} were lost with live state, {credits} credits: see `tollgate losses`");
    }
    Ok(())
}

/// Asks for give-backs and settlements whose events were lost. Each is asked for under the debit's mark, so once, whoever asks.
pub async fn ask_again(service: &Service, hold: &mut Hold, drain: &Drain, page: u32) -> Result<(), Interruption> {
    let drained = drain.drained_time();
    let before = drained.minus_ms(service.settings.journal.return_grace_ms);
    for due in service.book.due_returns(hold.fence, before, page).await? {
        ask(hold, &due).await?;
        service.book.return_was_asked(hold.fence, &due, drained).await?;
        service.metrics.journal.returns_asked.inc();
        let (account, debit_op, kept) = (due.account, due.debit_op, due.kept);
        info!(%account, %debit_op, %kept, "what came back of debit {debit_op} is not in the book: it is asked for again");
    }
    Ok(())
}

/// It is in the book, which looks for it around when it drew.
async fn ask(hold: &mut Hold, due: &DueReturn) -> Result<(), Interruption> {
    let (op, account, debit_op) = (OpId::from_uuid(Uuid::now_v7()), due.account, due.debit_op);
    if due.kept.is_zero() {
        let ask = Undo { op, account, debit_op, not_after: due.drawn_at, idempotency: due.idempotency };
        hold.link.release(&hold.certified, &ask).await?;
    } else {
        let (debit_event, debit_not_after, price) = (due.debit_event, due.drawn_at, due.kept);
        let ask = Settle { op, account, debit_op, debit_event, debit_not_after, price };
        hold.link.settle_again(&hold.certified, &ask).await?;
    }
    Ok(())
}
