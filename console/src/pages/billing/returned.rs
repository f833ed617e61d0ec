//! Coming back from Stripe's checkout: the page waits for the signed delivery, says so, and then says what came of it.

use metering::TimeMs;

use crate::billing::checkout::{self, CameOf};
use crate::caller::Caller;
use crate::pages::when::When;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// For so long the page looks again by itself.
const LOOK_MS: u64 = 120_000;

/// What to do with somebody who comes back.
pub enum Next {
    /// Show the page, with what came of the checkout if it is one of the account's.
    Show(Option<Returned>),
    /// First write down in the address since when he waits, so that waiting has an end.
    GoTo(String),
}

/// What the page says.
pub struct Returned {
    /// `notice`, `banner warn` or `banner bad`.
    pub class: &'static str,
    pub text: String,
    pub until: Option<When>,
    /// Where to look again, as long as there is something to wait for.
    pub again: Option<String>,
    /// Whether the page does so by itself.
    pub by_itself: bool,
}

pub async fn next(
    service: &Service,
    caller: &Caller,
    session: Option<&str>,
    since: Option<&str>,
) -> Result<Next, Refusal> {
    let Some(session) = session else { return Ok(Next::Show(None)) };
    let Some(came_of) = checkout::came_of(service, caller, session).await? else { return Ok(Next::Show(None)) };
    let now = service.clock.now();
    let since = since.and_then(|since| since.parse().ok()).map(TimeMs::new);
    let address = |since: TimeMs| format!("/billing?checkout={session}&since={}", since.as_u64());
    Ok(match since {
        None if came_of.is_open() => Next::GoTo(address(now)),
        since => Next::Show(Some(told(&came_of, address(since.unwrap_or(now)), now.since(since.unwrap_or(now))))),
    })
}

fn told(came_of: &CameOf, again: String, waited_ms: u64) -> Returned {
    let by_itself = came_of.is_open() && waited_ms < LOOK_MS;
    let (class, text) = match came_of {
        _ if came_of.is_open() && !by_itself => (
            "banner warn",
            "Stripe's confirmation has not arrived yet. Refresh this page later: nothing is lost, and nothing is paid twice.".to_owned(),
        ),
        CameOf::Waiting => (
            "banner warn",
            "We are waiting for Stripe's confirmation. Credits and status change as soon as it arrives.".to_owned(),
        ),
        CameOf::MoneyUnderWay => (
            "banner warn",
            "Checkout is complete, and the payment is on its way. Credits are granted as soon as it arrives.".to_owned(),
        ),
        CameOf::CreditsUnderWay => ("banner warn", "Paid. We are waiting for Stripe's confirmation of the invoice, which grants the credits.".to_owned()),
        CameOf::Granted { credits, .. } => {
            ("notice", format!("Done: {} are there, and can be used until", show::credits_in_words(*credits)))
        }
        CameOf::NothingToGrant => ("notice", "Done: Stripe has confirmed the checkout. It grants no credits.".to_owned()),
        CameOf::Failed => ("banner bad", "The payment failed, so nothing was granted. Choose a plan to try again.".to_owned()),
        CameOf::Expired => ("banner bad", "This checkout ran out before it was completed. Nothing was charged.".to_owned()),
    };
    let until = match came_of {
        CameOf::Granted { expires_at, .. } => Some(When::instant(*expires_at)),
        _ => None,
    };
    Returned { class, text, until, again: came_of.is_open().then_some(again), by_itself }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::lots::tests::{NOW, credits};

    fn of(came_of: &CameOf, waited_ms: u64) -> Returned {
        told(came_of, "/again".to_owned(), waited_ms)
    }

    #[test]
    fn the_page_waits_two_minutes_by_itself_and_then_asks_to_come_back() {
        for open in [CameOf::Waiting, CameOf::MoneyUnderWay, CameOf::CreditsUnderWay] {
            let early = of(&open, LOOK_MS - 1);
            assert!(early.by_itself && early.again.is_some(), "{}", early.text);
            let late = of(&open, LOOK_MS);
            assert!(!late.by_itself && late.again.is_some() && late.text.contains("Refresh this page later"));
        }
    }

    #[test]
    fn what_is_over_is_not_looked_at_again() {
        let granted = CameOf::Granted { credits: credits(12_000), expires_at: NOW };
        for over in [granted, CameOf::NothingToGrant, CameOf::Failed, CameOf::Expired] {
            let told = of(&over, 0);
            assert!(!told.by_itself && told.again.is_none(), "{}", told.text);
        }
    }
}
