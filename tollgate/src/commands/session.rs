//! `tollgate session …`

use serde_json::json;

use crate::answer::Answer;
use crate::cli::SessionCommand;
use crate::desk::Desk;
use crate::failure::Failure;

pub async fn run(desk: &Desk, command: SessionCommand) -> Result<Answer, Failure> {
    match command {
        SessionCommand::End { account, subject, version } => {
            let ended = desk.book.end_sessions(account, subject.as_ref(), version, &desk.by).await?;
            let answer = json!({
                "account": account, "subject": subject, "version": ended.version,
                "control_version": ended.control_version,
            });
            let whose = subject.map_or_else(|| "all sessions".to_owned(), |subject| format!("sessions of {subject}"));
            let version = ended.version;
            let text = format!("{account}: {whose} below version {version} are over; sign new tokens with {version}");
            Ok(Answer::new(answer, text))
        }
        SessionCommand::List { account } => {
            let found = desk.book.sessions(account).await?;
            let mut lines = vec![format!("{account}: sessions are good from version {}", found.everybody)];
            lines.extend(found.subjects.iter().map(|(subject, version)| format!("{subject}: from version {version}")));
            let answer = json!({ "account": account, "everybody": found.everybody, "subjects": found.subjects });
            Ok(Answer::new(answer, lines.join("\n")))
        }
    }
}
