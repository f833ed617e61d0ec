//! `tollgate checkout …`

use metering::AccountId;
use payments::{Urls, open_checkout};
use serde_json::json;

use crate::answer::Answer;
use crate::cli::CheckoutCommand;
use crate::desk::Desk;
use crate::failure::Failure;

pub async fn run(desk: &Desk, command: CheckoutCommand) -> Result<Answer, Failure> {
    match command {
        CheckoutCommand::Create { account, plan, idempotency_key, success_url, cancel_url } => {
            let urls = urls(desk.stripe_settings(), success_url, cancel_url)?;
            let key = idempotency_key.unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
            create(desk, account, &plan, &key, &urls).await
        }
    }
}

async fn create(desk: &Desk, account: AccountId, plan: &str, key: &str, urls: &Urls) -> Result<Answer, Failure> {
    desk.refuse_unknown(&[account]).await?;
    let (stripe, plans) = (desk.stripe()?, desk.plans()?);
    let opened = open_checkout(&desk.book, Some(&stripe), &plans, account, plan, key, urls, &desk.by).await;
    let opened = opened.map_err(|error| {
        let again = error.is_passing();
        let failure = Failure::from(error);
        let message = &failure.message;
        let message = if again {
            format!("{message}; nothing was charged, and it may be repeated with --idempotency-key {key}")
        } else {
            message.clone()
        };
        Failure { message, ..failure }
    })?;
    let answer = json!({
        "account": account, "plan": plan, "session": opened.session, "url": opened.url, "idempotency_key": key,
    });
    Ok(Answer::new(answer, opened.url))
}

/// As the settings say, where nothing else is asked for; held to what settings are held to.
fn urls(settings: &config::Stripe, success: Option<String>, cancel: Option<String>) -> Result<Urls, Failure> {
    let check = |name: &str, url: Option<String>, standing: String| match url {
        Some(url) => settings.check_url(name, &url).map(|()| url).map_err(Failure::invalid),
        None => Ok(standing),
    };
    let standing = Urls::of(settings);
    Ok(Urls {
        success: check("--success-url", success, standing.success)?,
        cancel: check("--cancel-url", cancel, standing.cancel)?,
    })
}
