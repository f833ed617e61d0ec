//! The keyboard alone: where the focus goes, whether it can be seen, and what a key does there.

use serde_json::Value;
use thirtyfour::Key;

use super::{Browser, flat};

/// More stops than any page of ours has.
const STOPS_MAX: usize = 400;

/// Where the focus is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Focus {
    /// `button`, `a`, `input` …
    pub kind: String,
    /// The words on it, or its label.
    pub name: String,
    /// A line around it shows it.
    pub is_visible: bool,
    /// Which of the page's elements it is.
    pub place: u64,
}

const WHERE: &str = r#"
const element = document.activeElement;
if (!element || element === document.body) return null;
const style = getComputedStyle(element);
const box = element.getBoundingClientRect();
const label = element.labels?.[0]?.textContent || element.getAttribute("aria-label") || element.textContent || "";
return {
  kind: element.localName,
  name: label.trim(),
  // A part within a field (the calendar of a date) has a line of its own, by the browser.
  visible: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1) || !element.matches(":focus"),
  inside: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0,
  place: [...document.querySelectorAll("*")].indexOf(element),
};
"#;

/// Everything that a person must be able to reach.
const REACHABLE: &str = r#"
return [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  // Of the buttons of one choice, Tab reaches the chosen one; arrows go on from there.
  .filter((element) => !element.disabled && element.type !== "hidden" && (element.type !== "radio" || element.checked))
  .filter((element) => element.checkVisibility())
  .map((element) => [[...document.querySelectorAll("*")].indexOf(element), element.outerHTML.slice(0, 160)]);
"#;

impl Browser {
    pub async fn key(&self, key: Key) {
        self.driver.action_chain().send_keys(key).perform().await.unwrap();
    }

    pub async fn types(&self, text: &str) {
        self.driver.action_chain().send_keys(text).perform().await.unwrap();
    }

    /// So that what is typed next takes the place of what stands in the field.
    pub async fn select_all(&self) {
        self.driver.action_chain().key_down(Key::Control).send_keys("a").key_up(Key::Control).perform().await.unwrap();
    }

    pub async fn focus(&self) -> Option<Focus> {
        let found = self.run(WHERE).await;
        let text = |name: &str| flat(found[name].as_str().unwrap_or_default());
        (!found.is_null()).then(|| Focus {
            kind: text("kind"),
            name: text("name"),
            is_visible: found["visible"] == Value::Bool(true) && found["inside"] == Value::Bool(true),
            place: found["place"].as_u64().unwrap(),
        })
    }

    /// Goes on by the Tab key until the focus is on what has these words.
    pub async fn tab_to(&self, words: &str) -> Focus {
        let mut met = Vec::new();
        for _ in 0..STOPS_MAX {
            self.key(Key::Tab).await;
            if let Some(focus) = self.focus().await {
                if focus.name == words {
                    return focus;
                }
                met.push(focus.name);
            }
        }
        panic!("“{words}” can't be reached by the Tab key at {}: {met:?}", self.url().await);
    }

    /// Goes through the whole page by the Tab key: everything is reached, in the order in which it stands, and is seen to have the focus.
    pub async fn is_walked_by_keyboard(&self, what: &str) {
        let wanted = self.run(REACHABLE).await;
        let wanted: Vec<(u64, String)> = serde_json::from_value(wanted).unwrap();
        let mut met: Vec<u64> = Vec::new();
        for _ in 0..STOPS_MAX {
            self.key(Key::Tab).await;
            let Some(focus) = self.focus().await else { break };
            if met.first() == Some(&focus.place) {
                break;
            }
            assert!(focus.is_visible, "{what}: nobody sees that the focus is on {focus:?}");
            met.push(focus.place);
        }
        let missed: Vec<&String> =
            wanted.iter().filter(|(place, _)| !met.contains(place)).map(|(_, element)| element).collect();
        assert!(missed.is_empty(), "{what}: the Tab key does not reach {missed:#?}");
        assert!(met.is_sorted(), "{what}: the focus jumps: {met:?}");
    }
}
