//! Conversations with the bot, written down as people see them: `>` is what the admin does, `<` what the bot shows, `[ ]`
//! are buttons, `( )` short answers to presses.

mod mistakes;
mod repeats;
mod stage;
mod story;
