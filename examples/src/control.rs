//! Orders for operators, on a port of their own.
//!
//! Whoever can force a level can switch the service off. So the control router is not on the port that
//! serves callers, and not there at all unless there is a token:
//!
//! | variable | default |
//! | --- | --- |
//! | `CONTROL_TOKEN`: at least 16 characters that operators send | no control router |
//! | `CONTROL_LISTEN` | `127.0.0.1:9090` |
//!
//! ```sh
//! export DEGRADECTL_URL=http://127.0.0.1:9090/control DEGRADECTL_TOKEN=...
//! degradectl queue list uploads
//! ```

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use degradation::{ControlEndpoints, ControlToken, DegradationManager, TokenError};
use tokio::task::JoinHandle;

use crate::listen;

const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9_090);

/// Where orders are taken, and from whom.
#[derive(Clone, Debug)]
pub struct ControlSettings {
    /// Where to listen; port 0 is any free one.
    pub listen: SocketAddr,
    /// What operators know.
    pub token: ControlToken,
}

/// There can be no control router.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The token is of no use.
    #[error("CONTROL_TOKEN is of no use")]
    Token(#[from] TokenError),
    /// The address is none.
    #[error("CONTROL_LISTEN={0} is no address")]
    Address(String),
    /// The port is taken.
    #[error("can not listen on {addr} (CONTROL_LISTEN names it)")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl ControlSettings {
    /// What a table of variables says; None without a token. An empty variable counts as none.
    ///
    /// # Errors
    ///
    /// [`ControlError`]: a token that is too short, no address.
    pub fn from_lookup(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ControlError> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let Some(token) = get("CONTROL_TOKEN") else { return Ok(None) };
        let listen = match get("CONTROL_LISTEN") {
            Some(told) => told.parse().map_err(|_| ControlError::Address(told))?,
            None => LISTEN,
        };
        Ok(Some(Self { listen, token: ControlToken::new(&token)? }))
    }
}

/// A control router that takes orders until this is dropped.
#[derive(Debug)]
pub struct Control {
    addr: SocketAddr,
    serving: JoinHandle<io::Result<()>>,
}

impl Control {
    /// Takes orders to this manager.
    ///
    /// # Errors
    ///
    /// [`ControlError::Listen`].
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn start(
        manager: &DegradationManager,
        settings: ControlSettings,
    ) -> Result<Self, ControlError> {
        let ControlSettings { listen: addr, token } = settings;
        let listening = listen::listen(addr).await;
        let (socket, addr) = listening.map_err(|source| ControlError::Listen { addr, source })?;
        let orders = ControlEndpoints::new(manager, token).router();
        let router = Router::new().nest("/control", orders);
        let serving = tokio::spawn(axum::serve(socket, router).into_future());
        Ok(Self { addr, serving })
    }

    /// What `DEGRADECTL_URL` has to be.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/control", self.addr)
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(table: &[(&str, &str)]) -> Result<Option<ControlSettings>, ControlError> {
        let find = |name: &str| table.iter().find(|(key, _)| *key == name);
        ControlSettings::from_lookup(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn without_a_token_there_is_no_control_and_a_bad_one_is_an_error() {
        assert!(from(&[]).unwrap().is_none());
        assert!(from(&[("CONTROL_TOKEN", ""), ("CONTROL_LISTEN", "0.0.0.0:1")]).unwrap().is_none());
        let token = ("CONTROL_TOKEN", "correct horse battery staple");
        assert_eq!(from(&[token]).unwrap().unwrap().listen, LISTEN);
        let elsewhere = from(&[token, ("CONTROL_LISTEN", "127.0.0.1:0")]).unwrap().unwrap();
        assert_eq!(elsewhere.listen.port(), 0);
        assert!(matches!(from(&[("CONTROL_TOKEN", "short")]), Err(ControlError::Token(_))));
        let nowhere = from(&[token, ("CONTROL_LISTEN", "here")]);
        assert!(matches!(nowhere, Err(ControlError::Address(_))));
    }
}
