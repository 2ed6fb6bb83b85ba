//! Small histories, each of which breaks one invariant or none.
