//! The simulator over real sockets: unmodified grammers, and a raw client that says what no proper client would.

#![allow(clippy::unwrap_used, reason = "whatever does not succeed here fails the test")]

mod bots;
mod client;
mod faults;
mod login;
mod raw;
mod rubbish;
mod sessions;

use simulator::server::{Config, Simulator};
use simulator::time::Clock;
use simulator::wire::switchboard::Settings;
use simulator::world::user::User;
use simulator::world::{UserId, World};

const ALICE: UserId = UserId(7_000_000_001);
const BOB: UserId = UserId(7_000_000_002);
const CAROL: UserId = UserId(7_000_000_003);

/// Alice lives in DC 2, Bob too and has a password, Carol lives in DC 4.
fn world() -> World {
    let mut world = World::new(7, Clock::real());
    let alice = User::new(ALICE, "+10000000001", "Alice");
    let mut bob = User::new(BOB, "+10000000002", "Bob");
    bob.password = Some("hunter2".to_owned());
    let mut carol = User::new(CAROL, "+10000000003", "Carol");
    carol.home_dc = 4;
    for user in [alice, bob, carol] {
        world.users.insert(user.id, user);
    }
    world
}

async fn start(settings: Settings) -> Simulator {
    Simulator::start(Config { settings, ..Config::new(world()) }).await.unwrap()
}
