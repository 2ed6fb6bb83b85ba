//! How a command ends when it does not end well: one line for the person, and an exit status for scripts.

use std::error::Error;

use crate::engines::EnginesError;

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// What was asked for cannot be done; nothing was. Exit status 2.
    Input(String),
    /// Something went wrong on the way. Exit status 1.
    Failed(String),
    /// The person stopped it; everything is saved. Exit status 130, as shells have it.
    Interrupted(String),
}

impl Failure {
    /// Bad input, told by an error and its causes.
    pub fn input(error: &(dyn Error + 'static)) -> Self {
        Self::Input(told(error))
    }

    /// A failure on the way, told by an error and its causes.
    pub fn failed(error: &(dyn Error + 'static)) -> Self {
        Self::Failed(told(error))
    }

    /// The line for the person.
    pub fn line(&self) -> &str {
        match self {
            Self::Input(line) | Self::Failed(line) | Self::Interrupted(line) => line,
        }
    }

    /// The exit status.
    pub fn status(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Failed(_) => 1,
            Self::Interrupted(_) => 130,
        }
    }
}

/// An error with its causes in one line; causes that the error's own text repeats are left out.
pub fn told(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = next.source();
    }
    line.replace('\n', " ")
}

impl From<EnginesError> for Failure {
    fn from(error: EnginesError) -> Self {
        match error {
            EnginesError::Directory { .. }
            | EnginesError::Busy(_)
            | EnginesError::Unanswered { .. }
            | EnginesError::Table { .. }
            | EnginesError::Queue { .. } => Self::input(&error),
            EnginesError::Serve(_) | EnginesError::CreateTable(_) | EnginesError::CreateQueue(_) => {
                Self::failed(&error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::num::ParseIntError);

    #[test]
    fn causes_are_told_once_and_in_one_line() {
        let cause = "x".parse::<i32>().unwrap_err();
        assert_eq!(told(&Outer(cause)), "outer: invalid digit found in string");
        let busy = Failure::from(EnginesError::Busy("/d".into()));
        assert_eq!((busy.status(), busy.line().contains("another ferry")), (2, true));
    }
}
