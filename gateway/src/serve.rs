//! Puts the parts together and runs them until the process is told to stop.

use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use config::gateway::Settings;
use config::routes::Route;
use metering::live::Meter;
use pingora::apps::http_app::HttpServer;
use pingora::server::configuration::ServerConf;
use pingora::server::{RunArgs, Server};
use pingora::services::listening::Service;
use sessions::{KeySource, Sessions, Watch};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::Arguments;
use crate::account_standings::AccountStandings;
use crate::admin::Admin;
use crate::changes::{Listeners, follow_changes};
use crate::confirmations::Confirmations;
use crate::edge::{Companion, Connections, Edge, Linger, Secure, http2_limits, http2_options};
use crate::gateway::Gateway;
use crate::handover::{self, Handover, Taken};
use crate::journal::Journal;
use crate::jwks::Jwks;
use crate::key_cache::{Ages, KeyCache};
use crate::limits::{HeaderLimits, Limits};
use crate::live_balance;
use crate::metrics::Metrics;
use crate::reload::Reload;
use crate::remembered::Hearing;
use crate::request_log::RequestLog;
use crate::restitution::{Pauses, Restitutions};
use crate::sockets::{Kept, Lent, Sockets};
use crate::steps::Balance;
use crate::stop::{LastWords, Stops, end_when_idle};
use crate::table::{Table, Tables};
use crate::tls::{Certificates, InForce, acceptor, keep_reloading};
use crate::traces::Traces;
use crate::watch::{Health, await_listener, await_redis, keep_asking};
use crate::wire::{Door, proxy};

pub fn serve(
    started: Settings,
    routes: Vec<Route>,
    certificates: Option<Certificates>,
    arguments: &Arguments,
) -> anyhow::Result<()> {
    let settings = &started;
    let Opened { sockets, before, handover } = open(settings, arguments.upgrade)?;
    let background = background()?;
    // From here on SIGHUP no longer ends the process.
    let hangups = background.block_on(async { signal(SignalKind::hangup()) }).context("no signals")?;
    let metrics = Arc::new(Metrics::new()?);
    // Requests ask over a connection that the proxy's own runtime drives, so that an answer wakes nobody on another thread; what is
    // still owed when that runtime has ended goes over the other one.
    let meter = background.block_on(Meter::connect(live_balance::place(&settings.redis)?)).context("redis.url")?;
    let owing = background.block_on(async { meter.beside() }).context("redis.url")?;
    if before.is_some() {
        // What can't work must be found out while the gateway before still takes every request.
        background.block_on(await_redis(&owing, Duration::from_millis(settings.upgrade.ready_ms_max)))?;
    }
    let table = Table::new(settings, routes, &metrics, None)?;
    background.block_on(table.upstreams.start(background.handle()));
    metrics.upstreams.show_only(table.upstreams.names());
    let tables = Arc::new(Tables::new(table));

    let balance = balance(settings, &background, meter.clone(), owing, &metrics)?;
    let listeners = listeners(settings, &meter, &metrics);
    let (keys, standings) = (listeners.keys.clone(), listeners.standings.clone());
    let sessions = sessions(settings, &background, &metrics)?;
    let health = Arc::new(Health::new(metrics.clone()));
    background.spawn(follow_changes(meter.clone(), listeners, health.watch_redis()));
    let companion = Companion::new(keep_asking(meter, health.clone(), Duration::from_millis(settings.meter.ping_ms)));

    let log = Arc::new(RequestLog::start(settings.log.format, settings.log.request_one_in, metrics.clone())?);
    let traces = traces(settings, &background, &metrics)?;
    let last_words = last_words(&balance, &log, traces.as_ref());
    let gateway = Gateway {
        tables: tables.clone(),
        keys: keys.clone(),
        sessions,
        standings,
        balance,
        limits: limits(settings),
        billing_url: settings.billing_url.clone(),
        log,
        traces,
        metrics: metrics.clone(),
    };
    let accepts = companion.runs();
    let linger = linger(settings, &metrics);
    let stops = Stops { stop: handover.stop.clone(), sockets: handover.sockets.clone() };
    let admin = Admin { metrics: metrics.clone(), health: health.clone(), keys };
    let secure = secure(settings, certificates, &background, &metrics)?;
    let server = server(settings, gateway, companion, secure, admin, linger.clone(), sockets)?;
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
    let reload = Reload { config: arguments.config.clone(), started, tables, metrics };
    background.spawn(reload.keep_watching(hangups, background.handle().clone()));
    background.spawn(end_when_idle(server.watch_execution_phase(), linger, last_words.clone()));
    server.run(RunArgs { shutdown_signal: Box::new(stops) });
    // The grace period ran out, or the stop was a fast one: requests were cut, and their debits came to the restitutions.
    background.block_on(last_words.say());
    anyhow::ensure!(!last_words.failed.load(Ordering::Relaxed), "the gateway before goes on");
    Ok(())
}

/// What is said when the last request is over.
fn last_words(balance: &Balance, log: &Arc<RequestLog>, traces: Option<&Arc<Traces>>) -> LastWords {
    LastWords {
        metrics: balance.metrics.clone(),
        traces: traces.cloned(),
        restitutions: balance.restitutions.clone(),
        confirmations: balance.confirmations.clone(),
        journal: balance.journal.clone(),
        flush_log: Arc::new({
            let log = log.clone();
            move || log.flush()
        }),
        failed: Arc::default(),
    }
}

/// Owns everything that outlives a request; pingora's runtimes end before it.
fn background() -> anyhow::Result<Runtime> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).thread_name("background").enable_all().build().context("no runtime")
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
    let addresses: Vec<SocketAddr> =
        [Some(settings.listen), settings.tls.listen, Some(settings.admin_listen)].into_iter().flatten().collect();
    let sockets = Sockets::open(&addresses, handed_over)?;
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

fn balance(
    settings: &Settings,
    background: &Runtime,
    meter: Meter,
    owing: Meter,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<Balance> {
    let wait_max = Duration::from_millis(settings.meter.wait_ms_max);
    let pauses = Pauses {
        min: Duration::from_millis(settings.meter.restitution_pause_ms_min),
        max: Duration::from_millis(settings.meter.restitution_pause_ms_max),
    };
    let queue_max = settings.meter.restitutions_max;
    let (confirmations, work) = Confirmations::new(queue_max, pauses, owing.clone(), wait_max, metrics.clone());
    background.spawn(work);
    let (restitutions, work) = Restitutions::new(queue_max, pauses, owing, wait_max, metrics.clone());
    background.spawn(work);
    Ok(Balance {
        meter: meter.with_debit_wait(wait_max).with_sleep(|time| Box::pin(pingora_timeout::sleep(time))),
        restitutions,
        confirmations,
        journal: journal(settings, background, metrics)?,
        wait_max,
        fsync_max: Duration::from_millis(settings.meter.fsync_ms_max),
        op_lifetime_ms: settings.meter.op_lifetime_ms,
        in_use_ms_max: settings.idempotency.in_use_ms_max,
        metrics: metrics.clone(),
    })
}

/// What is remembered of live state.
fn listeners(settings: &Settings, meter: &Meter, metrics: &Arc<Metrics>) -> Listeners {
    let ages = Ages {
        entries_max: settings.key_cache.entries_max,
        fresh: Duration::from_millis(settings.key_cache.fresh_ms),
        unknown_fresh: Duration::from_millis(settings.key_cache.unknown_fresh_ms),
        stale_max: Duration::from_millis(settings.key_cache.stale_ms_max),
    };
    let (hearing, wait_max) = (Hearing::default(), Duration::from_millis(settings.meter.wait_ms_max));
    Listeners {
        keys: KeyCache::new(meter.clone(), ages, hearing.clone(), wait_max, metrics.clone()),
        standings: AccountStandings::new(meter.clone(), ages, hearing.clone(), wait_max, metrics.clone()),
        hearing,
        metrics: metrics.clone(),
    }
}

fn sessions(settings: &Settings, background: &Runtime, metrics: &Arc<Metrics>) -> anyhow::Result<Option<Sessions>> {
    let Some(rules) = settings.sessions.rules()? else { return Ok(None) };
    let watch: Arc<dyn Watch> = metrics.clone();
    let keys = KeySource::open(&rules.keys, rules.algorithm, watch.clone())?;
    background.spawn(keys.clone().keep(rules.keys.clone(), Jwks::at));
    Ok(Some(Sessions::new(rules, keys, watch)))
}

fn traces(settings: &Settings, background: &Runtime, metrics: &Arc<Metrics>) -> anyhow::Result<Option<Arc<Traces>>> {
    let Some(rules) = settings.traces.rules()? else { return Ok(None) };
    let instance = format!("{}/{}", settings.listen, std::process::id());
    let (traces, work) = Traces::new(rules, instance, metrics.clone());
    background.spawn(work);
    Ok(Some(Arc::new(traces)))
}

fn journal(settings: &Settings, background: &Runtime, metrics: &Arc<Metrics>) -> anyhow::Result<Journal> {
    let Some(rules) = settings.journal.rules()? else { return Ok(Journal::off()) };
    let name = format!("{}/{}", settings.listen, std::process::id());
    let (journal, work) = Journal::start(rules, name, metrics.clone()).context("journal")?;
    background.spawn(work);
    Ok(journal)
}

fn limits(settings: &Settings) -> Limits {
    let limits = &settings.limits;
    Limits {
        header: HeaderLimits { bytes_max: limits.header_bytes_max, count_max: limits.header_count_max },
        body: Duration::from_millis(limits.body_ms_max),
        idempotent_body_bytes_max: settings.idempotency.body_bytes_max,
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

fn server(
    settings: &Settings,
    gateway: Gateway,
    companion: Companion,
    secure: Option<Secure>,
    admin: Admin,
    linger: Linger,
    sockets: Lent,
) -> anyhow::Result<Server> {
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
    let door = Door {
        proxy: proxy(gateway, &server.configuration)?,
        options: http2_options(idle),
        http2: http2_limits(&settings.http2),
    };
    let edge = Edge {
        connections,
        header_max: Duration::from_millis(limits.header_ms_max),
        door: Arc::new(door),
        secure,
        plain_http2: settings.http2.plain,
        companion,
        linger,
    };
    let mut edge = Service::new("gateway".to_owned(), edge);
    for address in [Some(settings.listen), settings.tls.listen].into_iter().flatten() {
        edge.add_tcp(&address.to_string());
    }
    let mut admin = Service::new("admin".to_owned(), HttpServer::new_app(admin));
    admin.threads = Some(1);
    admin.add_tcp(&settings.admin_listen.to_string());
    let sockets = server.add_service(sockets);
    server.add_service(admin).add_dependency(&sockets);
    server.add_service(edge).add_dependency(&sockets);
    Ok(server)
}
