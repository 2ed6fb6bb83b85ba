//! A seed is the whole story: run again, in another thread, in another order and beside others, it tells the same, byte for
//! byte. What hangs on the order of a hash map, on real time or on what ran before on the thread would show here; each
//! thread's hash maps have keys of their own. Two processes are compared where the program is tested.

use simulation::{Fault, Options, run};

const SEEDS: std::ops::Range<u64> = 0..60;

fn story(seed: u64) -> String {
    let faults = Fault::ALL.iter().copied().collect();
    run(seed, &Options { faults, trace: true }).trace
}

#[test]
fn a_seed_tells_the_same_story_in_every_thread_and_order() {
    let (upwards, downwards) = std::thread::scope(|scope| {
        let upwards = scope.spawn(|| SEEDS.map(story).collect::<Vec<_>>());
        let downwards = scope.spawn(|| SEEDS.rev().map(story).collect::<Vec<_>>());
        (upwards.join().unwrap(), downwards.join().unwrap())
    });
    for ((seed, one), other) in SEEDS.zip(&upwards).zip(downwards.iter().rev()) {
        let first = one.lines().zip(other.lines()).find(|(one, other)| one != other);
        assert!(one == other, "seed {seed} tells two stories: {first:#?}");
        assert!(one.lines().count() > 20, "seed {seed} tells nothing: {one}");
    }
}
