//! A gateway of the stack.

use metering::testing::free_port;

use super::console::routes_of_the_demo;
use super::guarded::redis_settings;
use super::{House, JOURNAL_SECRET, Program, Wire};

/// The demo routes, as customers meet them, and the tests' own beside them.
const ROUTES: &str = concat!(include_str!("../../../../config/routes.toml"), "\n", include_str!("routes.toml"));

pub struct Gateway {
    pub program: Program,
    port: u16,
}

impl Gateway {
    pub fn start(house: &House<'_>, number: usize, upstreams: &[(&str, String)], settings: &str) -> Self {
        let (port, name) = (free_port(), format!("gateway-{number}"));
        let named: Vec<String> =
            upstreams.iter().map(|(name, url)| format!("upstreams.{name} = \"{url}\"\n")).collect();
        let named = named.concat();
        let text = format!(
            "listen = \"127.0.0.1:{port}\"\nroutes = \"{name}-routes.toml\"\nthreads = 2\n\
             billing_url = \"https://billing.example\"\n{}{named}journal.directory = \"journal-{number}\"\n\
             journal.post_to = {:?}\njournal.secret = \"{JOURNAL_SECRET}\"\njournal.post_ms = 100\n{settings}",
            house.wire.map_or_else(|| redis_settings(house.redis, "gateway"), Wire::settings),
            house.journals,
        );
        let routes = house.ground.directory.join(format!("{name}-routes.toml")); // its own: another gateway may be reading already
        let console = upstreams.iter().any(|(name, _)| *name == "console");
        let more = if console { routes_of_the_demo() } else { String::new() };
        std::fs::write(routes, format!("{ROUTES}{more}")).unwrap();
        let program = house.ground.service(("gateway", &name), free_port(), &text).started();
        Self { program, port }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
