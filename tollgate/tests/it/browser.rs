//! A real Chromium, driven by `WebDriver` as a person would use it: things are found by the words on them.

mod axe;
mod keyboard;
mod look;

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use metering::testing::free_port;
use serde_json::json;
use tempfile::TempDir;
use thirtyfour::prelude::{By, WebDriver, WebDriverResult, WebElement};
use thirtyfour::{ChromiumLikeCapabilities, DesiredCapabilities};

use crate::stack::{PATIENCE, wait_until};

pub use look::Look;

/// How often a page is looked at while something is waited for.
const PAUSE: Duration = Duration::from_millis(20);
/// A desktop's window.
const WIDE: (u32, u32) = (1280, 900);

/// Whether pages may run scripts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    On,
    Off,
}

/// One window. It ends with this value.
pub struct Browser {
    driver: WebDriver,
    _program: Chromedriver,
    axe: Option<PathBuf>,
}

impl Browser {
    /// `None`, with a word, where there is no Chromium: CI has one in any case.
    pub async fn start(scripts: Scripts) -> Option<Self> {
        let program = Chromedriver::start()?;
        let mut wanted = DesiredCapabilities::chrome();
        let size = format!("--window-size={},{}", WIDE.0, WIDE.1);
        // A container has neither namespaces for a sandbox nor a large /dev/shm; all pages are our own.
        for flag in
            ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars", &size]
        {
            wanted.add_arg(flag).unwrap();
        }
        wanted.add_arg(&format!("--user-data-dir={}", program.home.path().join("profile").display())).unwrap();
        if scripts == Scripts::Off {
            let setting = json!({ "profile.managed_default_content_settings.javascript": 2 });
            wanted.add_experimental_option("prefs", setting).unwrap();
        }
        let url = format!("http://127.0.0.1:{}", program.port);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        wait_until("chromedriver answers", async || http.get(format!("{url}/status")).send().await.is_ok()).await;
        let driver = WebDriver::new(url, wanted).await.unwrap_or_else(|error| panic!("{error}\n{}", program.log()));
        // It all ends with the program below; saying goodbye first would only take time.
        driver.clone().leak().unwrap();
        Some(Self { driver, _program: program, axe: variable("TOLLGATE_TEST_AXE") })
    }

    pub async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    /// Leaves for nowhere, so that no stream of the page is under way any more.
    pub async fn leaves(&self) {
        self.open("about:blank").await;
    }

    pub async fn refresh(&self) {
        self.driver.refresh().await.unwrap();
    }

    pub async fn url(&self) -> String {
        self.driver.current_url().await.unwrap().to_string()
    }

    /// What a person reads on the page, in one line.
    pub async fn text(&self) -> String {
        match self.driver.find(By::Css("body")).await {
            Ok(body) => flat(&body.text().await.unwrap_or_default()),
            Err(_) => String::new(), // between two pages
        }
    }

    /// Until the page says this.
    pub async fn sees(&self, words: &str) {
        self.becomes(words, async || self.text().await.contains(words)).await;
    }

    /// The page says none of this now.
    pub async fn does_not_see(&self, words: &str) {
        let text = self.text().await;
        assert!(!text.contains(words), "{words} stands on {}:\n{text}", self.url().await);
    }

    /// Loads the page anew until it says this: for what only a new page shows.
    pub async fn sees_after_refresh(&self, words: &str) {
        self.becomes(words, async || {
            self.refresh().await;
            self.text().await.contains(words)
        })
        .await;
    }

    async fn becomes(&self, words: &str, condition: impl AsyncFn() -> bool) {
        let started = Instant::now();
        while !condition().await {
            let late = started.elapsed() > PATIENCE;
            assert!(!late, "waited in vain for “{words}” at {}:\n{}", self.url().await, self.text().await);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Presses the button, follows the link or opens the fold with these words on it.
    pub async fn press(&self, words: &str) {
        // The page may be exchanged between finding and pressing.
        self.becomes(words, async || self.named(words).await.click().await.is_ok()).await;
    }

    /// The button, link or fold with these words on it.
    pub async fn named(&self, words: &str) -> WebElement {
        let words = quoted(words);
        let kinds = ["button", "a", "summary"].map(|kind| format!("//{kind}[normalize-space(.)={words}]"));
        self.one(&kinds.join(" | "), &words).await
    }

    /// The field with this label.
    pub async fn field(&self, label: &str) -> WebElement {
        let words = quoted(label);
        let path = format!(
            "//*[@id=//label[normalize-space(.)={words}]/@for] | //label[normalize-space(.)={words}]//input | \
             //*[(self::input or self::select or self::textarea)][@aria-label={words}]"
        );
        self.one(&path, label).await
    }

    /// Types into a field, in the place of what stood there.
    pub async fn fill(&self, label: &str, value: &str) {
        let field = self.field(label).await;
        field.clear().await.unwrap();
        field.send_keys(value).await.unwrap();
    }

    /// Sets a field that is not typed into as other fields are: a day and a time.
    pub async fn set(&self, label: &str, value: &str) {
        let arguments = vec![self.field(label).await.to_json().unwrap(), json!(value)];
        self.driver.execute("arguments[0].value = arguments[1]", arguments).await.unwrap();
    }

    /// Chooses from a list by the words of the choice.
    pub async fn choose(&self, label: &str, choice: &str) {
        let path = format!(".//option[normalize-space(.)={}]", quoted(choice));
        self.field(label).await.find(By::XPath(path)).await.unwrap().click().await.unwrap();
    }

    /// What stands in a row of a description list: the value of a name.
    pub async fn value_of(&self, name: &str) -> String {
        self.read_value(name).await.unwrap()
    }

    async fn read_value(&self, name: &str) -> WebDriverResult<String> {
        let path = format!("//dt[normalize-space(.)={}]/following-sibling::dd[1]", quoted(name));
        Ok(flat(&self.one(&path, name).await.text().await?))
    }

    /// Until the value of a name is this: what a page says of a change may still stand there from the change before.
    pub async fn value_becomes(&self, name: &str, value: &str) {
        // The page may be exchanged between finding and reading.
        self.becomes(value, async || self.read_value(name).await.is_ok_and(|read| read == value)).await;
    }

    /// The only element that a selector finds, once the page has it.
    pub async fn element(&self, css: &str) -> WebElement {
        self.found(By::Css(css), css).await
    }

    pub async fn elements(&self, css: &str) -> Vec<WebElement> {
        self.driver.find_all(By::Css(css)).await.unwrap()
    }

    async fn one(&self, path: &str, what: &str) -> WebElement {
        self.found(By::XPath(path), what).await
    }

    /// Waits for an element: a page may still be on its way after what asked for it was pressed.
    async fn found(&self, by: By, what: &str) -> WebElement {
        let started = Instant::now();
        loop {
            match self.driver.find(by.clone()).await {
                Ok(element) => return element,
                Err(_) if started.elapsed() <= PATIENCE => tokio::time::sleep(PAUSE).await,
                Err(error) => panic!("{what} is not at {}: {error}\n{}", self.url().await, self.text().await),
            }
        }
    }
}

/// The program that drives Chromium, and all it started, in a group of processes of its own.
struct Chromedriver {
    child: Child,
    port: u16,
    home: TempDir,
}

impl Chromedriver {
    fn start() -> Option<Self> {
        let Some(program) = variable("TOLLGATE_TEST_CHROMEDRIVER") else {
            eprintln!("left out: there is no Chromium with a chromedriver (cargo dev test installs it where it may)");
            return None;
        };
        let (port, home) = (free_port(), TempDir::new().unwrap());
        let log = File::create(home.path().join("log")).unwrap();
        let child = Command::new(program)
            .arg(format!("--port={port}"))
            // What it leaves behind is gone with the test.
            .env("TMPDIR", home.path())
            .env("HOME", home.path())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Some(Self { child, port, home })
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        // Chromium outlives a driver that is killed alone.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status(); // already gone is as good
        let _ = self.child.wait();
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

/// Thin spaces of numbers are spaces to who reads, and lines end where there is room.
fn flat(text: &str) -> String {
    text.replace('\u{202f}', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As `XPath` writes a text.
fn quoted(words: &str) -> String {
    if words.contains('\'') { format!("\"{words}\"") } else { format!("'{words}'") }
}
