//! Having a mail sent again; putting an address on the list that nothing is sent to, and taking one off it.

use std::sync::Arc;

use ledger::LedgerError;
use ledger::mails::{MailView, Suppression, SuppressionReason, check_address};

use super::super::deed::{Confirmed, Deed};
use super::super::sent::Sent;
use super::super::tabs::Tab;
use super::super::words::{Change, Field, Form, Kind, Link, Outcome, Plan, Stop};
use crate::operator::mails::is_under_way;
use crate::operator::wrong::Wrong;
use crate::operator::{diagnosis, plain};
use crate::refusal::Refusal;
use crate::service::Service;

const LIST: &str = "/operator/suppressions";

/// Sent again, as settings and addresses are by then.
#[derive(Clone)]
pub struct Resend(MailView);

impl Deed for Resend {
    type Of = u64;
    const TAB: Tab = Tab::Mails;
    type Ready = ();

    async fn load(service: &Arc<Service>, of: u64) -> Result<Self, Refusal> {
        Ok(Self(service.book.mail(of).await?))
    }

    fn form(&self, _: &Sent) -> Form {
        let mail = &self.0;
        Form {
            title: "Send a mail again".to_owned(),
            lead: format!(
                "Mail {}, {}, is {} now. {}",
                mail.mail,
                mail.kind,
                mail.state,
                plain::lines(&diagnosis::of(mail).1)
            ),
            back: Link::new(format!("/operator/mails/{}", mail.mail), format!("Mail {}", mail.mail)),
            fields: Vec::new(),
            button: "Preview",
        }
    }

    async fn plan(&self, _: &Arc<Service>, _: &Sent) -> Result<(Plan, Self::Ready), Stop> {
        use ledger::mails::MailState::{Delivered, Queued, Sent as WasSent, Unknown};
        let mail = &self.0;
        if is_under_way(mail) {
            return Err(Wrong::new("mail", format!("It is {}: it is on its way.", mail.state)).into());
        }
        let mut says = vec![
            "It is sent as settings, recipients and the list of suppressions are by then, under the same Message-ID."
                .to_owned(),
        ];
        if matches!(mail.state, Unknown | WasSent | Delivered) {
            says.push("It may have arrived already: then somebody gets it twice.".to_owned());
        }
        let plan = Plan {
            title: format!("Send mail {} again", mail.mail),
            says,
            rows: vec![Change::new("State", mail.state.to_string(), Queued.to_string())],
            seen: format!("state {}", mail.state),
            button: "Send again",
            is_danger: false,
        };
        Ok((plan, ()))
    }

    async fn carry_out(&self, service: &Arc<Service>, (): (), confirmed: Confirmed<'_>) -> Result<Outcome, Refusal> {
        service.book.resend_mail(self.0.mail, &confirmed.by).await?;
        Ok(Outcome::See(format!("/operator/mails/{}?done=mail_queued", self.0.mail)))
    }
}

/// Taken off the list.
#[derive(Clone)]
pub struct Release(Suppression);

impl Deed for Release {
    type Of = String;
    const TAB: Tab = Tab::Suppressions;
    type Ready = ();

    async fn load(service: &Arc<Service>, of: String) -> Result<Self, Refusal> {
        let none = || Refusal::not_found("suppressed address");
        let found = service.book.suppressed_among(&[plain::name(of).ok_or_else(none)?]).await?;
        found.into_iter().next().map(Self).ok_or_else(none)
    }

    fn form(&self, _: &Sent) -> Form {
        let Suppression { address, reason, .. } = &self.0;
        Form {
            title: "Release an address".to_owned(),
            lead: format!(
                "{} is on the list because of this: {reason}. Released, mails go there again.",
                plain::lines(address)
            ),
            back: Link::new(LIST, "Suppressions"),
            fields: Vec::new(),
            button: "Preview",
        }
    }

    async fn plan(&self, _: &Arc<Service>, _: &Sent) -> Result<(Plan, Self::Ready), Stop> {
        let Suppression { address, reason, .. } = &self.0;
        let says = match reason {
            SuppressionReason::Complained => {
                "Its owner has complained. Release it only where they say that they want mails after all."
            }
            SuppressionReason::Bounced => {
                "Mails to it bounced for good. Where it still does not exist, the next one bounces, too."
            }
            SuppressionReason::Operator => "An operator has put it here.",
        };
        let before = format!("on the list: {reason}");
        let plan = Plan {
            title: format!("Release {}", plain::lines(address)),
            says: vec![says.to_owned(), "Mails that were not sent meanwhile are not sent by themselves.".to_owned()],
            rows: vec![Change::new("Mails to it", before.clone(), "are sent")],
            seen: before,
            button: "Release address",
            is_danger: false,
        };
        Ok((plan, ()))
    }

    async fn carry_out(&self, service: &Arc<Service>, (): (), confirmed: Confirmed<'_>) -> Result<Outcome, Refusal> {
        service.book.unsuppress(&self.0.address, &confirmed.by).await?;
        Ok(Outcome::See(format!("{LIST}?done=address_released")))
    }
}

/// Put on the list by an operator.
#[derive(Clone)]
pub struct Suppress;

impl Deed for Suppress {
    type Of = ();
    const TAB: Tab = Tab::Suppressions;
    type Ready = String;

    async fn load(_: &Arc<Service>, (): ()) -> Result<Self, Refusal> {
        Ok(Self)
    }

    fn form(&self, sent: &Sent) -> Form {
        Form {
            title: "Suppress an address".to_owned(),
            lead: "Nothing is sent to it from then on, whatever accounts have set.".to_owned(),
            back: Link::new(LIST, "Suppressions"),
            fields: vec![Field::new("address", "Address", Kind::Line, sent)],
            button: "Preview",
        }
    }

    async fn plan(&self, service: &Arc<Service>, sent: &Sent) -> Result<(Plan, Self::Ready), Stop> {
        let address = sent.one("address").trim();
        if let Err(error) = check_address(address) {
            return Err(match error {
                LedgerError::AddressInvalid { why } => {
                    Wrong::new("address", format!("This is no e-mail address: {why}.")).into()
                }
                other => other.into(),
            });
        }
        if !service.book.suppressed_among(&[address.to_owned()]).await?.is_empty() {
            return Err(Wrong::new("address", "It is on the list already.").into());
        }
        let plan = Plan {
            title: format!("Suppress {}", plain::lines(address)),
            says: vec!["Mails that name it among others go to the others alone.".to_owned()],
            rows: vec![Change::new("Mails to it", "are sent", "are not sent")],
            seen: "not on the list".to_owned(),
            button: "Suppress address",
            is_danger: true,
        };
        Ok((plan, address.to_owned()))
    }

    async fn carry_out(
        &self,
        service: &Arc<Service>,
        ready: Self::Ready,
        confirmed: Confirmed<'_>,
    ) -> Result<Outcome, Refusal> {
        service.book.suppress(&ready, SuppressionReason::Operator, &confirmed.by).await?;
        Ok(Outcome::See(format!("{LIST}?done=address_suppressed")))
    }
}
