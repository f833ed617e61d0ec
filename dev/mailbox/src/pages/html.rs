//! Two plain pages: the list of mails, and one mail with its text beside its HTML.

use std::fmt::Write;

use crate::mails::Read;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}\
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f6;padding:1rem}iframe{width:100%;height:32rem;border:1px solid #bbb}\
td{overflow-wrap:anywhere}@media(prefers-color-scheme:dark){body{color:#e6e6ea;background:#17171a}pre{background:#232328}a{color:#9bf}}";

pub fn index(mails: &[Read]) -> String {
    let mut rows = String::new();
    for mail in mails {
        let (number, subject, to) = (mail.number, escaped(&mail.subject), escaped(&mail.to.join(", ")));
        let _ = write!(rows, "<tr><td>{number}<td><a href=\"/mails/{number}\">{subject}</a><td>{to}");
    }
    let what = if mails.is_empty() { "<p>Nothing came yet." } else { "" };
    layout(
        "Pretend mailbox",
        &format!(
            "<h1>Pretend mailbox</h1><p>Every mail that was sent, latest first. None of them left this machine.{what}\
             <table><thead><tr><th>No.<th>Subject<th>To<tbody>{rows}</table>"
        ),
    )
}

pub fn mail(mail: &Read) -> String {
    let mut headers = String::new();
    for (name, value) in &mail.headers {
        let _ = write!(headers, "<tr><th>{}<td>{}", escaped(name), escaped(value));
    }
    let (number, subject, text) = (mail.number, escaped(&mail.subject), escaped(&mail.text));
    let envelope = format!("{} to {}", escaped(&mail.from), escaped(&mail.to.join(", ")));
    layout(
        &subject,
        &format!(
            "<p><a href=\"/\">All mails</a><h1>{subject}</h1><p>Envelope: {envelope}. <a href=\"/mails/{number}/raw\">As it came</a>\
             <h2>HTML</h2><iframe sandbox src=\"/mails/{number}/html\" title=\"The mail's HTML\"></iframe>\
             <h2>Text</h2><pre>{text}</pre><h2>Headers</h2><table>{headers}</table>"
        ),
    )
}

fn layout(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style><body>{body}</html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_can_not_write_the_page_that_shows_it() {
        let mail = Read {
            number: 1,
            from: "<b>".to_owned(),
            to: vec!["<i>".to_owned()],
            encrypted: false,
            bytes: 0,
            subject: "<script>\"'&".to_owned(),
            message_id: String::new(),
            headers: vec![("<u>".to_owned(), "<s>".to_owned())],
            text: "</pre><em>".to_owned(),
            html: "<script>".to_owned(),
        };
        for page in [super::mail(&mail), index(&[mail])] {
            for tag in ["<b>", "<i>", "<u>", "<s>", "<em>", "<script"] {
                assert!(!page.contains(tag), "{tag} in {page}");
            }
        }
    }
}
