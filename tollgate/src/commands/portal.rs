//! `tollgate portal …`

use payments::open_portal;
use serde_json::json;

use crate::answer::Answer;
use crate::cli::PortalCommand;
use crate::desk::Desk;
use crate::failure::Failure;

pub async fn run(desk: &Desk, command: &PortalCommand) -> Result<Answer, Failure> {
    match command {
        PortalCommand::Create { account } => {
            desk.refuse_unknown(&[*account]).await?;
            let (stripe, return_url) = (desk.stripe()?, &desk.stripe_settings().return_url);
            let url = open_portal(&desk.book, Some(&stripe), *account, return_url, &desk.by).await?;
            Ok(Answer::new(json!({ "account": account, "url": url }), url))
        }
    }
}
