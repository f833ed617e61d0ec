//! A Postgres of the test's own, for tests that kill it.

use std::fs::File;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use metering::testing::free_port;
use tempfile::TempDir;

use super::PATIENCE;

/// Every statement is logged, so that a test can look for what must not stand in one. A process that is killed loses nothing
/// it has written, so waiting for the disk would prove nothing here.
const SETTINGS: [&str; 5] =
    ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "log_statement=all", "max_connections=60"];

const PROGRAMS: [&str; 4] = ["initdb", "postgres", "pg_isready", "pg_dump"];

pub struct Postgres {
    bin: PathBuf,
    home: TempDir,
    port: u16,
    owner: Option<(u32, u32)>,
    child: Option<Child>,
}

impl Postgres {
    pub async fn start() -> Self {
        let home = TempDir::new().unwrap();
        let owner = owner();
        if let Some((user, group)) = owner {
            chown(home.path(), Some(user), Some(group)).unwrap();
        }
        let mut postgres = Self { bin: bin(), home, port: free_port(), owner, child: None };
        let data = postgres.data();
        let made = postgres
            .command("initdb")
            .arg("-D")
            .arg(data)
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"])
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        postgres.start_again().await;
        postgres
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it with what is on disk, and waits until it answers.
    pub async fn start_again(&mut self) {
        let started = Instant::now();
        loop {
            self.kill();
            let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
            let mut command = self.command("postgres");
            command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
            for setting in SETTINGS {
                command.args(["-c", setting]);
            }
            let spawned = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn();
            self.child = Some(spawned.unwrap());
            // Right after a crash it may find the memory of the old one still in use, and end at once.
            while self.child.as_mut().unwrap().try_wait().unwrap().is_none() {
                if self.answers() {
                    return;
                }
                assert!(started.elapsed() < PATIENCE, "Postgres does not answer:\n{}", self.log());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            assert!(started.elapsed() < PATIENCE, "Postgres does not start:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Ends it as a crash does: its first process, and with it all others, who notice.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill(); // already gone is as good
            let _ = child.wait();
        }
    }

    /// Copies what is on disk, while it is stopped.
    pub fn keep_a_copy(&self) {
        self.copy(&self.data(), &self.home.path().join("older"));
    }

    /// Puts the copy in the place of what is there, while it is stopped.
    pub fn put_the_copy_back(&self) {
        std::fs::remove_dir_all(self.data()).unwrap();
        self.copy(&self.home.path().join("older"), &self.data());
    }

    fn copy(&self, from: &Path, to: &Path) {
        assert!(self.child.is_none(), "files are copied while nobody writes them");
        let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(copied.success(), "{} can be copied", from.display());
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log_path()).unwrap_or_default()).into_owned()
    }

    /// Everything the tests' database holds, as statements.
    pub fn dump(&self) -> String {
        let port = self.port.to_string();
        let arguments = ["--inserts", "-h", "127.0.0.1", "-U", "postgres", "-p", &port, "tollgate_test"];
        let dumped = self.command("pg_dump").args(arguments).output().unwrap();
        assert!(dumped.status.success(), "pg_dump: {}", String::from_utf8_lossy(&dumped.stderr));
        String::from_utf8_lossy(&dumped.stdout).into_owned()
    }

    fn answers(&self) -> bool {
        let asked = self
            .command("pg_isready")
            .args(["-q", "-t", "1", "-h", "127.0.0.1", "-p", &self.port.to_string()])
            .status();
        asked.is_ok_and(|status| status.success())
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn log_path(&self) -> PathBuf {
        self.home.path().join("postgres.log")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir("/");
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Postgres refuses root; then the user postgres runs it.
fn owner() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> u32 {
        let output = Command::new("id").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().expect("there is a user postgres")
    };
    (id(&["-u"]) == 0).then(|| (id(&["-u", "postgres"]), id(&["-g", "postgres"])))
}

/// Where its programs are: `PG_BIN`, as `cargo dev test` sets it; `PATH`; where Debian keeps them.
fn bin() -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "not a setting of a service: the test runner tells where Postgres is"
    )]
    let (told, path) = (std::env::var("PG_BIN").ok(), std::env::var("PATH").unwrap_or_default());
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = versions.map(|version| version.unwrap().path().join("bin"));
    let places = told.into_iter().map(PathBuf::from).chain(std::env::split_paths(&path)).chain(debian);
    let complete = |place: &PathBuf| PROGRAMS.iter().all(|program| place.join(program).is_file());
    places.into_iter().find(complete).expect("Postgres is installed (cargo dev test says how)")
}
