//! The answer to an inquiry, in place of "looking": what a transfer would carry, or what stands in its way.

use super::{TITLE_LEN_MAX, button, line, text};
use crate::bot::Screen;
use crate::dialogue::press::Press;
use crate::inquiry::{Answer, Count, Obstacle, Preview};
use crate::submit::NewTask;
use crate::text::{Locale, grouped};

/// The screen that takes the place of "looking".
pub fn screen(draft: &NewTask, answer: &Answer, locale: &Locale) -> Screen {
    let step = |text, step: &str| button(locale, text, &Press::Step(step.to_owned()));
    let (back, cancel) = (step("preview-back", "back"), step("preview-cancel", "cancel"));
    match answer {
        Answer::Preview(preview) => {
            let confirm = step("preview-confirm", "confirm");
            Screen { html: found(draft, preview, locale), buttons: vec![vec![confirm], vec![back, cancel]] }
        }
        Answer::Impossible { reason } => {
            let again = step("preview-again", "preview");
            let mut html = locale.say("preview-impossible", &[("title", text(&draft.title, TITLE_LEN_MAX))]);
            line(&mut html, &obstacle(reason, locale));
            Screen { html, buttons: vec![vec![again], vec![back, cancel]] }
        }
    }
}

fn found(draft: &NewTask, preview: &Preview, locale: &Locale) -> String {
    let mut html = locale.say("preview-title", &[("title", text(&draft.title, TITLE_LEN_MAX))]);
    let route = [("source", text(&preview.source, TITLE_LEN_MAX)), ("target", text(&preview.target, TITLE_LEN_MAX))];
    line(&mut html, &locale.say("preview-route", &route));
    line(&mut html, "");
    line(&mut html, &locale.say("preview-matching", &[("count", count(preview.matching).into())]));
    if preview.albums.number > 0 {
        line(&mut html, &locale.say("preview-albums", &[("count", count(preview.albums).into())]));
    }
    line(&mut html, &locale.say("preview-accounts", &[("count", preview.accounts_able.into())]));
    if preview.accounts_other > 0 {
        line(&mut html, &locale.say("preview-others", &[("count", preview.accounts_other.into())]));
    }
    line(&mut html, &locale.say("preview-open", &[]));
    let estimate = preview.estimate.map(|estimate| u64::try_from(estimate.as_secs()).unwrap_or(0));
    line(
        &mut html,
        &match estimate {
            Some(..60) => locale.say("preview-takes-moments", &[]),
            Some(secs) => locale.say("preview-takes", &[("time", locale.duration(secs).into())]),
            None => locale.say("preview-takes-unknown", &[]),
        },
    );
    html
}

fn count(count: Count) -> String {
    let number = grouped(count.number);
    if count.exact { number } else { format!("≈ {number}") }
}

/// What stands in the way, and what to do about it.
pub fn obstacle(obstacle: &Obstacle, locale: &Locale) -> String {
    match obstacle {
        Obstacle::NoAccount => locale.say("preview-obstacle-no-account", &[]),
        Obstacle::UnknownChat { address } => {
            locale.say("preview-obstacle-unknown-chat", &[("chat", text(address, TITLE_LEN_MAX))])
        }
        Obstacle::Unreadable { address } => {
            locale.say("preview-obstacle-unreadable", &[("chat", text(address, TITLE_LEN_MAX))])
        }
        Obstacle::Unpostable { address } => {
            locale.say("preview-obstacle-unpostable", &[("chat", text(address, TITLE_LEN_MAX))])
        }
        Obstacle::Protected { title } => {
            locale.say("preview-obstacle-protected", &[("chat", text(title, TITLE_LEN_MAX))])
        }
        Obstacle::SameChat { title } => {
            locale.say("preview-obstacle-same-chat", &[("chat", text(title, TITLE_LEN_MAX))])
        }
        Obstacle::NothingMatches { title } => {
            locale.say("preview-obstacle-nothing-matches", &[("chat", text(title, TITLE_LEN_MAX))])
        }
        Obstacle::AllLimited { until } => {
            locale.say("preview-obstacle-all-limited", &[("until", locale.time(*until).into())])
        }
        Obstacle::Unreachable => locale.say("preview-obstacle-unreachable", &[]),
        Obstacle::Expired => locale.say("preview-obstacle-expired", &[]),
    }
}
