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
        let (port, admin_port, name) = (free_port(), free_port(), format!("gateway-{number}"));
        let (listen, admin) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{admin_port}"));
        let named: Vec<String> =
            upstreams.iter().map(|(name, url)| format!("upstreams.{name} = \"{url}\"\n")).collect();
        let named = named.concat();
        let text = format!(
            "listen = \"{listen}\"\nadmin_listen = \"{admin}\"\nroutes = \"{name}-routes.toml\"\nthreads = 2\n\
             billing_url = \"https://billing.example\"\n{}{named}journal.directory = \"journal-{number}\"\n\
             journal.post_to = {:?}\njournal.secret = \"{JOURNAL_SECRET}\"\njournal.post_ms = 100\n{settings}\n",
            house.wire.map_or_else(|| redis_settings(house.redis, "gateway"), Wire::settings),
            house.journals,
        );
        let path = house.directory.join(format!("{name}.toml"));
        std::fs::write(&path, text).unwrap();
        let routes = house.directory.join(format!("{name}-routes.toml")); // its own: another gateway may be reading already
        let console = upstreams.iter().any(|(name, _)| *name == "console");
        let more = if console { routes_of_the_demo() } else { String::new() };
        std::fs::write(routes, format!("{ROUTES}{more}")).unwrap();
        let arguments = vec!["--config".to_owned(), path.display().to_string()];
        let admin = format!("http://{admin}");
        let program = Program::start(house.directory, ("gateway", &name), arguments, admin, house.http.clone());
        Self { program, port }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
