//! Asks servers whether they can serve, where the settings want it.

use std::sync::Weak;
use std::time::Duration;

use config::routes::Timeouts;
use config::upstream::HealthCheck;
use futures::future::join_all;
use pingora::connectors::http::Connector;
use pingora::http::RequestHeader;
use pingora::prelude::HttpPeer;
use pingora::protocols::http::client::HttpSession;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::group::Group;
use super::server::Server;

/// For as long as the group lives.
pub async fn keep_checking(group: Weak<Group>) {
    let Some(rule) = group.upgrade().and_then(|group| group.settings().health.clone()) else { return };
    let connector = Connector::new(None);
    loop {
        let Some(group) = group.upgrade() else { return };
        join_all(group.servers().iter().map(|server| check(&connector, &group, server, &rule))).await;
        drop(group);
        tokio::time::sleep(rule.every).await;
    }
}

async fn check(connector: &Connector, group: &Group, server: &Server, rule: &HealthCheck) {
    let found = timeout(rule.timeout, ask(connector, group, server, rule)).await;
    let why = match found {
        Ok(Ok(())) => String::new(),
        Ok(Err(why)) => why,
        Err(_) => format!("no answer within {} ms", rule.timeout.as_millis()),
    };
    let (url, name) = (&server.address, group.name());
    match server.standing.checked(why.is_empty(), rule) {
        Some(true) => tracing::info!(server = %url, upstream = %name, "{url} of upstream {name} is healthy again"),
        Some(false) => {
            tracing::warn!(server = %url, upstream = %name, "{url} of upstream {name} is not healthy: {why}");
        }
        None => return,
    }
    group.show_standing();
}

async fn ask(connector: &Connector, group: &Group, server: &Server, rule: &HealthCheck) -> Result<(), String> {
    let Some(path) = &rule.path else {
        let socket = server.socket().ok_or("its name is not resolved")?;
        return TcpStream::connect(socket).await.map(drop).map_err(|error| error.to_string());
    };
    let timeouts = Timeouts { connect: rule.timeout, response: rule.timeout, write: rule.timeout };
    let peer = server.peer(group.manner(), &timeouts).ok_or("its name is not resolved")?;
    let status = get(connector, &peer, server, path).await.map_err(|error| error.etype().as_str().to_owned())?;
    if (200..300).contains(&status) { Ok(()) } else { Err(format!("it answers {status}")) }
}

async fn get(connector: &Connector, peer: &HttpPeer, server: &Server, path: &str) -> pingora::Result<u16> {
    let mut header = RequestHeader::build("GET", path.as_bytes(), None)?;
    header.insert_header("Host", server.host())?;
    let (mut session, _) = connector.get_http_session(peer).await?;
    session.set_read_timeout(peer.options.read_timeout);
    session.write_request_header(Box::new(header)).await?;
    session.finish_request_body().await?;
    session.read_response_header().await?;
    let status = session.response_header().map_or(0, |header| header.status.as_u16());
    match session {
        HttpSession::H2(_) => connector.release_http_session(session, peer, Some(Duration::from_mins(1))).await,
        // The rest of the answer is of no interest, and so this connection can't be used again.
        mut other => other.shutdown().await,
    }
    Ok(status)
}
