//! `tollgate stripe …`: what Stripe has told, what became of it, and whether the book agrees with Stripe.

mod events;
mod parked;
mod payments;
mod reconcile;
mod shown;

use crate::answer::Answer;
use crate::cli::StripeCommand;
use crate::desk::Desk;
use crate::failure::Failure;

pub async fn run(desk: &Desk, command: StripeCommand) -> Result<Answer, Failure> {
    match command {
        StripeCommand::Events(command) => events::run(desk, command).await,
        StripeCommand::Parked(command) => parked::run(desk, command).await,
        StripeCommand::Payments(command) => payments::run(desk, command).await,
        StripeCommand::Reconcile { since, repair } => reconcile::run(desk, since, repair).await,
    }
}
