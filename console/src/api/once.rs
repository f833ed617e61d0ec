//! `Idempotency-Key`: what was asked for under one is done once, and asked for again it is answered as it was.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use frame::chain;
use ledger::Write;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tracing::{error, warn};

use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::service::Service;

/// The line of a request that says it.
pub const LINE: &str = "Idempotency-Key";
/// As long as the book takes it, with what is put before it.
const BYTES_MAX: usize = 200;

/// The key of a request; `None` where it has none, and then it is done as often as it is asked for.
#[derive(Clone, Debug)]
pub struct OnceKey(pub Option<String>);

impl OnceKey {
    /// A key that a page of ours has put into its form, apart from those that programs choose.
    pub fn of_form(nonce: &str) -> Result<Self, Refusal> {
        Ok(Self(Some(format!("form:{}", sound(nonce).ok_or_else(unsound)?))))
    }
}

/// A key that nobody has used: a form's own, by which it is known when it is sent again, or that of a request without one.
pub fn fresh_key() -> String {
    format!("{:032x}", rand::random::<u128>())
}

impl<S: Send + Sync> FromRequestParts<S> for OnceKey {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let mut lines = parts.headers.get_all(LINE).iter();
        let Some(line) = lines.next() else { return Ok(Self(None)) };
        let key = line.to_str().ok().and_then(sound).filter(|_| lines.next().is_none()).ok_or_else(unsound)?;
        Ok(Self(Some(format!("api:{key}"))))
    }
}

fn sound(key: &str) -> Option<&str> {
    let fits = (1..=BYTES_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then_some(key)
}

fn unsound() -> Refusal {
    let detail = format!("An {LINE} stands there once and is 1 to {BYTES_MAX} letters without spaces.");
    Refusal::new(StatusCode::BAD_REQUEST, "idempotency_key_unsound", detail)
}

/// What is asked for: two of these are the same where nothing in them differs.
pub struct Asked<'a, A: ?Sized> {
    /// Which operation, and on what: `keys.create`, `keys.rotate key_…`.
    pub operation: &'a str,
    /// With what.
    pub with: &'a A,
}

impl<A: Serialize + ?Sized> Asked<'_, A> {
    fn fingerprint(&self) -> Result<[u8; 32], Refusal> {
        let with = serde_json::to_vec(self.with).map_err(|_| Refusal::invalid("This can't be written down."))?;
        Ok(Sha256::new().chain_update(self.operation).chain_update([0]).chain_update(with).finalize().into())
    }
}

/// Does `write` unless it was done under this key before: then its answer is given again.
pub async fn answered<T, A, F>(
    service: &Arc<Service>,
    caller: &Caller,
    key: OnceKey,
    asked: Asked<'_, A>,
    write: F,
) -> Result<T, Refusal>
where
    T: Serialize + DeserializeOwned + Send + 'static,
    A: Serialize + ?Sized,
    F: Future<Output = Result<T, Refusal>> + Send + 'static,
{
    let keep = |answer: &T| serde_json::to_value(answer).unwrap_or(Value::Null);
    match once(service, caller, key, asked, write, keep).await? {
        Once::Now(answer) => Ok(answer),
        // What an older release kept may not be read by this one.
        Once::Before(kept) => serde_json::from_value(kept).map_err(|_| used(&Value::Null)),
    }
}

/// The same for what holds a secret, which is shown once and kept nowhere: of it only `id` is kept. Asked for again it is refused, and the
/// refusal names what was made.
pub async fn secret<T, A, F>(
    service: &Arc<Service>,
    caller: &Caller,
    key: OnceKey,
    asked: Asked<'_, A>,
    write: F,
    id: fn(&T) -> String,
) -> Result<T, Refusal>
where
    T: Send + 'static,
    A: Serialize + ?Sized,
    F: Future<Output = Result<T, Refusal>> + Send + 'static,
{
    match once(service, caller, key, asked, write, move |made| json!({ "made": id(made) })).await? {
        Once::Now(made) => Ok(made),
        Once::Before(kept) => Err(used(kept.get("made").unwrap_or(&Value::Null))),
    }
}

/// The code of the refusal that says so.
pub const USED: &str = "idempotency_key_used";

fn used(made: &Value) -> Refusal {
    let detail = "This was done already, and what it answered is not shown again. Look at what it made.";
    Refusal::new(StatusCode::CONFLICT, USED, detail).with("made", made.clone())
}

enum Once<T> {
    Now(T),
    Before(Value),
}

async fn once<T, A, F>(
    service: &Arc<Service>,
    caller: &Caller,
    key: OnceKey,
    asked: Asked<'_, A>,
    write: F,
    keep: impl FnOnce(&T) -> Value + Send + 'static,
) -> Result<Once<T>, Refusal>
where
    T: Send + 'static,
    A: Serialize + ?Sized,
    F: Future<Output = Result<T, Refusal>> + Send + 'static,
{
    let Some(key) = key.0 else { return write.await.map(Once::Now) };
    let who = format!("{}/{}", caller.account, caller.subject.as_str());
    match service.book.begin_write(&who, &key, &asked.fingerprint()?, service.clock.now()).await? {
        Write::New => {}
        Write::Done { answer } => return Ok(Once::Before(answer)),
        Write::InFlight => {
            let detail =
                "This is being done, or nobody knows whether it was. Look before you ask for it under another key.";
            return Err(Refusal::new(StatusCode::CONFLICT, "idempotency_key_in_use", detail));
        }
        Write::Other => {
            let detail = "Something else was asked for under this key. Take another one for this.";
            return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail));
        }
    }
    let ended = Ended { service: Arc::clone(service), who, key };
    // A task of its own: it ends, and what it answered is kept, also where whoever asked has gone.
    let done = service.tasks.spawn(async move {
        let done = write.await;
        ended.note(done.as_ref().map(keep)).await;
        done
    });
    match done.await {
        Ok(done) => done.map(Once::Now),
        Err(error) => {
            error!("a write has not ended as it should: {}", chain(&error));
            let detail = "Something broke here. Nobody knows whether this happened: look before you ask for it again.";
            Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail))
        }
    }
}

/// Whose write has ended.
struct Ended {
    service: Arc<Service>,
    who: String,
    key: String,
}

impl Ended {
    async fn note(&self, done: Result<Value, &Refusal>) {
        let book = &self.service.book;
        let noted = match done {
            Ok(answer) => book.finish_write(&self.who, &self.key, &answer, self.service.clock.now()).await,
            // It may have happened: the key stands for it until it is forgotten.
            Err(refusal) if refusal.code == "outcome_unknown" => Ok(()),
            Err(_) => book.release_write(&self.who, &self.key).await,
        };
        if let Err(error) = noted {
            warn!(
                error = chain(&error),
                "how a write ended could not be kept; under its key it stays in use for a day"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn key_of(lines: &[&str]) -> Result<Option<String>, &'static str> {
        let mut request = axum::http::Request::get("/");
        for line in lines {
            request = request.header(LINE, *line);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        OnceKey::from_request_parts(&mut parts, &()).await.map(|key| key.0).map_err(|refusal| refusal.code)
    }

    #[tokio::test]
    async fn a_key_stands_there_once_and_has_no_spaces() {
        assert_eq!(key_of(&[]).await, Ok(None));
        assert_eq!(key_of(&["8e03978e-40d5"]).await, Ok(Some("api:8e03978e-40d5".to_owned())));
        let long = "k".repeat(BYTES_MAX + 1);
        for wrong in [&[""][..], &["a b"], &["ä"], &["a", "a"], &[&long]] {
            assert_eq!(key_of(wrong).await, Err("idempotency_key_unsound"), "{wrong:?}");
        }
        assert!(key_of(&[&long[1..]]).await.is_ok());
    }

    #[test]
    fn a_form_never_means_what_a_program_meant() {
        assert_eq!(OnceKey::of_form("a").unwrap().0.as_deref(), Some("form:a"));
        assert!(OnceKey::of_form("").is_err());
    }

    #[test]
    fn what_is_asked_for_is_told_apart_by_operation_and_by_content() {
        let of = |operation: &str, with: Value| Asked { operation, with: &with }.fingerprint().unwrap();
        assert_eq!(of("a", json!({ "x": 1 })), of("a", json!({ "x": 1 })));
        assert_ne!(of("a", json!({ "x": 1 })), of("a", json!({ "x": 2 })));
        assert_ne!(of("a", json!({ "x": 1 })), of("b", json!({ "x": 1 })));
    }
}
