//! Connections to Redis, set up the way metering needs them.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, RedisError};

/// How long a connection may take to stand. A local Redis needs under a millisecond; a healthy remote one under 50.
const CONNECT_WAIT: Duration = Duration::from_millis(500);

/// A connection that comes back by itself and re-sends nothing. Without response timeout: callers have their own deadlines, and
/// the library's timer would cost a wake-up per command.
pub(super) fn reconnecting(client: Client) -> Result<ConnectionManager, RedisError> {
    let config = ConnectionManagerConfig::new()
        .set_number_of_retries(0)
        .set_min_delay(Duration::from_millis(20))
        .set_max_delay(Duration::from_millis(200))
        .set_connection_timeout(Some(CONNECT_WAIT))
        .set_response_timeout(None)
        .set_pipeline_buffer_size(4096);
    ConnectionManager::new_lazy_with_config(client, config)
}

/// A connection that never comes back: when it breaks, whoever certified over it starts over.
pub(crate) async fn once(client: &Client, answer_wait: Duration) -> Result<MultiplexedConnection, RedisError> {
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_WAIT)).set_response_timeout(Some(answer_wait));
    client.get_multiplexed_async_connection_with_config(&config).await
}
