//! Where the program speaks to a person: lines on standard output, and progress bars above which lines can appear.
//!
//! Cloning gives another handle to the same output. Nothing else in the program writes to standard output.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressDrawTarget};

/// Standard output, or (in tests) a buffer.
#[derive(Clone)]
pub struct Terminal {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
    bars: Option<MultiProgress>,
    /// Whether bars stand there at this moment: lines must go above them.
    drawn: Arc<AtomicBool>,
}

impl Terminal {
    /// Standard output; with bars if it is a terminal.
    pub fn stdout() -> Self {
        let bars = io::stdout().is_terminal().then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stdout()));
        Self { bars, ..Self::writing_to(io::stdout()) }
    }

    /// Anything that takes bytes; never with bars.
    pub fn writing_to(out: impl Write + Send + 'static) -> Self {
        Self { out: Arc::new(Mutex::new(Box::new(out))), bars: None, drawn: Arc::default() }
    }

    /// Where bars can be drawn; `None` if lines are all there is.
    pub fn bars(&self) -> Option<&MultiProgress> {
        self.bars.as_ref()
    }

    /// Whoever draws bars says when they come and go.
    pub fn set_drawn(&self, drawn: bool) {
        self.drawn.store(drawn, Ordering::Relaxed);
    }

    /// Writes a line, above the bars if there are any. A reader that has gone is no error: the work goes on.
    pub fn line(&self, text: impl AsRef<str>) {
        let text = text.as_ref();
        match &self.bars {
            Some(bars) if self.drawn.load(Ordering::Relaxed) => drop(bars.println(text)),
            Some(_) | None => {
                let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
                drop(writeln!(out, "{text}").and_then(|()| out.flush()));
            }
        }
    }

    /// Asks for something that may be seen, and reads one line of standard input.
    ///
    /// # Errors
    /// Standard input is closed.
    pub fn ask(&self, question: &str) -> io::Result<String> {
        {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            write!(out, "{question}: ")?;
            out.flush()?;
        }
        let mut answer = String::new();
        if io::stdin().read_line(&mut answer)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(answer.trim().to_owned())
    }

    /// Asks for a secret: not shown while it is typed. Without a terminal it is read from standard input.
    ///
    /// # Errors
    /// Standard input is closed.
    pub fn ask_secret(&self, question: &str) -> io::Result<String> {
        if !io::stdin().is_terminal() {
            return self.ask(question);
        }
        rpassword::prompt_password(format!("{question}: "))
    }
}
