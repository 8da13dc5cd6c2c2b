//! The steps of an erasure outside the profile's object: a task → what became of it. The object's alarm repeats what failed.
//!
//! `store/profile/erasure` has the order of the steps. Each line of the log names a step and nothing about the person.

use crate::calls::cart::{CartAsk, CartCall, Speaker, ask_cart};
use crate::calls::erasure::{
    CartErased, CartToErase, Ended, Erase, Erased, ErasureStanding, ErasureStatus, Step, Task,
};
use crate::calls::index::forget_keys;
use crate::calls::journal::forget_profile;
use crate::calls::{ProfileCall, ask_profile};
use crate::forward;
use crate::platform::{Failure, Platform, log_line};

/// Does one task of an erasure.
pub async fn erase<P: Platform>(task: &Task, platform: &P) -> Ended {
    let step = task.step().name();
    let done = match task {
        Task::Devices { step, names, destinations } => {
            Ok(devices(*step, names, destinations, platform).await)
        }
        Task::Cart(cart) => erase_cart(cart, platform).await.map(Ended::Cart),
        Task::Addresses { profile, keys } => {
            forget_keys(keys, profile, platform).await.map(|()| Ended::Done)
        }
        Task::Journal { profile } => forget_profile(platform, profile).await.map(|()| Ended::Done),
        Task::Leave { to, from } => leave(to, from, platform).await,
        Task::Destination(parting) => Ok(forward::part(parting, platform).await),
    };
    match done {
        Ok(ended) => {
            platform.log(&log_line("info", "erasure", &[("step", step)]));
            ended
        }
        Err(failure) => {
            let why = [("step", step), ("why", failure.message())];
            platform.log(&log_line("warn", "erasure", &why));
            Ended::Failed
        }
    }
}

/// Lets linked devices erase themselves, or asks whether they have. One whose call fails keeps no other back.
async fn devices<P: Platform>(
    step: Step,
    names: &[String],
    destinations: &[String],
    platform: &P,
) -> Ended {
    let (mut left, mut has_failed) = (Vec::new(), false);
    for name in names {
        let is_done = match device(step, name, destinations, platform).await {
            Ok(is_done) => is_done,
            Err(failure) => {
                let why = [("step", step.name()), ("why", failure.message())];
                platform.log(&log_line("warn", "erasure", &why));
                has_failed = true;
                false
            }
        };
        if !is_done {
            left.push(name.clone());
        }
    }
    Ended::Devices { left, has_failed }
}

/// Returns whether the erasure of a linked device is done.
async fn device<P: Platform>(
    step: Step,
    name: &str,
    destinations: &[String],
    platform: &P,
) -> Result<bool, Failure> {
    if step == Step::Links {
        let standing: Option<ErasureStanding> =
            ask_profile(platform, name.to_owned(), &ProfileCall::Erasure).await?;
        if let Some(standing) = standing {
            return Ok(standing.status == ErasureStatus::Done);
        }
    }
    let destinations = destinations.to_vec();
    let erase = Erase { by_link: true, destinations, ..Erase::default() };
    let call = ProfileCall::Erase(Box::new(erase));
    let _: Erased = ask_profile(platform, name.to_owned(), &call).await?;
    Ok(false)
}

/// Lets the user's profile forget a device.
async fn leave<P: Platform>(to: &str, from: &str, platform: &P) -> Result<Ended, Failure> {
    let call = ProfileCall::Leave { from: from.to_owned() };
    let () = ask_profile(platform, to.to_owned(), &call).await?;
    Ok(Ended::Done)
}

async fn erase_cart<P: Platform>(cart: &CartToErase, platform: &P) -> Result<CartErased, Failure> {
    let call = CartCall { speaker: Speaker::hilo(), ask: CartAsk::Erase(cart.clone()) };
    ask_cart(platform, &cart.label, &call).await
}
