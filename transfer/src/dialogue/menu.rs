//! The main menu and the help, and the menu of commands that Telegram shows.

use crate::bot::{Button, CommandHint, Screen};
use crate::dialogue::press::Press;
use crate::text::{Language, Locale, say};

/// The commands that the menu lists, in its order.
const COMMANDS: [&str; 8] = ["start", "transfer", "tasks", "session", "stats", "settings", "help", "cancel"];

/// The commands for Telegram's own menu.
pub fn commands(language: Language) -> Vec<CommandHint> {
    let hint = |command: &&str| CommandHint {
        command: (*command).to_owned(),
        description: say(language, &format!("command-{command}"), &[]),
    };
    COMMANDS.iter().map(hint).collect()
}

/// A button with a text of this name.
pub fn button(locale: &Locale, text: &str, press: &Press) -> Button {
    Button { text: locale.say(text, &[]), data: press.to_string() }
}

/// The main menu.
pub fn menu(locale: &Locale) -> Screen {
    let button = |text, press| button(locale, text, &press);
    Screen {
        html: locale.say("menu", &[]),
        buttons: vec![
            vec![button("menu-new", Press::NewTransfer), button("menu-tasks", Press::Tasks(0))],
            vec![button("menu-pool", Press::Pool), button("menu-stats", Press::Statistics)],
            vec![button("menu-settings", Press::Settings), button("menu-help", Press::Help)],
        ],
    }
}

/// What Ferry can do, and how.
pub fn help(locale: &Locale) -> Screen {
    Screen {
        html: locale.say("help", &[]),
        buttons: vec![vec![
            button(locale, "menu-new", &Press::NewTransfer),
            button(locale, "button-menu", &Press::Menu),
        ]],
    }
}
