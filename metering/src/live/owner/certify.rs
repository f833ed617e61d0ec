//! Certification: seal, look, load the scripts, certify, open.

use std::sync::Arc;

use redis::{Pipeline, cmd};

use super::{Certified, OwnerError, OwnerLink};
use crate::live::Fence;
use crate::live::keys::{self, head};
use crate::live::scripts::{CERTIFY, Digests, SEAL, Script, previous};
use crate::{Shard, ShardKind, TimeMs};

/// What stands outside any incarnation: the highest numbers that Redis knows of a shard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// The highest owner epoch.
    pub epoch: u64,
    /// The highest incarnation; 0 = none.
    pub incarnation: u64,
    /// The highest certification; 0 = none.
    pub certification: u64,
}

/// A shard that was closed to every earlier certification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// The incarnation that was in force; 0 = none.
    pub incarnation: u64,
    /// The certification that was in force; 0 = none.
    pub certification: u64,
}

/// How a certification goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// An incarnation begins: its accounts are installed from the book.
    New,
    /// The incarnation goes on: Redis holds all that the book knows, and everything in its stream was drained.
    Same,
}

/// The exposure caps: what a lost Redis can lose is bounded by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Events of a shard that may be missing in the book.
    pub events: u64,
    /// Credits of a shard drawn by such events.
    pub credits: u64,
    /// How long the owner may not have drained, in ms.
    pub age_ms: u64,
}

impl OwnerLink {
    /// Reads the highest numbers of a shard.
    pub async fn head(&mut self, shard: Shard) -> Result<Head, OwnerError> {
        let numbers: (Option<u64>, Option<u64>, Option<u64>) = cmd("HMGET")
            .arg(head(shard))
            .arg(&["epoch", "incarnation", "certification"])
            .query_async(&mut self.connection)
            .await?;
        let (epoch, incarnation, certification) = numbers;
        Ok(Head {
            epoch: epoch.unwrap_or(0),
            incarnation: incarnation.unwrap_or(0),
            certification: certification.unwrap_or(0),
        })
    }

    /// Closes a shard to every earlier certification.
    pub async fn seal(&mut self, shard: Shard, epoch: u64) -> Result<Sealed, OwnerError> {
        loop {
            let incarnation = self.head(shard).await?.incarnation;
            let meta =
                if incarnation == 0 { head(shard) } else { Fence { shard, incarnation, certification: 0 }.meta() };
            let mut command = cmd("EVAL");
            command.arg(SEAL).arg(2).arg(head(shard)).arg(meta).arg(epoch);
            let mut reply = self.run(command).await?;
            match reply.text()?.as_str() {
                "sealed" => {
                    let sealed = Sealed { incarnation: reply.number()?, certification: reply.number()? };
                    if sealed.incarnation == incarnation {
                        return Ok(sealed);
                    }
                    // A former owner began an incarnation since we looked, and it is that one which must be closed. Once more
                    // is enough: our epoch stands now.
                }
                _ => return Err(OwnerError::Newer(reply.number()?)),
            }
        }
    }

    /// Loads the scripts of this process and certifies the shard with a number. Gateways stay out until [`Self::open_shard`].
    pub async fn certify(
        &mut self,
        fence: Fence,
        epoch: u64,
        mode: Mode,
        drained: u64,
        highest: TimeMs,
        caps: Caps,
    ) -> Result<Certified, OwnerError> {
        self.load().await?;
        let mut command = cmd("EVAL");
        command.arg(CERTIFY).arg(3).arg(head(fence.shard)).arg(fence.meta()).arg(fence.events());
        command.arg(epoch).arg(fence.incarnation).arg(fence.certification);
        command.arg(if mode == Mode::New { "new" } else { "same" }).arg(drained).arg(highest.as_u64());
        let countable = |cap: u64| cap.min(crate::credits::LARGEST); // a cap that Lua can't count would never be reached
        command.arg(countable(caps.events)).arg(countable(caps.credits)).arg(countable(caps.age_ms));
        command.arg(if fence.shard.kind == ShardKind::Accounts { "events" } else { "" });
        command.arg(&self.process.appendfsync).arg(&self.process.run_id);
        let mut reply = self.run(command).await?;
        match reply.text()?.as_str() {
            "certified" => Ok(Certified { fence, digests: Arc::new(Digests::of_process(&self.process.run_id)) }),
            _ => Err(OwnerError::Newer(reply.number()?)),
        }
    }

    /// Over the connection on which the process told its `run_id`: no other process can be behind it.
    async fn load(&mut self) -> Result<(), OwnerError> {
        let mut pipeline = Pipeline::new();
        for script in Script::ALL {
            pipeline.cmd("SCRIPT").arg("LOAD").arg(script.text(&self.process.run_id)).ignore();
        }
        for script in previous(&self.previous, &self.process.run_id) {
            pipeline.cmd("SCRIPT").arg("LOAD").arg(script).ignore();
        }
        let () = pipeline.query_async(&mut self.connection).await?;
        Ok(())
    }

    /// Lets gateways in.
    pub async fn open_shard(&mut self, shard: &Certified) -> Result<(), OwnerError> {
        let mut command = shard.evalsha(Script::Open, 1);
        command.arg(shard.fence.meta());
        self.run_under(shard, command).await.map(|_| ())
    }

    /// Unlinks what an earlier incarnation of a shard left, a page at a time; answers how many keys went.
    pub async fn forget(&mut self, shard: Shard, incarnation: u64) -> Result<u64, OwnerError> {
        let prefix = Fence { shard, incarnation, certification: 0 }.prefix();
        let (mut cursor, mut forgotten) = (0_u64, 0_u64);
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{}*", keys::escape(&prefix))).arg("COUNT").arg(1000);
            let (next, found): (u64, Vec<String>) = scan.query_async(&mut self.connection).await?;
            if !found.is_empty() {
                let gone: u64 = cmd("UNLINK").arg(&found).query_async(&mut self.connection).await?;
                forgotten = forgotten.saturating_add(gone);
            }
            if next == 0 {
                return Ok(forgotten);
            }
            cursor = next;
        }
    }
}
