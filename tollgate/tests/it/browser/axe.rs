//! axe-core, which reads a page as WCAG 2.2 AA asks (<https://github.com/dequelabs/axe-core>).

use serde_json::Value;

use super::Browser;

/// The rules of WCAG 2.0, 2.1 and 2.2 at levels A and AA, and what good practice adds.
const RUN: &str = r#"
const done = arguments[arguments.length - 1];
axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"] })
  .then((found) => done({
    rules: found.passes.length,
    violations: found.violations.map((rule) => ({
      id: rule.id, help: rule.help,
      nodes: rule.nodes.slice(0, 5).map((node) => node.html.slice(0, 300) + " " + (node.failureSummary || "")),
    })),
  }))
  .catch((error) => done({ failed: String(error) }));
"#;

impl Browser {
    /// What axe-core finds on the page. Without axe-core (which `cargo dev test` fetches) nobody looks.
    pub async fn findings(&self) -> Vec<Value> {
        let Some(axe) = &self.axe else {
            eprintln!("left out: there is no axe-core (cargo dev test fetches it)");
            return Vec::new();
        };
        self.run(&std::fs::read_to_string(axe).unwrap()).await;
        let found: Value = self.driver.execute_async(RUN, Vec::new()).await.unwrap().json().clone();
        assert!(found["rules"].as_u64().is_some_and(|rules| rules > 10), "axe-core looked: {found}");
        found["violations"].as_array().unwrap().clone()
    }
}
