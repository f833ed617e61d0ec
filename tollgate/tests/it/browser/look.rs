//! How a page is shown: light or dark, wide or narrow; and whether it fits.

use serde_json::{Value, json};

use super::{Browser, WIDE};

/// A small telephone: 320 CSS pixels wide, the width that WCAG 2.2 asks for (1.4.10).
const NARROW: (u32, u32) = (320, 800);

const PICTURE: (u32, u32) = (1200, 1500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Light,
    Dark,
}

impl Browser {
    /// As a system that likes it light or dark.
    pub async fn look(&self, look: Look) {
        let value = if look == Look::Dark { "dark" } else { "light" };
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": value },
            // Nothing moves, so that what is looked at is what stands there.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.driver.cdp().send_raw("Emulation.setEmulatedMedia", features).await.unwrap();
    }

    pub async fn narrow(&self) {
        self.size(NARROW).await;
    }

    pub async fn wide(&self) {
        self.size(WIDE).await;
    }

    async fn size(&self, (width, height): (u32, u32)) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", metrics).await.unwrap();
    }

    /// What reaches beyond the window, so that the page must be scrolled sideways.
    pub async fn too_wide(&self) -> Vec<Value> {
        self.run(WIDER_THAN_THE_WINDOW).await.as_array().cloned().unwrap_or_default()
    }

    /// A picture of what stands at the top of the page, as PNG.
    pub async fn picture(&self) -> Vec<u8> {
        self.size(PICTURE).await;
        let png = self.driver.screenshot_as_png().await.unwrap();
        self.wide().await;
        png
    }

    /// A picture of the whole page at a width, as PNG.
    pub async fn whole_picture(&self, width: u32) -> Vec<u8> {
        self.size((width, 800)).await;
        let height = self.run("return document.documentElement.scrollHeight").await.as_u64().unwrap_or(800);
        self.size((width, u32::try_from(height.min(6_000)).unwrap())).await;
        self.driver.screenshot_as_png().await.unwrap()
    }

    /// Runs a script in the page; what it returns, once a promise is kept.
    pub async fn run(&self, script: &str) -> Value {
        self.driver.execute(script, Vec::new()).await.unwrap().json().clone()
    }
}

/// The elements that reach beyond the window, unless they scroll in a box of their own.
const WIDER_THAN_THE_WINDOW: &str = r#"
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth <= width) return [];
const boxed = (element) => {
  for (let above = element.parentElement; above; above = above.parentElement) {
    if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(above).overflowX)) return true;
  }
  return false;
};
const out = [...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > width + 1 && !boxed(element))
  .map((element) => element.outerHTML.slice(0, 200));
return out.length ? out : ["the page is " + document.documentElement.scrollWidth + " wide"];
"#;
