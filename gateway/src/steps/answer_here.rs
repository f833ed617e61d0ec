//! What an admitted request is answered by the gateway itself, where its route has no upstream.

use pingora::Result;
use pingora::proxy::Session;

use crate::admission::Admission;
use crate::gateway::Gateway;
use crate::request::Request;
use crate::route_table::Destination;
use crate::steps::answer_credits::{answer_credits, read_credits};
use crate::steps::reject::reject;

/// Whether the request is answered; if not, it goes upstream.
pub async fn answer_here(
    gateway: &Gateway,
    session: &mut Session,
    request: &mut Request,
    admission: Admission,
) -> Result<bool> {
    match request.admission.insert(admission).route().destination {
        Destination::Upstream(_) => Ok(false),
        Destination::Credits => Box::pin(answer_with_credits(gateway, session, request)).await.map(|()| true),
    }
}

async fn answer_with_credits(gateway: &Gateway, session: &mut Session, request: &mut Request) -> Result<()> {
    match read_credits(&gateway.balance, request).await {
        Ok(credits) => answer_credits(session, request, &credits).await,
        Err(rejection) => reject(session, request, &rejection, &gateway.billing_url).await,
    }
}
