//! What every handler shares: the world behind its lock, and the post that is woken after each act.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::acts::due;
use crate::world::World;

#[derive(Clone)]
pub struct Stage {
    world: Arc<Mutex<World>>,
    pub api_key: Arc<str>,
    pub wake: Arc<Notify>,
    pub tasks: TaskTracker,
}

impl Stage {
    pub fn new(world: World, api_key: &str) -> Stage {
        Stage {
            world: Arc::new(Mutex::new(world)),
            api_key: api_key.into(),
            wake: Arc::default(),
            tasks: TaskTracker::new(),
        }
    }

    /// Does one act while nobody else does any; its events are handed to the post together.
    pub fn act<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        // An act that panicked is a bug of this double, which its test sees; what it left is still served.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let done = act(&mut world);
        world.post_fresh();
        drop(world);
        self.wake.notify_one();
        done
    }

    /// Looks without waking the post.
    pub fn look<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does what has fallen due since it was last looked at.
    pub fn tick(&self) {
        self.act(|world| {
            let now = world.now();
            // What can't be done now stays due, and whoever moves the clock is told why.
            let _ = due::settle(world, now);
        });
    }
}
