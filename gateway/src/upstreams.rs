//! The servers behind, in named groups. Their addresses come from settings only; names are resolved anew now and then.

mod group;
mod health;
mod place;
mod server;
mod standing;
mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use config::upstream::Upstream;
use tokio::runtime::Handle;

pub use group::Group;
pub use place::Place;

use crate::metrics::UpstreamMetrics;

/// How long the first look for all names may take.
const FIRST_LOOK_MAX: Duration = Duration::from_secs(2);

/// All groups of the settings.
pub struct Upstreams(BTreeMap<String, Arc<Group>>);

impl Upstreams {
    /// A group whose settings have not changed is taken over from before, with what is known of its servers.
    pub fn new(
        settings: &BTreeMap<String, Upstream>,
        metrics: &UpstreamMetrics,
        before: Option<&Self>,
    ) -> anyhow::Result<Self> {
        let groups = settings.iter().map(|(name, settings)| {
            let same = before.and_then(|before| before.0.get(name)).filter(|group| group.is_made_of(settings));
            let group = match same {
                Some(group) => group.clone(),
                None => Arc::new(Group::new(name, settings, metrics).with_context(|| format!("upstreams.{name}"))?),
            };
            Ok((name.clone(), group))
        });
        groups.collect::<anyhow::Result<_>>().map(Self)
    }

    pub fn get(&self, name: &str) -> Option<Arc<Group>> {
        self.0.get(name).cloned()
    }

    /// Resolves every name and starts what must go on for as long as a group lives.
    pub async fn start(&self, background: &Handle) {
        let fresh: Vec<&Arc<Group>> = self.0.values().filter(|group| group.starts_now()).collect();
        let all = futures::future::join_all(fresh.iter().map(|group| group.resolve()));
        // A resolver that is slow must not keep the groups that need none.
        tokio::time::timeout(FIRST_LOOK_MAX, all).await.ok();
        for group in fresh {
            background.spawn(group::keep_resolving(Arc::downgrade(group)));
            background.spawn(health::keep_checking(Arc::downgrade(group)));
        }
    }

    /// Group and server of each, as metrics name them.
    pub fn names(&self) -> BTreeSet<(String, String)> {
        self.0.values().flat_map(|group| group.names()).collect()
    }
}
