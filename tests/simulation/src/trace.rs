//! What happened in a run, as a story: time, who, what, outcome.
//!
//! Kept only when somebody wants to read it: a seed repeats itself, so a failing one is run again with its trace.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

/// The story of a run. Clones are the same.
#[derive(Debug, Clone)]
pub struct Trace {
    begun: Instant,
    text: Option<Arc<Mutex<String>>>,
}

impl Trace {
    /// Nothing is kept.
    pub fn off() -> Self {
        Self { begun: Instant::now(), text: None }
    }

    /// Everything is kept.
    pub fn on() -> Self {
        Self { begun: Instant::now(), text: Some(Arc::default()) }
    }

    /// Adds a line; `what` is asked only when the line is kept.
    pub fn line(&self, who: &str, what: impl FnOnce() -> String) {
        let Some(text) = &self.text else { return };
        let millis = self.begun.elapsed().as_millis();
        let (secs, millis) = (millis / 1000, millis % 1000);
        let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
        let what = what();
        let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(&format!("{hours:02}:{minutes:02}:{secs:02}.{millis:03}  {who:<10}  {what}\n"));
    }

    /// Takes what the engine logs on this thread into the story, for as long as the guard lives.
    pub fn capture_logs(&self) -> tracing::subscriber::DefaultGuard {
        let trace = self.clone();
        let lines = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .without_time()
            .with_ansi(false)
            .with_target(false)
            .with_writer(move || LogLine(trace.clone()))
            .finish();
        tracing::subscriber::set_default(lines)
    }

    /// The story so far.
    pub fn text(&self) -> String {
        self.text.as_ref().map(|text| text.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap_or_default()
    }
}

/// A line of the engine's log on its way into the story.
struct LogLine(Trace);

impl std::io::Write for LogLine {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.line("log", || String::from_utf8_lossy(bytes).trim().to_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_line_has_its_time() {
        let trace = Trace::on();
        tokio::time::advance(Duration::from_millis(3_723_004)).await;
        trace.line("a-1", || "forwards 1..4".into());
        assert_eq!(trace.text(), "01:02:03.004  a-1         forwards 1..4\n");
        assert_eq!(Trace::off().text(), "");
    }
}
