//! The message of a login: a text, or while a QR code is on show a picture. Only pictures can take a picture's place, so between the
//! two the message is sent anew; the new one is noted before the old one is removed.

use std::sync::Arc;
use std::time::Duration;

use transfer::bot::{Picture, Screen};
use transfer::ids::BotMessageId;
use transfer::screen;
use transfer::text::Locale;

use super::held::Held;
use crate::engine::Shared;
use crate::engine::chats::{Unsaid, insist_with};
use crate::qr;

/// How long the function may take to say which message shows the login.
const MESSAGE_WITHIN: Duration = Duration::from_secs(3);
const MESSAGE_LOOK: Duration = Duration::from_millis(300);
/// For how long a text is tried to be shown.
const INSIST: Duration = Duration::from_secs(60);
/// For how long a picture is: another follows.
const INSIST_PICTURE: Duration = Duration::from_secs(15);

/// Shows the login as it stands.
pub(super) async fn show(shared: &Arc<Shared>, held: &mut Held) {
    place(shared, held, None, INSIST).await;
}

/// Shows what is to be scanned. False: it was not shown.
pub(super) async fn picture(shared: &Arc<Shared>, held: &mut Held, url: &str) -> bool {
    match qr::picture(url) {
        Ok(picture) => place(shared, held, Some(&picture), INSIST_PICTURE).await,
        Err(error) => {
            tracing::error!(login = %held.login.id, %error, "a token cannot be drawn");
            false
        }
    }
}

fn rendered(shared: &Shared, held: &Held) -> Screen {
    let login = &held.login;
    let zone = shared.chats.zone_of(login.zone.as_deref());
    let locale = Locale { language: login.language, zone };
    screen::login::screen(login, &locale, shared.ports.clock.now())
}

async fn place(shared: &Arc<Shared>, held: &mut Held, picture: Option<&Picture>, within: Duration) -> bool {
    await_message(shared, held).await;
    let screen = rendered(shared, held);
    let (chat, was) = (held.login.chat, held.login.message);
    let in_place = was.filter(|_| held.login.message_is_picture == picture.is_some());
    let until = shared.ports.clock.uptime() + within;
    let shown = match insist_with(shared, chat, in_place, picture, &screen, until).await {
        Err(Unsaid::Gone(_) | Unsaid::Refused(_)) if in_place.is_some() => {
            insist_with(shared, chat, None, picture, &screen, until).await
        }
        shown => shown,
    };
    match shown {
        Ok(message) => {
            note(shared, held, message, picture.is_some()).await;
            if let Some(old) = was.filter(|old| *old != message) {
                shared.chats.remove(chat, old).await;
            }
            true
        }
        Err(why) => {
            tracing::warn!(login = %held.login.id, ?why, "a login could not be shown");
            false
        }
    }
}

/// Waits a moment for the function to note which message shows the login.
async fn await_message(shared: &Arc<Shared>, held: &mut Held) {
    let until = shared.ports.clock.uptime() + MESSAGE_WITHIN;
    while held.login.message.is_none() && shared.ports.clock.uptime() < until {
        tokio::time::sleep(MESSAGE_LOOK).await;
        if !matches!(held.refresh(shared).await, Ok(true)) {
            return;
        }
    }
}

/// Notes which message shows it now. If the process dies before, the next step sends another one.
async fn note(shared: &Arc<Shared>, held: &mut Held, message: BotMessageId, is_picture: bool) {
    if held.login.message == Some(message) && held.login.message_is_picture == is_picture && !held.login.untold {
        return;
    }
    let noted = held
        .change(shared, |login| {
            login.message = Some(message);
            login.message_is_picture = is_picture;
            login.untold = false;
        })
        .await;
    if let Err(error) = noted {
        tracing::warn!(login = %held.login.id, %error, "the message of a login was not noted");
    }
}
