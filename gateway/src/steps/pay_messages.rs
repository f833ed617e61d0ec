//! A WebSocket whose messages have a price: each is drawn for before a byte of it goes on, by a debit of its own.

use bytes::Bytes;
use metering::live::Debit;
use metering::{Credits, OpId};
use pingora::proxy::Session;
use uuid::Uuid;

use crate::admission::Admission;
use crate::gateway::Gateway;
use crate::open_debit::{OpenDebit, Standing};
use crate::rejection::{KeyFault, Rejection};
use crate::request::Request;
use crate::steps::draw::take;
use crate::steps::durable::{certificate, until_durable};
use crate::traces::Step;
use crate::websocket::{CloseCode, Malformed, Next, Paid, close_frame};

/// `piece`: what the caller has sent; of it remains what goes on. Nothing is sent in parts that were not drawn for.
pub async fn pay_messages(gateway: &Gateway, session: &mut Session, request: &mut Request, piece: &mut Option<Bytes>) {
    let Request { messages: Some(messages), admission: Some(admission), answered, refused: told, .. } = request else {
        return;
    };
    let Some(price) = admission.route().price_per_message else { return };
    if messages.is_closed() {
        // The upstream was told so; whatever the caller says now, the connection is over.
        *piece = None;
        return;
    }
    let Some(bytes) = piece.take() else { return };
    let buffer = messages.take(bytes);
    // Open until all of them go on at once: a connection that breaks in between gives them back.
    let mut debits = Vec::new();
    let mut at = 0;
    let (end, refused) = loop {
        match messages.next(&buffer, &mut at) {
            Ok(Next::Message(begins)) => match draw_one(gateway, admission, price).await {
                Ok(debit) => debits.push(debit),
                Err(rejection) => break (begins, Some(rejection)),
            },
            Ok(Next::End(end)) => break (end, None),
            Err(Malformed) => {
                break (at, Some(Rejection::BadRequest("The frames of the WebSocket can't be read.")));
            }
        }
    };
    gateway.metrics.websocket_messages.inc_by(debits.len() as u64);
    for debit in debits {
        keep(&mut messages.paid, debit);
    }
    let mut forwarded = buffer.slice(..end);
    if let Some(rejection) = refused {
        let code = rejection.code();
        *answered = Some(code);
        *told = Some(Box::new(rejection.clone()));
        let close = close_code(&rejection);
        forwarded = Bytes::from([&forwarded[..], &close_frame(close, code.as_str(), Some(mask()))].concat());
        if let Some(frame) = messages.close(close, code.as_str()) {
            // A caller who is gone can't be told.
            session.write_response_body(Some(frame), false).await.ok();
        }
    }
    *piece = Some(forwarded);
}

async fn draw_one(gateway: &Gateway, admission: &Admission, price: Credits) -> Result<OpenDebit, Rejection> {
    let balance = &gateway.balance;
    let Some(principal) = admission.caller() else { return Err(Rejection::InvalidApiKey(KeyFault::Missing)) };
    let ask = Debit {
        op: OpId::from_uuid(Uuid::now_v7()),
        account: principal.account(),
        key: principal.key(),
        rates: principal.caller().and_then(|caller| caller.rates.clone()),
        credits: price,
        not_after: balance.not_after(balance.meter.shard_now_of(&principal.account())),
        route: admission.route().name.clone(),
        hold_until: None,
        idempotency: None,
    };
    // A trace has no span for each of them: a connection may have millions.
    let under = certificate(balance, admission.route(), &ask.account).await?;
    let (mut debit, _rates) = take(balance, &ask, principal.caller(), None, Step::none()).await?;
    until_durable(balance, under, &mut debit).await?;
    Ok(debit)
}

/// The message goes on: the caller pays.
fn keep(paid: &mut Paid, mut debit: OpenDebit) {
    debit.keep();
    paid.messages += 1;
    paid.credits += debit.credits().get();
    if let Standing::Drawn(drawn) = debit.standing() {
        paid.remaining = Some(drawn.remaining.get());
    }
}

fn close_code(rejection: &Rejection) -> CloseCode {
    match rejection {
        Rejection::BadRequest(_) => CloseCode::ProtocolError,
        Rejection::MeterUnavailable(_) => CloseCode::TryAgainLater,
        _ => CloseCode::PolicyViolation,
    }
}

/// What a frame towards a server needs so that caches on the way can't be fooled by it; there is nothing of a caller's in it.
fn mask() -> [u8; 4] {
    let random = Uuid::now_v7().as_u128().to_be_bytes();
    [random[12], random[13], random[14], random[15]]
}
