//! The life of an account shard in the hands of its owner: certify, open, install, then drain, carry and sweep in turn.
//!
//! One task does all of it, one after the other, so these never race.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger::{DueHold, ShardRow, ShardState};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::carry::Carrier;
use crate::certify::{Hold, certify};
use crate::dead_letters;
use crate::drain::{Drain, batch_size};
use crate::due;
use crate::install::{self, install_all};
use crate::interruption::Interruption;
use crate::journal_rounds;
use crate::report::Reporter;
use crate::service::Service;

/// How often an idle shard asks whether it is still certified, and tells how fresh the book is.
const NOTE_EVERY: Duration = Duration::from_millis(200);
/// How often the outbox is looked at although nobody has told of news: who told may not have been heard.
pub const CARRY_EVERY: Duration = Duration::from_millis(500);
/// A shard without an event for so long is looked at less often.
const QUIET: Duration = Duration::from_secs(1);
/// How often it looks whether Redis is still set up to hold money.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Events of one turn from which on a shard is in steady use.
const STEADY: usize = 4;
/// Most lots swept at once.
const SWEEP_PAGE: u32 = 500;

/// Owns a shard until told to stop or until it is somebody else's.
pub async fn own(service: &Arc<Service>, row: &ShardRow, stop: &CancellationToken) {
    let mut reporter = Reporter::new(row.shard);
    while !stop.is_cancelled() {
        let interrupted = match certify(service, row.shard, row.epoch).await {
            Ok(hold) => serve(service, hold, &mut reporter, stop).await,
            Err(interruption) => Err(interruption),
        };
        service.metrics.certified(row.shard, false);
        let Err(interruption) = interrupted else { return };
        let pause = reporter.report(service, &interruption);
        if matches!(interruption, Interruption::Lost(_)) {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Serves a certified shard until it is interrupted or told to stop.
async fn serve(
    service: &Arc<Service>,
    mut hold: Hold,
    reporter: &mut Reporter,
    stop: &CancellationToken,
) -> Result<(), Interruption> {
    let mut drain = Drain::take_over(service, &hold);
    let mut rounds = Rounds::begin();
    config::failpoint("certify.certified");
    if hold.install {
        hold.link.open_shard(&hold.certified).await?; // accounts serve one by one, as they are installed
        install_all(service, &mut hold, &mut drain).await?;
    } else {
        while rounds.carrier.once(service, &mut hold, &mut drain).await? {} // before anything is drawn under old rules
        hold.link.open_shard(&hold.certified).await?;
    }
    config::failpoint("serve.opened");
    service.book.set_state(hold.fence, ShardState::Open).await?;
    config::failpoint("serve.begun");
    rounds.opened = Instant::now();
    service.metrics.certified(hold.fence.shard, true);
    reporter.recovered(service);
    install::forget_replaced(service, &hold);

    let mut news = service.outbox_news.subscribe();
    while !stop.is_cancelled() {
        let pause_ms = match rounds.turn(service, &mut hold, &mut drain).await {
            Ok(Next::AtOnce) => continue,
            Ok(Next::Soon) => service.settings.drain.interval_ms,
            Ok(Next::Later) => service.settings.drain.busy_interval_ms,
            // What is certified stays certified while the book is away: the exposure caps bound it.
            Err(Interruption::BookAway(error)) => {
                reporter.report(service, &Interruption::BookAway(error));
                drain.look_again(service, &mut hold).await;
                service.settings.drain.interval_ms
            }
            Err(other) => return Err(other),
        };
        rounds.told |= wait(Duration::from_millis(pause_ms), &mut news, stop).await;
    }
    drain.all(service, &mut hold).await
}

/// Waits for news from the outbox, at most so long; answers whether there are any.
pub async fn wait(pause: Duration, news: &mut watch::Receiver<u64>, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        _ = news.changed() => true,
        () = tokio::time::sleep(pause) => false,
    }
}

/// When a shard has its next turn.
enum Next {
    /// There is more to do.
    AtOnce,
    /// Little happens on it: what happens next is soon in the book.
    Soon,
    /// It is in steady use, and events wait for others that share a transaction with them; or nothing has happened for a while, and looking
    /// costs Redis and Postgres as much as if there were something.
    Later,
}

/// What comes round and round.
struct Rounds {
    carrier: Carrier,
    last_sweep: Option<Instant>,
    /// Where the last page of due holds ended, while there are more.
    holds_after: Option<DueHold>,
    last_note: Instant,
    last_look: Instant,
    last_carry: Option<Instant>,
    /// The outbox has news that no turn has looked for yet.
    told: bool,
    /// When something was drained.
    last_event: Instant,
    /// When gateways were let in.
    opened: Instant,
}

impl Rounds {
    fn begin() -> Self {
        let now = Instant::now();
        Self {
            carrier: Carrier::default(),
            last_sweep: None,
            holds_after: None,
            last_note: now,
            last_look: now,
            last_carry: None,
            told: false,
            last_event: now,
            opened: now,
        }
    }

    /// One turn: drain, carry, remember, and from time to time sweep and note. Less than a whole batch can wait for company, because a
    /// transaction costs as much for one event as for dozens.
    async fn turn(&mut self, service: &Service, hold: &mut Hold, drain: &mut Drain) -> Result<Next, Interruption> {
        let drained = drain.once(service, hold).await?;
        let carried = self.carry(service, hold, drain).await?;
        let remembering = drain.remember(service, hold).await?;
        config::failpoint("drain.remembered");
        let sweep_every = Duration::from_millis(service.settings.sweep.interval_ms);
        if self.last_sweep.is_none_or(|last| last.elapsed() >= sweep_every) {
            self.last_sweep = Some(Instant::now()); // also when it fails: a sweep that can't be done must not keep the drain from its work
            self.sweep(service, hold, drain).await?;
        }
        if drained > 0 {
            (self.last_note, self.last_event) = (Instant::now(), Instant::now());
        } else if self.last_note.elapsed() >= NOTE_EVERY {
            drain.note(service, hold, &[]).await?;
            self.last_note = Instant::now();
        }
        Ok(match drained {
            _ if drained >= batch_size(service) || carried || remembering => Next::AtOnce,
            STEADY.. => Next::Later,
            0 if self.last_event.elapsed() >= QUIET => Next::Later,
            _ => Next::Soon,
        })
    }

    /// Carries what the book has decided, when there are news, when something waits that could not go through, and from time to time.
    /// Answers whether there may be more at once.
    async fn carry(&mut self, service: &Service, hold: &mut Hold, drain: &mut Drain) -> Result<bool, Interruption> {
        if !self.told && !self.carrier.waits() && self.last_carry.is_some_and(|last| last.elapsed() < CARRY_EVERY) {
            return Ok(false);
        }
        self.told = false;
        let more = self.carrier.once(service, hold, drain).await?;
        self.last_carry = (!more).then(Instant::now);
        Ok(more)
    }

    /// Takes expired lots off the books, closes undos whose debit can't come any more, releases holds that nobody settled in time,
    /// lets go of old idempotency marks, carries out what operators decided about dead letters, and holds gateways' journals against the book.
    async fn sweep(&mut self, service: &Service, hold: &mut Hold, drain: &mut Drain) -> Result<(), Interruption> {
        let (fence, sweep) = (hold.fence, &service.settings.sweep);
        drain.check_cursor(service, hold).await?; // first: what comes due by a time that the book has forgotten must not
        let found = service.book.expire_due(fence, service.clock.now(), sweep.grace_ms, SWEEP_PAGE).await?;
        config::failpoint("sweep.expired");
        service.metrics.lots_swept.inc_by(found);
        let settled = service.book.settle_undos(fence, drain.drained_time()).await?;
        config::failpoint("sweep.undos_settled");
        service.metrics.undos_settled.inc_by(settled);
        journal_rounds::ask_again(service, hold, drain, SWEEP_PAGE).await?; // before holds are released: a settlement was promised
        if self.opened.elapsed() >= Duration::from_millis(sweep.hold_grace_ms) {
            self.holds_after = due::release_holds(service, hold, drain, self.holds_after, SWEEP_PAGE).await?;
        }
        due::forget_marks(service, hold, drain, SWEEP_PAGE).await?;
        if self.last_look.elapsed() >= LOOK_EVERY {
            hold.link.check_again().await?;
            self.last_look = Instant::now();
        }
        dead_letters::look_after(service, hold, drain).await?;
        journal_rounds::find_lost(service, hold, drain).await?;
        let (rows, age_ms) = service.book.backlog(fence.shard).await?;
        service.metrics.control_backlog(fence.shard, rows, age_ms);
        Ok(())
    }
}
