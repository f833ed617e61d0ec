//! Puts the parts together and runs them until the process is told to stop.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
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

use crate::admin::Admin;
use crate::edge::{Companion, Connections, Edge, Linger};
use crate::gateway::Gateway;
use crate::handover::{self, Handover, Taken};
use crate::key_cache::{Ages, KeyCache, follow_changes};
use crate::limits::{HeaderLimits, Limits};
use crate::metrics::Metrics;
use crate::reload::Reload;
use crate::request_log::RequestLog;
use crate::restitution::{Pauses, Restitutions};
use crate::sockets::{Kept, Lent, Sockets};
use crate::steps::Balance;
use crate::stop::{LastWords, Stops, end_when_idle};
use crate::table::{Table, Tables};
use crate::watch::{Health, await_listener, await_redis, keep_asking};

pub fn serve(started: Settings, routes: Vec<Route>, config: Option<PathBuf>, upgrade: bool) -> anyhow::Result<()> {
    let settings = &started;
    let Opened { sockets, before, handover } = open(settings, upgrade)?;
    // Owns everything that outlives a request; pingora's runtimes end before it.
    let background = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("background")
        .enable_all()
        .build()
        .context("no runtime")?;
    // From here on SIGHUP no longer ends the process.
    let hangups = background.block_on(async { signal(SignalKind::hangup()) }).context("no signals")?;
    let metrics = Arc::new(Metrics::new()?);
    // Requests ask over a connection that the proxy's own runtime drives, so that an answer wakes nobody on another thread; what is
    // still owed when that runtime has ended goes over the other one.
    let meter = background.block_on(Meter::connect(settings.redis.url.expose_secret())).context("redis.url")?;
    let owing = background.block_on(async { meter.beside() }).context("redis.url")?;
    if before.is_some() {
        // What can't work must be found out while the gateway before still takes every request.
        background.block_on(await_redis(&owing, Duration::from_millis(settings.upgrade.ready_ms_max)))?;
    }
    let table = Table::new(settings, routes, &metrics, None)?;
    background.block_on(table.upstreams.start(background.handle()));
    metrics.upstreams.show_only(table.upstreams.names());
    let tables = Arc::new(Tables::new(table));

    let balance = balance(settings, &background, meter.clone(), owing, &metrics);
    let keys = key_cache(settings, &meter, &metrics);
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
        failed: Arc::default(),
    };
    let gateway = Gateway {
        tables: tables.clone(),
        keys: keys.clone(),
        balance,
        limits: limits(settings),
        billing_url: settings.billing_url.clone(),
        log,
        metrics: metrics.clone(),
    };
    let accepts = companion.runs();
    let linger = linger(settings, &metrics);
    let stops = Stops { stop: handover.stop.clone(), sockets: handover.sockets.clone() };
    let admin = Admin { metrics: metrics.clone(), health: health.clone(), keys };
    let server = server(settings, gateway, companion, admin, linger.clone(), sockets);
    let (listen, failed) = (settings.listen, last_words.failed.clone());
    background.spawn(async move {
        await_listener(listen, accepts, health.clone()).await;
        let Some(before) = before else { return };
        let stop = handover.stop.clone();
        if let Err(error) = Taken::step_in(before, handover, &health).await {
            tracing::error!("this gateway can't take the place of the one before, and stops: {error:#}");
            failed.store(true, Ordering::Relaxed);
            stop.notify_one();
        }
    });
    let reload = Reload { config, started, tables, metrics };
    background.spawn(reload.keep_watching(hangups, background.handle().clone()));
    background.spawn(end_when_idle(server.watch_execution_phase(), linger, last_words.clone()));
    server.run(RunArgs { shutdown_signal: Box::new(stops) });
    // The grace period ran out, or the stop was a fast one: requests were cut, and their debits came to the restitutions.
    background.block_on(last_words.say());
    anyhow::ensure!(!last_words.failed.load(Ordering::Relaxed), "the gateway before goes on");
    Ok(())
}

/// The sockets, and how they came and will go.
struct Opened {
    sockets: Lent,
    /// The gateway that runs, until this one is ready.
    before: Option<UnixStream>,
    handover: Handover,
}

fn open(settings: &Settings, upgrade: bool) -> anyhow::Result<Opened> {
    let path = &settings.upgrade.socket;
    anyhow::ensure!(!upgrade || !path.as_os_str().is_empty(), "--upgrade needs the setting upgrade.socket");
    let taken = if upgrade { handover::take(path)? } else { None };
    let (handed_over, before) = taken.map_or((Vec::new(), None), |taken| (taken.sockets, Some(taken.before)));
    let sockets = Sockets::open(&[settings.listen, settings.admin_listen], handed_over)?;
    let lent = sockets.lend()?;
    let handover = Handover {
        path: path.clone(),
        sockets: Kept::new(sockets),
        ready_max: Duration::from_millis(settings.upgrade.ready_ms_max),
        stop: Arc::default(),
    };
    if path.as_os_str().is_empty() {
        handover.sockets.close();
    } else if before.is_none() {
        handover.clone().start()?;
    }
    Ok(Opened { sockets: lent, before, handover })
}

fn linger(settings: &Settings, metrics: &Arc<Metrics>) -> Linger {
    let half_of_grace = Duration::from_secs(settings.stop.grace_seconds) / 2;
    Linger { max: Duration::from_millis(settings.stop.keep_alive_ms).min(half_of_grace), metrics: metrics.clone() }
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

fn limits(settings: &Settings) -> Limits {
    let limits = &settings.limits;
    Limits {
        header: HeaderLimits { bytes_max: limits.header_bytes_max, count_max: limits.header_count_max },
        body: Duration::from_millis(limits.body_ms_max),
        idle_seconds: limits.idle_ms_max.div_ceil(1_000).max(1),
        write: Duration::from_millis(limits.write_ms_max),
    }
}

fn server(
    settings: &Settings,
    gateway: Gateway,
    companion: Companion,
    admin: Admin,
    linger: Linger,
    sockets: Lent,
) -> Server {
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
    let edge = Edge {
        connections: Connections::new(
            limits.connections_per_address_max,
            limits.connections_max,
            gateway.metrics.clone(),
        ),
        header_max: Duration::from_millis(limits.header_ms_max),
        proxy: Arc::new(http_proxy(&server.configuration, gateway)),
        companion,
        linger,
    };
    let mut edge = Service::new("gateway".to_owned(), edge);
    edge.add_tcp(&settings.listen.to_string());
    let mut admin = Service::new("admin".to_owned(), HttpServer::new_app(admin));
    admin.threads = Some(1);
    admin.add_tcp(&settings.admin_listen.to_string());
    let sockets = server.add_service(sockets);
    server.add_service(admin).add_dependency(&sockets);
    server.add_service(edge).add_dependency(&sockets);
    server
}
