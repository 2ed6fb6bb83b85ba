//! What a day brings: default pace, the reported flood model unscaled, 24 hours of virtual time, for 1, 3 and 5 accounts.
//!
//! `cargo run --release -p simulation --example day` prints the figures beside those that the replaced system claims.

use std::time::Duration;

use simulation::Stage;
use simulator::world::floods::FloodModel;
use simulator::world::generated::Mix;
use transfer::pace::Pace;
use transfer::task::Task;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Accounts, and the messages a day that the replaced system claims for them at most.
const CLAIMS: [(usize, usize); 3] = [(1, 1_000), (3, 3_000), (5, 6_000)];

#[tokio::main(flavor = "current_thread", start_paused = true)]
#[expect(clippy::print_stdout, reason = "its figures are its purpose")]
async fn main() {
    println!("accounts  messages  claimed  per minute  floods  calls during waits");
    let mut fell_short = false;
    for (accounts, claimed) in CLAIMS {
        let mut stage = Stage::new(120_000, Mix::default(), accounts).await;
        stage.world().floods.reset(FloodModel::reported(1.0));
        stage.submit(Task { pace: Pace::default(), ..stage.task("day") }).await;
        let host = stage.start_host("h", true);
        tokio::time::sleep(DAY).await;
        host.kill().await;
        let (messages, early) = (stage.delivered().len(), stage.world().audit.during_wait().count());
        let floods = stage.read_task("day").await.checkpoint.counts.floods;
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let per_minute = messages as f64 / (24.0 * 60.0);
        println!("{accounts:>8}  {messages:>8}  {claimed:>7}  {per_minute:>10.1}  {floods:>6}  {early:>18}");
        fell_short |= messages < claimed || early > 0;
    }
    if fell_short {
        std::process::exit(1);
    }
}
