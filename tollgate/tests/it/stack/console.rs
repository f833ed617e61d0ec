//! The console of the stack, behind its gateways, and people who sign in there.

use metering::testing::free_port;

use super::guarded::redis_settings;
use super::{Customer, House, Program, Stack, Stripe};

#[path = "../../../../dev/src/up/console_routes.rs"]
mod console_routes;

pub use console_routes::routes_of_the_demo;

/// Sessions as gateways and console of a stack know them: over http, so no browser would take a name with `__Host-`.
pub const SESSIONS: &str = "sessions.algorithm = \"HS256\"\nsessions.secret = \"0123456789abcdef0123456789abcdef\"\n\
     sessions.issuer = \"id.test\"\nsessions.audience = \"tollgate\"\nsessions.cookie = \"tollgate-session\"\nsessions.scheme = \"http\"\n";

pub struct Console {
    _program: Program,
    /// Where browsers find it: the first gateway.
    pub url: String,
}

impl Console {
    /// At this place, for browsers that come by the gateway at `url`.
    pub async fn start(house: &House<'_>, place: &str, url: &str, stripe: Option<&Stripe>) -> Self {
        let text = format!(
            "listen = \"{place}\"\npublic_url = \"{url}\"\npostgres.url = \"{}\"\n{}{SESSIONS}{}\
             stripe.success_url = \"{url}/billing?checkout={{CHECKOUT_SESSION_ID}}\"\nstripe.cancel_url = \"{url}/billing\"\n\
             stripe.return_url = \"{url}/billing\"\nbrand.name = \"ArchibotChat\"\nbrand.chat_url = \"/chat\"\n\
             brand.support_url = \"https://support.example/\"\ndev.login = true\nlimits.live_ms = 200\n",
            house.postgres,
            redis_settings(house.redis, "console"),
            stripe.map(Stripe::settings).unwrap_or_default(),
        );
        let program = house.ground.service(("console", "console"), free_port(), &text).started();
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
