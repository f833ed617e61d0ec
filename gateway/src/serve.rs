//! Puts the parts together and runs them until the process is told to stop.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use config::gateway::Settings;
use config::routes::Route;
use metering::live::Meter;
use pingora::apps::http_app::HttpServer;
use pingora::proxy::http_proxy;
use pingora::server::configuration::ServerConf;
use pingora::server::{RunArgs, Server};
use pingora::services::listening::Service;
use secrecy::ExposeSecret;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::account_statuses::AccountStatuses;
use crate::admin::Admin;
use crate::edge::{Companion, Connections, Edge, Secure, http2_limits, http2_options};
use crate::gateway::Gateway;
use crate::key_cache::{Ages, KeyCache, follow_changes};
use crate::limits::{HeaderLimits, Limits};
use crate::metrics::Metrics;
use crate::reload::Reload;
use crate::request_log::RequestLog;
use crate::restitution::{Pauses, Restitutions};
use crate::session::{KeySource, Sessions};
use crate::steps::Balance;
use crate::stop::{LastWords, end_when_idle};
use crate::table::{Table, Tables};
use crate::tls::{Certificates, InForce, acceptor, keep_reloading};
use crate::watch::{Health, await_listener, keep_asking};

pub fn serve(
    started: Settings,
    routes: Vec<Route>,
    certificates: Option<Certificates>,
    config: Option<PathBuf>,
) -> anyhow::Result<()> {
    let settings = &started;
    check_free(settings.listen)?;
    settings.tls.listen.map_or(Ok(()), check_free)?;
    check_free(settings.admin_listen)?;
    // Owns everything that outlives a request; pingora's runtimes end before it.
    let background = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("background")
        .enable_all()
        .build()
        .context("no runtime")?;
    let metrics = Arc::new(Metrics::new()?);
    // Requests ask over a connection that the proxy's own runtime drives, so that an answer wakes nobody on another thread; what is
    // still owed when that runtime has ended goes over the other one.
    let meter = background.block_on(Meter::connect(settings.redis.url.expose_secret())).context("redis.url")?;
    let owing = background.block_on(async { meter.beside() }).context("redis.url")?;
    let table = Table::new(settings, routes, &metrics, None)?;
    background.block_on(table.upstreams.start(background.handle()));
    metrics.upstreams.show_only(table.upstreams.names());
    let tables = Arc::new(Tables::new(table));

    let balance = balance(settings, &background, meter.clone(), owing, &metrics);
    let keys = key_cache(settings, &meter, &metrics);
    let sessions = sessions(settings, &background, &metrics)?;
    let statuses = account_statuses(settings, &meter);
    let health = Arc::new(Health::new(metrics.clone()));
    background.spawn(follow_changes(keys.clone(), health.watch_redis()));
    let companion = Companion::new(keep_asking(meter, health.clone(), Duration::from_millis(settings.meter.ping_ms)));

    let log = Arc::new(RequestLog::start(settings.log.format, settings.log.request_one_in, metrics.clone())?);
    let last_words = LastWords {
        metrics: metrics.clone(),
        restitutions: balance.restitutions.clone(),
        flush_log: Arc::new({
            let log = log.clone();
            move || log.flush()
        }),
    };
    let gateway = Gateway {
        tables: tables.clone(),
        keys: keys.clone(),
        sessions,
        statuses,
        balance,
        limits: limits(settings),
        billing_url: settings.billing_url.clone(),
        log,
        metrics: metrics.clone(),
    };
    background.spawn(await_listener(settings.listen, health.clone()));
    let secure = secure(settings, certificates, &background, &metrics)?;
    let hangups = background.block_on(async { signal(SignalKind::hangup()) }).context("no signals")?;
    let server = server(settings, gateway, companion, secure, Admin { metrics: metrics.clone(), health, keys });
    let reload = Reload { config, started, tables, metrics };
    background.spawn(reload.keep_watching(hangups, background.handle().clone()));
    background.spawn(end_when_idle(server.watch_execution_phase(), last_words.clone()));
    server.run(RunArgs::default());
    // The grace period ran out, or the stop was a fast one: requests were cut, and their debits came to the restitutions.
    background.block_on(last_words.say());
    Ok(())
}

/// pingora would go on without its listener, so a port that is taken is found out before.
fn check_free(address: SocketAddr) -> anyhow::Result<()> {
    TcpListener::bind(address).map(drop).with_context(|| format!("can't listen on {address}"))
}

fn balance(settings: &Settings, background: &Runtime, meter: Meter, owing: Meter, metrics: &Arc<Metrics>) -> Balance {
    let wait_max = Duration::from_millis(settings.meter.wait_ms_max);
    let pauses = Pauses {
        min: Duration::from_millis(settings.meter.restitution_pause_ms_min),
        max: Duration::from_millis(settings.meter.restitution_pause_ms_max),
    };
    let (restitutions, work) =
        Restitutions::new(settings.meter.restitutions_max, pauses, owing, wait_max, metrics.clone());
    background.spawn(work);
    Balance {
        meter: meter.with_debit_wait(wait_max),
        restitutions,
        wait_max,
        op_lifetime_ms: settings.meter.op_lifetime_ms,
        metrics: metrics.clone(),
    }
}

fn key_cache(settings: &Settings, meter: &Meter, metrics: &Arc<Metrics>) -> KeyCache {
    let ages = Ages {
        entries_max: settings.key_cache.entries_max,
        fresh: Duration::from_millis(settings.key_cache.fresh_ms),
        unknown_fresh: Duration::from_millis(settings.key_cache.unknown_fresh_ms),
        stale_max: Duration::from_millis(settings.key_cache.stale_ms_max),
    };
    KeyCache::new(meter.clone(), ages, Duration::from_millis(settings.meter.wait_ms_max), metrics.clone())
}

fn sessions(settings: &Settings, background: &Runtime, metrics: &Arc<Metrics>) -> anyhow::Result<Option<Sessions>> {
    let Some(rules) = settings.sessions.rules()? else { return Ok(None) };
    let keys = KeySource::open(&rules.keys, rules.algorithm, metrics.clone())?;
    background.spawn(keys.clone().keep(rules.keys.clone()));
    Ok(Some(Sessions::new(rules, keys, metrics.clone())))
}

fn account_statuses(settings: &Settings, meter: &Meter) -> AccountStatuses {
    let wait_max = Duration::from_millis(settings.meter.wait_ms_max);
    let stale_max = Duration::from_millis(settings.key_cache.stale_ms_max);
    AccountStatuses::new(meter.clone(), wait_max, settings.key_cache.entries_max, stale_max)
}

fn limits(settings: &Settings) -> Limits {
    let limits = &settings.limits;
    Limits {
        header: HeaderLimits { bytes_max: limits.header_bytes_max, count_max: limits.header_count_max },
        body: Duration::from_millis(limits.body_ms_max),
        idle_seconds: limits.idle_ms_max.div_ceil(1_000).max(1),
        write: Duration::from_millis(limits.write_ms_max),
    }
}

/// The listener for TLS, whose certificates are replaced when their files change.
fn secure(
    settings: &Settings,
    certificates: Option<Certificates>,
    background: &Runtime,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<Option<Secure>> {
    let (Some(address), Some(certificates)) = (settings.tls.listen, certificates) else { return Ok(None) };
    metrics.certificates.in_force(&certificates.expiries);
    let in_force = Arc::new(InForce::new(certificates));
    background.spawn(keep_reloading(settings.tls.clone(), in_force.clone(), metrics.clone()));
    Ok(Some(Secure { port: address.port(), acceptor: acceptor(in_force)? }))
}

fn server(settings: &Settings, gateway: Gateway, companion: Companion, secure: Option<Secure>, admin: Admin) -> Server {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let own = |ending: &str| {
        let name = format!("tollgate-gateway-{}.{ending}", std::process::id());
        std::env::temp_dir().join(name).display().to_string()
    };
    let conf = ServerConf {
        threads: if settings.threads == 0 { cores } else { settings.threads },
        work_stealing: true,
        grace_period_seconds: Some(settings.stop.grace_seconds),
        graceful_shutdown_timeout_seconds: Some(1),
        upstream_keepalive_pool_size: settings.limits.upstream_connections_idle_max,
        // Only the last bound: how often a request may try is the upstream's setting, and how often it is sent the step's.
        max_retries: 8,
        pid_file: own("pid"),
        upgrade_sock: own("sock"),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let limits = &settings.limits;
    let idle = Duration::from_millis(limits.idle_ms_max);
    let connections =
        Connections::new(limits.connections_per_address_max, limits.connections_max, gateway.metrics.clone());
    let mut proxy = http_proxy(&server.configuration, gateway);
    proxy.h2_options = Some(http2_limits(&settings.http2));
    proxy.server_options = Some(http2_options(idle));
    let edge = Edge {
        connections,
        header_max: Duration::from_millis(limits.header_ms_max),
        proxy: Arc::new(proxy),
        secure,
        plain_http2: settings.http2.plain,
        companion,
    };
    let mut edge = Service::new("gateway".to_owned(), edge);
    for address in [Some(settings.listen), settings.tls.listen].into_iter().flatten() {
        edge.add_tcp(&address.to_string());
    }
    let mut admin = Service::new("admin".to_owned(), HttpServer::new_app(admin));
    admin.threads = Some(1);
    admin.add_tcp(&settings.admin_listen.to_string());
    server.add_service(admin);
    server.add_service(edge);
    server
}
