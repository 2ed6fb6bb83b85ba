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
/// Accounts, and what the replaced system claims for them: messages a day at most, messages a minute, floods a day.
const CLAIMS: [(usize, usize, &str, &str); 3] =
    [(1, 1_000, "20-30", "2-3"), (3, 3_000, "25-35", "5-8"), (5, 6_000, "30-40", "10-15")];

#[tokio::main(flavor = "current_thread", start_paused = true)]
#[expect(clippy::print_stdout, reason = "its figures are its purpose")]
async fn main() {
    println!("accounts  messages (claimed)  per minute (claimed)  floods (claimed)  calls during waits");
    let mut fell_short = false;
    for (accounts, claimed, claimed_rate, claimed_floods) in CLAIMS {
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
        println!(
            "{accounts:>8}  {messages:>8} {claimed:>9}  {per_minute:>10.1} {claimed_rate:>9}  {floods:>6} \
             {claimed_floods:>9}  {early:>18}"
        );
        fell_short |= messages < claimed || early > 0;
    }
    if fell_short {
        std::process::exit(1);
    }
}
