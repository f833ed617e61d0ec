//! What comes due without anybody asking: debits that nobody settled or confirmed in time, idempotency marks a day old.

use ledger::DueHold;
use metering::OpId;
use metering::live::{Undo, UndoOutcome};
use tracing::info;
use uuid::Uuid;

use crate::certify::Hold;
use crate::drain::Drain;
use crate::interruption::Interruption;
use crate::service::Service;

/// Asks to undo debits whose time is over: their gateway is gone. Live state decides against a settlement or a confirmation that comes in
/// between; the book then gives back what was drawn. A page of them, behind that of the last time: those of an account with dead letters stay
/// due until somebody decides, and must not keep others waiting. Answers where the page ended; `None` after the last, and the next begins anew.
pub async fn release_holds(
    service: &Service,
    hold: &mut Hold,
    drain: &Drain,
    after: Option<DueHold>,
    page: u32,
) -> Result<Option<DueHold>, Interruption> {
    let all_due = service.book.due_holds(hold.fence, drain.drained_time(), after, page).await?;
    let is_full = u32::try_from(all_due.len()).is_ok_and(|count| count == page);
    let last = all_due.last().copied().filter(|_| is_full);
    for due in all_due {
        let ask = Undo {
            op: OpId::from_uuid(Uuid::now_v7()),
            account: due.account,
            debit_op: due.op,
            not_after: due.drawn_at, // it is in the book, which looks for it around then
            idempotency: due.idempotency,
        };
        if hold.link.release(&hold.certified, &ask).await? == UndoOutcome::Marked {
            config::failpoint("due.released");
            service.metrics.holds_released.inc();
            info!(account = %due.account, debit_op = %due.op, "debit {} was not settled or confirmed in time: it is released", due.op);
        }
    }
    Ok(last)
}

/// Live state lets go of them first: a row that is gone could not ask for it any more.
pub async fn forget_marks(
    service: &Service,
    hold: &mut Hold,
    drain: &mut Drain,
    page: u32,
) -> Result<(), Interruption> {
    let drained = drain.drained_time();
    let old = service.book.old_idempotency_marks(hold.fence, drained, page).await?;
    if old.is_empty() {
        return Ok(());
    }
    drain.note(service, hold, &old).await?;
    service.book.forget_idempotency_marks(hold.fence, drained, &old).await?;
    Ok(())
}
