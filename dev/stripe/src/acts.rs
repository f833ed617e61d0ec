//! What happens at Stripe when somebody buys, pays, fails to pay, cancels, or wants their money back.

pub mod bill;
pub mod card;
pub mod change;
pub mod checkout;
pub mod due;
pub mod pay;
pub mod renew;
pub mod reverse;
pub mod settle;
pub mod subscribe;
