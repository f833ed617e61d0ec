//! Chat in the browser and calls with a key spend the same credits; what costs nothing leaves them alone.

use super::house;
use crate::browser::{Browser, Scripts};
use crate::stack::{Call, Role};

impl Browser {
    /// Sends a message as the chat's own page does, by the session's cookie; answers its status.
    async fn chats(&self, respond: bool) -> u64 {
        let script = format!(
            "return fetch('/chat/messages', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }}, \
             body: JSON.stringify({{ respond: {respond}, messages: [{{ role: 'user', content: 'hello' }}] }}) }})\
             .then((answer) => answer.text().then(() => answer.status))"
        );
        self.run(&script).await.as_u64().unwrap()
    }

    async fn remaining_becomes(&self, value: &str) {
        self.sees(&format!("Remaining {value} ")).await;
    }
}

#[tokio::test]
async fn chat_and_the_api_draw_from_one_pool_and_the_screen_follows_without_being_loaded_again() {
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = house().await;
    let ann = stack.customer(100).await;
    browser.signs_in(&stack, &ann, Role::BillingOwner, "/billing").await;
    browser.sees("Chat and API share the same credit pool.").await;
    browser.remaining_becomes("100").await;
    assert_eq!(browser.chats(true).await, 200);
    browser.remaining_becomes("99").await;
    assert_eq!(stack.send(&ann.key, Call::chat()).await.status, 200);
    browser.remaining_becomes("98").await;
    assert_eq!(stack.send(&ann.key, Call::batch(8)).await.status, 200);
    browser.remaining_becomes("90").await;

    // A stream of many chunks is one debit; a message without a reply, an artifact and this screen are none.
    assert_eq!(stack.send(&ann.key, Call::stream()).await.status, 200);
    browser.remaining_becomes("89").await;
    assert_eq!(browser.chats(false).await, 200);
    assert_eq!(stack.send(&ann.key, Call::get("/v1/artifacts/one")).await.status, 200);
    assert_eq!(stack.send(&ann.key, Call::get("/v1/credits")).await.status, 200);
    browser.goes_to(&stack, "/keys").await;
    browser.goes_to(&stack, "/billing").await;
    browser.remaining_becomes("89").await;
    assert_eq!(browser.value_of("Used (this period)").await, "11");

    browser.sees_after_refresh("messages").await; // the receipts are there
    browser.press("← Back to chat").await;
    browser.sees("Pretend chat").await;
    browser.leaves().await;
    stack.audit().await;
}
