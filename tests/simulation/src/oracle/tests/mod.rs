//! Small histories. The honest one breaks nothing; each of the others breaks one invariant, which must be seen.

mod calls;
mod history;
mod story;
