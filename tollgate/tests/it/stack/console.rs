//! The console of the stack, behind its gateways, and people who sign in there.

use metering::testing::free_port;

use super::guarded::redis_settings;
use super::{Customer, House, Program, Stack, Stripe};

#[path = "../../../../dev/src/up/console_routes.rs"]
mod console_routes;

/// Sessions as gateways and console of a stack know them: over http, so no browser would take a name with `__Host-`.
pub const SESSIONS: &str = "sessions.algorithm = \"HS256\"\nsessions.secret = \"0123456789abcdef0123456789abcdef\"\n\
     sessions.issuer = \"id.test\"\nsessions.audience = \"tollgate\"\nsessions.cookie = \"tollgate-session\"\nsessions.scheme = \"http\"\n";
/// Where "Back to chat" leads.
const CHAT_PAGE: &str = "\n[[route]]\nname = \"chat.page\"\nmethod = \"GET\"\npath = \"/chat\"\nauth = \"none\"\nprice = 0\nupstream = \"demo\"\n";

/// The routes of the console as the demo has them, and the page of the chat.
pub fn routes_of_the_demo() -> String {
    format!("{CHAT_PAGE}{}", console_routes::routes())
}

pub struct Console {
    _program: Program,
    /// Where browsers find it: the first gateway.
    pub url: String,
}

impl Console {
    /// At this place, for browsers that come by the gateway at `url`.
    pub async fn start(house: &House<'_>, place: &str, url: &str, stripe: Option<&Stripe>) -> Self {
        let admin = format!("127.0.0.1:{}", free_port());
        let text = format!(
            "listen = \"{place}\"\nadmin_listen = \"{admin}\"\npublic_url = \"{url}\"\npostgres.url = \"{}\"\n{}{SESSIONS}{}\
             stripe.success_url = \"{url}/billing?checkout={{CHECKOUT_SESSION_ID}}\"\nstripe.cancel_url = \"{url}/billing\"\n\
             stripe.return_url = \"{url}/billing\"\nbrand.name = \"ArchibotChat\"\nbrand.chat_url = \"/chat\"\n\
             brand.support_url = \"https://support.example/\"\ndev.login = true\nlimits.live_ms = 200\n",
            house.postgres,
            redis_settings(house.redis, "console"),
            stripe.map(Stripe::settings).unwrap_or_default(),
        );
        let path = house.directory.join("console.toml");
        std::fs::write(&path, text).unwrap();
        let arguments = vec!["--config".to_owned(), path.display().to_string()];
        let named = ("console", "console");
        let program = Program::start(house.directory, named, arguments, format!("http://{admin}"), house.http.clone());
        program.wait_ready().await;
        Self { _program: program, url: url.to_owned() }
    }
}

/// Who somebody is for an account.
#[derive(Clone, Copy, Debug)]
pub enum Role {
    Member,
    BillingOwner,
    Operator,
}

impl Stack {
    pub fn console(&self) -> &Console {
        self.console.as_ref().expect("the plan says `console: true`")
    }

    /// The address that signs somebody in and goes on to a page.
    pub fn sign_in_url(&self, customer: &Customer, role: Role, to: &str) -> String {
        let (role, subject) = match role {
            Role::Member => ("member", "mia@example.org"),
            Role::BillingOwner => ("billing_owner", "ann@example.org"),
            Role::Operator => ("operator", "olga@tollgate.example"),
        };
        let to = to.replace('?', "%3F").replace('&', "%26");
        format!("{}/dev/login?account={}&role={role}&subject={subject}&to={to}", self.console().url, customer.account)
    }
}
