//! Reads routes and upstreams anew while the gateway serves: on SIGHUP, and when a file changes. They are validated first and
//! exchanged as one; what is wrong is said once and changes nothing.

mod files;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config::Service;
use config::gateway::Settings;
use config::routes::Route;
use files::Files;
use tokio::runtime::Handle;
use tokio::signal::unix::Signal;
use tokio::task::block_in_place;

use crate::metrics::Metrics;
use crate::table::{Table, Tables};

pub struct Reload {
    /// The operator's file.
    pub config: Option<PathBuf>,
    /// What the process runs with, whatever the files say by now.
    pub started: Settings,
    pub tables: Arc<Tables>,
    pub metrics: Arc<Metrics>,
}

impl Reload {
    pub async fn keep_watching(self, mut hangups: Signal, background: Handle) {
        let every = Duration::from_millis(self.started.reload.poll_ms);
        let mut files = block_in_place(|| Files::watch(self.files_of(&self.started)));
        self.metrics.reloads.loaded();
        loop {
            let asked = tokio::select! {
                _ = hangups.recv() => true,
                () = tokio::time::sleep(every), if !every.is_zero() => false,
            };
            if block_in_place(|| files.have_changed()) || asked {
                self.reload(&mut files, &background).await;
            }
        }
    }

    async fn reload(&self, files: &mut Files, background: &Handle) {
        match block_in_place(|| self.read(files)) {
            Ok((settings, table)) => {
                // Names are resolved before the first request comes.
                table.upstreams.start(background).await;
                self.metrics.upstreams.show_only(table.upstreams.names());
                self.tables.exchange(Arc::new(table));
                self.metrics.reloads.loaded();
                tracing::info!("routes and upstreams are loaded anew");
                let waiting = self.started.needs_restart(&settings);
                if !waiting.is_empty() {
                    let names = waiting.join(", ");
                    tracing::warn!(settings = %names, "these settings have changed and need a restart: {names}");
                }
            }
            Err(error) => {
                self.metrics.reloads.failed();
                tracing::error!("the new settings are refused and the old ones stay: {error:#}");
            }
        }
    }

    /// Checks everything before anything is made that others see.
    fn read(&self, files: &mut Files) -> anyhow::Result<(Settings, Table)> {
        files.are_read();
        let settings: Settings = config::load(Service::Gateway, self.config.as_deref())?;
        // Whatever else is wrong: what these settings name is where it can be mended.
        files.watch_these(self.files_of(&settings));
        let routes: Vec<Route> = settings.read_routes()?;
        Table::new(&settings, routes.clone(), &Metrics::new()?, None)?;
        let table = Table::new(&settings, routes, &self.metrics, Some(&self.tables.current()))?;
        Ok((settings, table))
    }

    fn files_of(&self, settings: &Settings) -> Vec<PathBuf> {
        let certificates = settings.upstreams.values().filter_map(|upstream| upstream.ca_file.clone());
        self.config.iter().cloned().chain(settings.routes_file()).chain(certificates).collect()
    }
}
