//! Who is signed in where: codes, passwords, QR tokens, authorisations per key.

/// Login state of the world.
#[derive(Debug, Default)]
pub struct Login {}
