use super::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const ME: UserId = UserId(1);

fn floods(model: FloodModel) -> (Floods, ChaCha8Rng) {
    (Floods { model, ..Floods::default() }, ChaCha8Rng::seed_from_u64(5))
}

#[test]
fn a_bucket_overflows_waits_and_is_full_again() {
    let (mut floods, mut rng) = floods(FloodModel::fixed(250, 30, 1.0));
    let start = SimTime(0);
    assert!(floods.charge_messages(ME, 100, start, &mut rng).is_ok());
    assert!(floods.charge_messages(ME, 100, start, &mut rng).is_ok());
    let refusal = floods.charge_messages(ME, 100, start, &mut rng).unwrap_err();
    assert_eq!(refusal.error, RpcError::flood_wait(30));
    assert_eq!(floods.wait_until(ME, Class::Write, start), Some(SimTime(30_000)));
    assert_eq!(floods.wait_until(ME, Class::Read, start), None);
    let after = SimTime(30_000);
    assert!(floods.early(ME, Class::Write, after).is_none(), "the wait is over to the millisecond");
    assert!(floods.charge_messages(ME, 100, after, &mut rng).is_ok());
}

#[test]
fn calling_too_early_starts_the_whole_wait_again() {
    let (mut floods, mut rng) = floods(FloodModel::fixed(10, 30, 1.0));
    floods.charge_messages(ME, 10, SimTime(0), &mut rng).unwrap();
    floods.charge_messages(ME, 1, SimTime(0), &mut rng).unwrap_err();
    let again = floods.early(ME, Class::Write, SimTime(29_999)).unwrap();
    assert_eq!(again.wait_until, Some(SimTime(59_999)));
    assert_eq!(floods.wait_until(ME, Class::Write, SimTime(30_000)), Some(SimTime(59_999)));
}

#[test]
fn a_scale_divides_the_wait_and_rounds_up() {
    let (mut floods, mut rng) = floods(FloodModel::fixed(10, 30, 70.0));
    floods.charge_messages(ME, 10, SimTime(0), &mut rng).unwrap();
    let refusal = floods.charge_messages(ME, 1, SimTime(0), &mut rng).unwrap_err();
    assert_eq!(refusal.error, RpcError::flood_wait(1));
}

#[test]
fn the_reported_model_stays_within_the_reported_figures() {
    let (mut floods, mut rng) = floods(FloodModel::reported(1.0));
    let (mut now, mut sent, mut heavy) = (SimTime(0), 0_u32, 0);
    for _ in 0..20_000 {
        match floods.charge_messages(ME, 100, now, &mut rng) {
            Ok(()) => {
                sent += 100;
                now = now.plus_millis(1_000);
            }
            Err(refusal) => {
                assert!((700..=3_400).contains(&sent), "{sent} messages before a wait");
                let secs = refusal.wait_until.unwrap().since(now) / 1000;
                assert!((1_200..=86_400).contains(&secs), "{secs}");
                heavy += i32::from(secs > 3_000);
                sent = 0;
                now = refusal.wait_until.unwrap();
            }
        }
    }
    assert!(heavy > 0, "one in a hundred is heavy");
}

#[test]
fn single_messages_without_pause_meet_short_waits() {
    let (mut floods, mut rng) = floods(FloodModel::reported(1.0));
    let mut now = SimTime(0);
    let short = (0..400).find_map(|_| {
        now = now.plus_millis(100);
        floods.charge_messages(ME, 1, now, &mut rng).err()
    });
    let secs = short.unwrap().wait_until.unwrap().since(now) / 1000;
    assert!((5..=10).contains(&secs), "{secs}");
}

#[test]
fn scripts_answer_the_next_calls_and_are_used_up() {
    let (mut floods, _) = floods(FloodModel::none());
    floods.script(Script {
        account: Some(ME),
        method: Some("messages.forwardMessages".into()),
        times: 1,
        after: 1,
        code: 420,
        message: "FLOOD_WAIT_9".into(),
    });
    let mut ask = |who, method| floods.scripted(who, method, Class::Write, SimTime(0));
    assert!(ask(UserId(2), "messages.forwardMessages").is_none());
    assert!(ask(ME, "messages.getHistory").is_none());
    assert!(ask(ME, "messages.forwardMessages").is_none(), "one call passes first");
    assert_eq!(ask(ME, "messages.forwardMessages").unwrap().wait_until, Some(SimTime(9_000)));
    assert!(ask(ME, "messages.forwardMessages").is_none());
}

#[test]
fn flood_models_are_read_from_text() {
    assert_eq!(FloodModel::parse("500:30", 1.0), Ok(FloodModel::fixed(500, 30, 1.0)));
    assert!(FloodModel::parse("500", 1.0).is_err());
    assert!(FloodModel::parse("0:30", 1.0).is_err());
}
