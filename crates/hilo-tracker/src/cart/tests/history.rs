//! Long histories: many acts offline, and devices on a network that loses, repeats and reloads.

use hilo_core::cart::{Dot, LineInfo, ReplicaId};

use super::*;

#[test]
fn a_thousand_acts_offline_arrive_in_messages_that_the_hub_takes() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut device = device(&ids);
    let heavy = LineInfo { url: Some("u".repeat(2_000)), ..look("Heavy") };
    for n in 0..1_000 {
        device.act(&line(&(n % 150).to_string()), Act::Add(1), &heavy, false).unwrap();
        device.seal();
    }
    assert_eq!(device.waiting(), 1_000);
    let mut device = reloaded(&device, &ids);
    talk(&mut device, &mut hub);
    let units: u32 = hub.cart.shown().map(|(_, units)| units).sum();
    assert_eq!(units, 1_000);
}

#[test]
fn logout_leaves_nothing_of_the_cart() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut device = device(&ids);
    act(&mut device, "mug", Act::Add(1));
    talk(&mut device, &mut hub);
    device.take_touchpoints();
    let before = device.stored_text();
    device.leave();
    assert!(before.contains("mug") && !device.stored_text().contains("mug"));
    assert_eq!((device.label(), device.position(), device.waiting()), ("", None, 0));
    act(&mut device, "cup", Act::Add(1));
    let dot = Dot { r: ReplicaId(1_002), n: 1 };
    assert!(device.message().unwrap().delta.ctx.contains(dot), "under a new name");
}

/// A small generator (SplitMix64), so that a failing history can be replayed by its seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// Three devices that reload, on a network that loses messages and answers and repeats old messages.
///
/// Devices only add units to the line `plus`: no such unit may be lost or doubled.
fn history(seed: u64) {
    let (ids, mut hub, mut chance) = (minted(), Hub::new("c"), Chance(seed));
    let mut devices: Vec<Replica> = (0..3).map(|_| device(&ids)).collect();
    let mut old: Vec<Message> = Vec::new();
    let (mut added, mut touched) = (0_u32, 0_i64);
    for _ in 0..60 {
        let at = chance.below(3) as usize;
        let device = &mut devices[at];
        match chance.below(12) {
            0..=2 => {
                let units = 1 + chance.below(3) as u32;
                act(device, "plus", Act::Add(units));
                added += units;
            }
            3 => act(device, "mug", Act::Add(2)),
            4 => act(device, "mug", Act::Dec(1)),
            5 => act(device, "mug", Act::Set(chance.below(4) as u32)),
            6 => {
                touched += plus(&device.take_touchpoints()) + plus(&device.drafts());
                devices[at] = reloaded(device, &ids);
            }
            7 => device.seal(),
            8 => ask_quietly(device, &hub),
            9 if !old.is_empty() => {
                let again = chance.below(old.len() as u64) as usize;
                let _ = hub.take(&old[again]);
            }
            _ => {
                let Some(message) = device.message() else { continue };
                old.push(message.clone());
                if chance.below(4) == 0 {
                    continue; // the message is lost
                }
                let answer = hub.take(&message);
                if chance.below(4) == 0 {
                    continue; // the answer is lost
                }
                let next = match answer {
                    Ok(view) => device.learn(view),
                    Err(refusal) => device.learn_refusal(hub_refusal(refusal)),
                };
                if next == Next::Ask && chance.below(2) == 0 {
                    ask_quietly(device, &hub);
                }
            }
        }
        touched += plus(&devices[at].take_touchpoints());
    }
    for device in &mut devices {
        talk(device, &mut hub);
        touched += plus(&device.take_touchpoints());
    }
    for device in &mut devices {
        ask(device, &hub);
        assert_eq!(shown(device), shown_at(&hub), "seed {seed}");
        assert_eq!(device.lost(), 0, "seed {seed}");
    }
    assert_eq!(hub.cart.qty(&line("plus")), added, "seed {seed}");
    assert_eq!(touched, i64::from(added), "seed {seed}: every unit is told once");
}

fn plus(touchpoints: &[Touchpoint]) -> i64 {
    touchpoints
        .iter()
        .filter(|touchpoint| touchpoint.line == line("plus"))
        .map(|touchpoint| touchpoint.change)
        .sum()
}

fn ask_quietly(device: &mut Replica, hub: &Hub) {
    device.learn(hub.view(device.position()));
}

#[test]
fn no_unit_is_lost_or_doubled_in_five_hundred_random_histories() {
    for seed in 0..500 {
        history(seed);
    }
}
