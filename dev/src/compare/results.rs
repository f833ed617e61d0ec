//! `loadtest/RESULTS.md`: the figures of the last comparison stand between two marks; all else is written by hand.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const BEGIN: &str =
    "<!-- written by cargo dev loadtest compare --write; what stands outside of these marks is not touched -->\n";
const END: &str = "<!-- until here -->\n";

pub fn write(path: &Path, figures: &str) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let text = replaced(&text, figures).with_context(|| format!("{} has lost its marks", path.display()))?;
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

fn replaced(text: &str, figures: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let after = rest.split_once(END)?.1;
    Some(format!("{before}{BEGIN}\n{figures}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_by_hand_stays() {
        let text = format!("# Results\n\n{BEGIN}\nold\n\n{END}\n## Tried\n\nmuch\n");
        let once = replaced(&text, "new\n").unwrap();
        assert_eq!(once, format!("# Results\n\n{BEGIN}\nnew\n\n{END}\n## Tried\n\nmuch\n"));
        assert_eq!(replaced(&once, "new\n").unwrap(), once);
    }

    #[test]
    fn a_document_without_its_marks_is_left_alone() {
        assert!(replaced("# Results\n", "new\n").is_none());
    }

    #[test]
    fn the_document_has_its_marks() {
        assert!(replaced(include_str!("../../../loadtest/RESULTS.md"), "new\n").is_some());
    }
}
