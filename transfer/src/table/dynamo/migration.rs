//! Items that older code wrote, brought to the present shape when they are read. The next write stores that shape.
//!
//! A step goes from one schema to the next, changes what is stored (attributes, not types: the types of back then are
//! gone), and cannot fail: a field that a later schema wants has a value for items that never had it. What only grew,
//! with defaults, needs no step of its own but a new number, so that older code leaves alone what it would lose.

use super::super::item::SCHEMA;
use super::attributes::AttributeMap;

/// From one schema to the next.
type Step = fn(AttributeMap) -> AttributeMap;

/// The step from schema `n` stands at `n - 1`; there is one for every schema but the present one.
const STEPS: [Step; SCHEMA as usize - 1] = [from_1];

/// The attributes as the present schema has them.
pub(super) fn upgraded(attributes: AttributeMap, schema: u32) -> AttributeMap {
    let first = usize::try_from(schema.max(1) - 1).unwrap_or(usize::MAX);
    STEPS.iter().skip(first).fold(attributes, |attributes, step| step(attributes))
}

/// Schema 2 knows tasks that were restored from a backup, and what the installation is at. Nothing that schema 1 wrote
/// reads differently; but code of schema 1 would go on with a restored task as if nothing had been delivered since.
fn from_1(attributes: AttributeMap) -> AttributeMap {
    attributes
}
