//! The services that run, in the order they were started; they are stopped the other way round.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use crate::layout::Layout;
use crate::process::{Record, Service};
use crate::report::Report;
use crate::state::{State, Wish};
use crate::{interrupt, words};

pub struct House {
    layout: Layout,
    services: Vec<Service>,
    state: State,
    left: bool,
}

impl House {
    pub fn new(layout: &Layout, wish: Wish, detach: bool) -> House {
        // A detached setup has no launcher that could be asked to stop it.
        let launcher = (!detach).then(|| Record::of(std::process::id()));
        let state = State { wish, launcher, services: Vec::new(), report: None };
        House { layout: layout.clone(), services: Vec::new(), state, left: false }
    }

    /// Takes a service in, and writes it down, so that `cargo dev down` finds it even if we are killed.
    pub fn add(&mut self, service: Service) -> Result<()> {
        self.state.services.push((service.name.to_owned(), service.record.clone()));
        self.services.push(service);
        self.state.save(&self.layout)
    }

    pub fn healthy(&mut self, report: &Report) -> Result<()> {
        self.state.report = Some(report.clone());
        self.state.save(&self.layout)
    }

    pub fn pids(&self) -> BTreeMap<String, i32> {
        // In JSON a name has no hyphen.
        self.services.iter().map(|service| (service.name.replace('-', "_"), service.record.pid)).collect()
    }

    /// Leaves everything running without us.
    pub fn leave(mut self) {
        self.left = true;
        self.services.drain(..).for_each(Service::leave);
    }

    /// Waits for Ctrl-C; says which service ended by itself, and lets the others run: somebody may be trying just that.
    pub fn watch(mut self) {
        let mut ended: Vec<&str> = Vec::new();
        while !interrupt::requested() && ended.len() < self.services.len() {
            for service in &mut self.services {
                if ended.contains(&service.name) {
                    continue;
                }
                if let Some(status) = service.ended() {
                    words::step(&format!("{} ended ({status}); {}", service.name, words::log_tail(service.log())));
                    ended.push(service.name);
                }
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        if !self.services.is_empty() {
            words::step("stopping everything");
        }
        while let Some(service) = self.services.pop() {
            drop(service);
        }
        State::forget(&self.layout);
    }
}
