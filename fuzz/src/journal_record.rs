//! Whatever stands in a gateway's journal: it is refused, or it is one record, which is the same when it is written and read again.

use metering::journal::{Record, read_frame, whole_frames, write_frame};
use serde_json::Value;

/// The input is read as a file, and once more as the content of a frame whose checksum is right.
pub fn journal_record(input: &[u8]) {
    let whole = whole_frames(input, usize::MAX);
    let (mut rest, mut read) = (input, 0);
    while let Ok(Some((record, after))) = read_frame::<Record>(rest) {
        same_again(&record);
        read += rest.len() - after.len();
        rest = after;
    }
    assert!(read <= whole && whole <= input.len(), "{read} of {whole} whole bytes were read");
    let Ok(content) = serde_json::from_slice::<Value>(input) else { return };
    let mut frame = Vec::new();
    if write_frame(&content, &mut frame).is_err() {
        assert!(frame.is_empty(), "what is refused leaves nothing behind");
        return;
    }
    assert_eq!(whole_frames(&frame, usize::MAX), frame.len());
    assert_eq!(whole_frames(&frame[..frame.len() - 1], usize::MAX), 0, "a torn record is none");
    if let Ok(Some((record, rest))) = read_frame::<Record>(&frame) {
        assert!(rest.is_empty());
        same_again(&record);
    }
}

fn same_again(record: &Record) {
    if let Record::Refused(refused) = record
        && has_fraction(&refused.detail)
    {
        return; // serde_json reads them to the last digit but one; no gateway writes any
    }
    let mut frame = Vec::new();
    write_frame(record, &mut frame).expect("what was read is short enough to be written");
    let (again, rest) = read_frame::<Record>(&frame).expect("it is whole").expect("it is there");
    assert!(rest.is_empty() && again == *record, "{record:?} came back as {again:?}");
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(has_fraction),
        Value::Object(fields) => fields.values().any(has_fraction),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_record_that_was_kept_is_one_record_or_none() {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/journal_record");
        let mut count = 0;
        for entry in std::fs::read_dir(&kept).unwrap() {
            let file = entry.unwrap().path();
            // Shown only when the test fails, and then the last line names the input.
            println!("{}", file.display());
            super::journal_record(&std::fs::read(&file).unwrap());
            count += 1;
        }
        assert!(count >= 10, "{} holds {count} inputs", kept.display());
    }
}
