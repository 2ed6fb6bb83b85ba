//! What is shown while an account is being added, before its login begins.

use super::{Adding, AddingStep};
use crate::bot::{Button, Screen};
use crate::dialogue::menu::button;
use crate::dialogue::press::Press;
use crate::login::Way;
use crate::screen::short;
use crate::text::Locale;

/// Characters of a label.
const LABEL_LEN_SHOWN: usize = 40;

/// The question of the step.
pub(crate) fn screen(adding: &Adding, hosts_alive: bool, locale: &Locale) -> Screen {
    let step = |text: &str, word: &str| vec![button(locale, text, &Press::Step(word.to_owned()))];
    let mut rows: Vec<Vec<Button>> = Vec::new();
    let mut parts: Vec<String> = adding.notice.iter().map(|notice| notice.say(locale)).collect();
    parts.push(head(adding, locale));
    let body = match adding.step {
        AddingStep::Way => {
            rows.push(step("adding-way-qr", "way:qr"));
            rows.push(step("adding-way-code", "way:code"));
            if adding.again.is_none() {
                rows.push(step("adding-way-string", "way:string"));
            }
            "adding-way"
        }
        AddingStep::Label => {
            rows.push(step("adding-label-none", "label:-"));
            "adding-label"
        }
        AddingStep::Priority => {
            rows.push(step("adding-priority-default", "priority:0"));
            "await-priority"
        }
        AddingStep::Api => {
            rows.push(step("adding-api-none", "api:-"));
            "adding-api"
        }
        AddingStep::Phone => "adding-phone",
    };
    parts.push(locale.say(body, &[]));
    if !hosts_alive {
        parts.push(locale.say("login-no-host", &[]));
    }
    let mut last = step("wizard-back", "back");
    last.extend(step("wizard-cancel", "cancel"));
    rows.push(last);
    Screen { html: parts.join("\n\n"), buttons: rows }
}

fn head(adding: &Adding, locale: &Locale) -> String {
    let name = adding.label.as_deref().map(|label| short(label, LABEL_LEN_SHOWN)).filter(|name| !name.is_empty());
    let mut head = match (&adding.again, name) {
        (Some(account), name) => {
            let name = name.unwrap_or_else(|| short(&account.0, LABEL_LEN_SHOWN));
            locale.say("login-title-again", &[("label", name.into())])
        }
        (None, Some(name)) => locale.say("login-title-named", &[("label", name.into())]),
        (None, None) => locale.say("login-title", &[]),
    };
    let way = adding.way.filter(|_| adding.step != AddingStep::Way);
    if let Some(way) = way {
        let way = locale.say(if way == Way::Qr { "adding-by-qr" } else { "adding-by-code" }, &[]);
        head.push_str(" · ");
        head.push_str(&way);
    }
    head
}
