//! Rows for people: one below the other, each column as wide as its longest cell.

/// Lines without a break in them. The last column may be as long as it likes.
pub fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> Vec<String> {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| plain(cell)).collect()).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Whether a list may go on beyond what is shown.
pub fn is_cut(shown: usize, limit: u32) -> bool {
    shown >= usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Without control characters, which could write anything on a terminal: much of this text was written elsewhere.
pub fn plain(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let rows = [["a", "bü", "c"], ["aaa", "", "\x1b[2Jccc"]].map(|row| row.map(str::to_owned));
        assert_eq!(aligned(&rows), ["a    bü  c", "aaa      \u{fffd}[2Jccc"]);
        assert!(aligned::<2>(&[]).is_empty());
    }
}
