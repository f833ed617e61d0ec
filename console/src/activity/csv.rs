//! Activities as CSV (RFC 4180), for spreadsheets, which must not take a cell for a formula.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures::stream;
use ledger::{ActivityCursor, ActivityFilter, ActivityLine, LedgerError, READ_MAX};
use metering::AccountId;
use serde_json::Value;

use super::words;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// Most lines of one file.
pub const LINES_MAX: usize = 10_000;
const HEAD: [&str; 10] = ["at", "kind", "what", "word", "subject", "who", "why", "before", "after", "account"];
/// What stands in place of more lines.
const MORE: &str = "There are more than 10 000 lines: choose fewer days for the others.";

/// Reads pages of the book while somebody takes them. That the first one can't be read is a refusal; later it breaks the download off.
pub async fn body(service: Arc<Service>, account: Option<AccountId>, filter: ActivityFilter) -> Result<Body, Refusal> {
    let mut pages = Pages { service, account, filter, after: None, left: LINES_MAX, over: false };
    let mut first = row(&HEAD.map(str::to_owned));
    first.extend(pages.next().await?);
    let rest = stream::try_unfold(pages, |mut pages| async move {
        if pages.over {
            return Ok(None);
        }
        pages.next().await.map(|page| Some((Bytes::from(page), pages)))
    });
    let first = stream::once(async { Ok::<_, LedgerError>(Bytes::from(first)) });
    Ok(Body::from_stream(futures::StreamExt::chain(first, rest)))
}

struct Pages {
    service: Arc<Service>,
    account: Option<AccountId>,
    filter: ActivityFilter,
    after: Option<ActivityCursor>,
    left: usize,
    over: bool,
}

impl Pages {
    async fn next(&mut self) -> Result<Vec<u8>, LedgerError> {
        let lines = self.service.book.activity(self.account, &self.filter, self.after.as_ref(), READ_MAX).await?;
        let whole = lines.len() == usize::try_from(READ_MAX).unwrap_or(usize::MAX);
        let mut page: Vec<u8> = lines.iter().take(self.left).flat_map(|line| row(&cells(line))).collect();
        let more = lines.len() > self.left || (lines.len() == self.left && whole && self.has_more(&lines).await?);
        if more {
            page.extend(row(&note()));
        }
        self.left = self.left.saturating_sub(lines.len());
        self.after = lines.last().map(|line| line.cursor().clone());
        self.over = !whole || self.left == 0;
        Ok(page)
    }

    async fn has_more(&self, lines: &[ActivityLine]) -> Result<bool, LedgerError> {
        let last = lines.last().map(ActivityLine::cursor);
        Ok(!self.service.book.activity(self.account, &self.filter, last, 1).await?.is_empty())
    }
}

fn cells(line: &ActivityLine) -> [String; HEAD.len()] {
    let json = |value: &Option<Value>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    [
        show::machine(line.at),
        line.kind.as_str().to_owned(),
        words::sentence(line),
        line.what.clone(),
        line.subject.clone().unwrap_or_default(),
        words::actor(&line.actor).to_owned(),
        line.reason.clone(),
        json(&line.before),
        json(&line.after),
        line.account.map(|account| account.to_string()).unwrap_or_default(),
    ]
}

fn note() -> [String; HEAD.len()] {
    let mut cells = HEAD.map(|_| String::new());
    for (cell, text) in cells.iter_mut().zip(["", "note", MORE]) {
        text.clone_into(cell);
    }
    cells
}

/// One line of a file, quoted where it has to be.
fn row(cells: &[String]) -> Vec<u8> {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    let written = writer.write_record(cells.iter().map(|cell| defused(cell)));
    // Into memory nothing fails.
    written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default()
}

/// Spreadsheets calculate what begins like a formula, and leave alone what begins with an apostrophe.
fn defused(cell: &str) -> String {
    let apostrophe = if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
    format!("{apostrophe}{cell}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(cells: &[&str]) -> String {
        String::from_utf8(row(&cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>())).unwrap()
    }

    #[test]
    fn cells_are_quoted_where_they_must_be_and_none_is_a_formula() {
        assert_eq!(written(&["a", "b c", ""]), "a,b c,\r\n");
        assert_eq!(written(&["a,b", "say \"x\"", "two\r\nlines"]), "\"a,b\",\"say \"\"x\"\"\",\"two\r\nlines\"\r\n");
        assert_eq!(written(&["=1+1", "+1", "-1", "@x"]), "'=1+1,'+1,'-1,'@x\r\n");
        assert_eq!(written(&["\tx", "\rx", "\nx", "x=1"]), "'\tx,\"'\rx\",\"'\nx\",x=1\r\n");
    }

    #[test]
    fn the_note_has_as_many_cells_as_a_line() {
        let note = String::from_utf8(row(&note())).unwrap();
        assert_eq!(note.matches(',').count(), HEAD.len() - 1, "{note}");
        assert!(note.contains("10 000"));
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_cell_is_read_back(cells in prop::collection::vec(any::<String>(), 2..5)) {
            let text = row(&cells);
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_slice());
            let read: Vec<::csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(read.len(), 1);
            let wanted: Vec<String> = cells.iter().map(|cell| defused(cell)).collect();
            prop_assert_eq!(read[0].iter().collect::<Vec<_>>(), wanted);
        }
    }
}
