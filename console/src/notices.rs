//! What an account is told by mail: its own choice, what the installation sends at all, and what became of its mails.

pub mod mail;

use ledger::LedgerError;
use ledger::mails::{NoticeSettings, NoticeSwitches, RECIPIENTS_MAX, check_address};
use metering::{AccountId, TimeMs};

use crate::api::etag;
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::service::Service;

/// Whoever sends tells so every 20 seconds; after so long without a word it is taken to be away.
const SILENT_MS: u64 = 120_000;

/// What holds for an account.
#[derive(Clone, Debug)]
pub struct Notices {
    /// What it has chosen.
    pub settings: NoticeSettings,
    /// Its own address.
    pub own_address: Option<String>,
    /// What the installation sends; `None` = nobody ever said that anything is sent.
    pub switches: Option<NoticeSwitches>,
    /// When this was read.
    pub now: TimeMs,
}

impl Notices {
    pub async fn of(service: &Service, account: AccountId) -> Result<Self, Refusal> {
        let now = service.clock.now();
        let settings = service.book.notice_settings(account).await?;
        let own_address = service.book.account_view(account, now).await?.email;
        let switches = service.book.notice_switches().await?;
        Ok(Self { settings, own_address, switches, now })
    }

    /// Since when nobody has said that mails are sent; `None` while somebody does.
    pub fn silent_since(&self) -> Option<TimeMs> {
        self.switches.map(|switches| switches.told_at).filter(|told_at| self.now.since(*told_at) > SILENT_MS)
    }
}

/// Addresses as people and programs write them, each checked.
pub fn recipients<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for word in words {
        if let Err(LedgerError::AddressInvalid { why }) = check_address(word) {
            let word: String = word.chars().take(80).collect();
            return Err(format!("“{word}” is no e-mail address: {why}."));
        }
        found.push(word.to_owned());
    }
    if found.len() > RECIPIENTS_MAX {
        return Err(format!("Mails go to {RECIPIENTS_MAX} addresses at most."));
    }
    Ok(found)
}

/// Saves a choice, over the version that was `seen`.
pub async fn save(
    service: &Service,
    caller: &Caller,
    settings: &NoticeSettings,
    seen: Option<u64>,
) -> Result<NoticeSettings, Refusal> {
    let by = caller.by(service, "by the account itself");
    match service.book.set_notice_settings(caller.account, settings, seen, &by).await {
        Ok(settings) => Ok(settings),
        Err(LedgerError::NoticeSettingsChanged { .. }) => Err(etag::changed()),
        Err(error @ LedgerError::AddressInvalid { .. }) => Err(Refusal::invalid(format!("{error}."))),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_none_is_named_with_the_reason() {
        assert_eq!(recipients(["ann@example.org", "böb@example.org"].into_iter()).map(|all| all.len()), Ok(2));
        assert_eq!(recipients(["ann"].into_iter()), Err("“ann” is no e-mail address: it has no @.".to_owned()));
        let many: Vec<String> = (0..11).map(|number| format!("p{number}@example.org")).collect();
        assert!(recipients(many.iter().map(String::as_str)).unwrap_err().contains("10"));
        for wrong in ["a@b\r\nBcc: c@d", "Ann <ann@example.org>", "ann@example.org,bob@example.org"] {
            assert!(recipients([wrong].into_iter()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_sends_is_away_when_nothing_was_heard_for_two_minutes() {
        let now = TimeMs::new(1_795_665_600_000);
        let of = |ago: Option<u64>| {
            let switches =
                ago.map(|ago| NoticeSwitches { low_balance: true, lifecycle: true, told_at: now.minus_ms(ago) });
            Notices { settings: NoticeSettings::default(), own_address: None, switches, now }.silent_since()
        };
        assert_eq!([of(None), of(Some(0)), of(Some(SILENT_MS))], [None, None, None]);
        assert_eq!(of(Some(SILENT_MS + 1)), Some(now.minus_ms(SILENT_MS + 1)));
    }
}
