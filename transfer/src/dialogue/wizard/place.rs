//! A source or a target, as a person names it.

use serde::{Deserialize, Serialize};

use super::answers::TITLE_LEN_MAX;
use crate::address::PeerAddress;
use crate::bot::Origin;
use crate::ids::MessageId;
use crate::screen::short;

/// A chat, as the person named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its address.
    pub address: PeerAddress,
    /// Its title, where a forwarded message told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The message that was named with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
}

impl Place {
    pub(super) fn named(address: PeerAddress) -> Self {
        Self { address, title: None, message: None }
    }

    /// The chat that a forwarded message comes from; `None` if no chat has such a number, which could not be stored.
    pub(crate) fn of_origin(origin: &Origin) -> Option<Self> {
        let by_name = origin.username.as_deref().and_then(|name| format!("@{name}").parse().ok());
        let by_number = || origin.peer.to_string().parse().ok();
        let title = short(&origin.title, TITLE_LEN_MAX);
        Some(Self {
            address: by_name.or_else(by_number)?,
            title: (!title.is_empty()).then_some(title),
            message: origin.message,
        })
    }

    /// As it is called.
    pub(crate) fn name(&self) -> String {
        self.title.clone().unwrap_or_else(|| self.address.to_string())
    }
}
