//! The hosted pages: checkout, billing portal, an open invoice. Plain HTML that works without scripts.

mod checkout;
mod invoice;
mod portal;
mod sheet;

use axum::Router;
use axum::routing::{get, post};

use crate::stage::Stage;

pub fn router() -> Router<Stage> {
    Router::new()
        .route("/pay/{session}", get(checkout::show))
        .route("/pay/{session}/{act}", post(checkout::act))
        .route("/portal/{session}", get(portal::show))
        .route("/portal/{session}/{act}", post(portal::act))
        .route("/invoice/{invoice}", get(invoice::show))
        .route("/invoice/{invoice}/pay", post(invoice::pay))
}
