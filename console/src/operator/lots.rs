//! Lots as operators make and mend them: granted, their end moved, ended now, credits taken out.

use ledger::{AccountView, By, Grant, Ledger, LedgerError, LotState, LotView, Source};
use metering::{AccountId, Credits, LotId, TimeMs};
use sha2::{Digest, Sha256};

use super::wrong::Wrong;
use crate::api::once::OnceKey;
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::show;

/// What names the grants of operators among the sources of lots.
const SOURCE: &str = "operator";
/// Most letters of a product, as the book takes them.
pub const PRODUCT_LETTERS_MAX: usize = 200;
/// A lot that is to last longer than this was mistyped.
const YEARS_MAX: u64 = 50;
const YEAR_MS: u64 = 366 * 86_400_000;

/// A lot to be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLot {
    credits: Credits,
    product: String,
    expires_at: TimeMs,
}

impl NewLot {
    /// Checks what was asked for.
    pub fn of(credits: Credits, product: &str, expires_at: TimeMs, now: TimeMs) -> Result<Self, Wrong> {
        at_least_one(credits)?;
        let product = product.split_whitespace().collect::<Vec<_>>().join(" ");
        let fits = (1..=PRODUCT_LETTERS_MAX).contains(&product.chars().count());
        if !fits || !product.chars().all(super::plain::is_plain) {
            return Err(Wrong::new("product", format!("Say what it is, in 1 to {PRODUCT_LETTERS_MAX} letters.")));
        }
        in_reach(expires_at, now)?;
        Ok(Self { credits, product, expires_at })
    }

    pub const fn credits(&self) -> Credits {
        self.credits
    }

    pub const fn expires_at(&self) -> TimeMs {
        self.expires_at
    }

    pub fn product(&self) -> &str {
        &self.product
    }
}

/// What grants a lot once, whoever asks how often: the key under which it was asked for, of this person. `None` without a key.
pub fn source(caller: &Caller, key: &OnceKey) -> Option<Source> {
    let key = key.0.as_ref()?;
    let digest = Sha256::new().chain_update(caller.subject.as_str()).chain_update([0]).chain_update(key).finalize();
    Some(Source { kind: SOURCE.to_owned(), id: metering::hex(&digest) })
}

/// Grants it from now on.
pub async fn grant(
    book: &Ledger,
    account: AccountId,
    lot: &NewLot,
    source: Option<Source>,
    by: &By,
) -> Result<LotId, Refusal> {
    let NewLot { credits, product, expires_at } = lot.clone();
    let grant = Grant { credits, product, granted_at: by.at, expires_at, source };
    match book.grant_lot(account, &grant, by).await {
        Err(LedgerError::AlreadyGranted { lot }) => {
            let done = Refusal::from(LedgerError::AlreadyGranted { lot });
            Err(done.with("lot", lot.to_string()))
        }
        granted => Ok(granted?),
    }
}

/// A lot of this account; one of another account is not there.
pub fn find(view: &AccountView, lot: LotId) -> Result<&LotView, Refusal> {
    view.lots.iter().find(|known| known.lot == lot).ok_or_else(|| Refusal::not_found("lot"))
}

/// Whether its end can still be moved: what was left of a swept lot is gone.
pub const fn is_over(lot: &LotView) -> bool {
    matches!(lot.state, LotState::Swept)
}

/// Checks where a lot's end is to be moved.
pub fn check_move(lot: &LotView, expires_at: TimeMs, now: TimeMs) -> Result<(), Wrong> {
    if is_over(lot) {
        return Err(Wrong::new(
            "expires_at",
            "This lot has expired, and what was left was taken out. Grant a new one.",
        ));
    }
    in_reach(expires_at, now)?;
    if expires_at <= lot.granted_at {
        return Err(Wrong::new("expires_at", "A lot ends after it begins."));
    }
    if expires_at == lot.expires_at {
        return Err(Wrong::new("expires_at", "It expires then already."));
    }
    Ok(())
}

/// Checks whether a lot can be ended now.
pub fn check_end(lot: &LotView, now: TimeMs) -> Result<(), Wrong> {
    if is_over(lot) || lot.expires_at <= now {
        return Err(Wrong::new("lot", "This lot is over already."));
    }
    Ok(())
}

/// Whether there is anything that can be taken out of it.
pub const fn has_any(lot: &LotView) -> bool {
    !matches!(lot.state, LotState::Expired | LotState::Swept) && !lot.remaining.is_zero()
}

/// Checks how many credits are to be taken out of a lot: all of them must be there.
pub fn check_take(lot: &LotView, credits: Credits) -> Result<(), Wrong> {
    at_least_one(credits)?;
    if matches!(lot.state, LotState::Expired | LotState::Swept) {
        return Err(Wrong::new("credits", "This lot is over: nothing can be drawn from it any more."));
    }
    if credits > lot.remaining {
        let left = show::credits_in_words(lot.remaining);
        let verb = if lot.remaining.get() == 1 { "is" } else { "are" };
        return Err(Wrong::new("credits", format!("Only {left} {verb} left in this lot.")));
    }
    Ok(())
}

fn at_least_one(credits: Credits) -> Result<(), Wrong> {
    if credits.is_zero() { Err(Wrong::new("credits", "At least 1 credit.")) } else { Ok(()) }
}

fn in_reach(expires_at: TimeMs, now: TimeMs) -> Result<(), Wrong> {
    if expires_at <= now {
        return Err(Wrong::new("expires_at", "An expiry lies in the future."));
    }
    if expires_at > now.plus_ms(YEARS_MAX * YEAR_MS) {
        return Err(Wrong::new("expires_at", format!("An expiry lies within {YEARS_MAX} years.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::lots::tests::{NOW, credits, view};

    fn lot(state: LotState, remaining: u64) -> LotView {
        view(&[(state, remaining)]).lots.remove(0)
    }

    #[test]
    fn a_grant_is_of_something_that_is_named_and_ends() {
        let of = |count, product: &str, expires_at| NewLot::of(credits(count), product, expires_at, NOW);
        let good = of(5, " Goodwill\n for case 7 ", NOW.plus_ms(1)).unwrap();
        assert_eq!(
            (good.credits().get(), good.product(), good.expires_at()),
            (5, "Goodwill for case 7", NOW.plus_ms(1))
        );
        let long = "x".repeat(201);
        let field = |wrong: Result<NewLot, Wrong>| wrong.unwrap_err().field;
        assert_eq!(field(of(0, "x", NOW.plus_ms(1))), "credits");
        assert_eq!(field(of(1, " ", NOW.plus_ms(1))), "product");
        assert_eq!(field(of(1, &long, NOW.plus_ms(1))), "product");
        assert_eq!(field(of(1, "x", NOW)), "expires_at");
        assert_eq!(field(of(1, "x", NOW.plus_ms(YEARS_MAX * YEAR_MS + 1))), "expires_at");
    }

    #[test]
    fn only_what_is_there_can_be_taken_out_and_only_while_it_can_be_drawn() {
        assert_eq!(check_take(&lot(LotState::Live, 40), credits(40)), Ok(()));
        let said = |taken: Result<(), Wrong>| taken.unwrap_err().text;
        assert_eq!(said(check_take(&lot(LotState::Live, 40), credits(41))), "Only 40 credits are left in this lot.");
        assert_eq!(said(check_take(&lot(LotState::Live, 40), credits(0))), "At least 1 credit.");
        assert!(check_take(&lot(LotState::Expired, 40), credits(1)).is_err());
    }

    #[test]
    fn a_lot_that_was_swept_stays_over() {
        let later = NOW.plus_ms(5);
        for state in [LotState::Live, LotState::Exhausted, LotState::Upcoming, LotState::Expired] {
            let found = lot(state, 7);
            assert_eq!(check_move(&found, found.expires_at.max(later).plus_ms(1), NOW), Ok(()), "{state:?}");
        }
        let swept = lot(LotState::Swept, 0);
        assert!(check_move(&swept, swept.expires_at.max(later).plus_ms(1), NOW).is_err());
        assert!(check_end(&swept, NOW).is_err());
    }
}
