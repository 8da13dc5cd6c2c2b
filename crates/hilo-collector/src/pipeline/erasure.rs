//! The steps of an erasure outside the profile's object: a task → what became of it. The object's alarm repeats what failed.
//!
//! `store/profile/erasure` has the order of the steps. Each line of the log names a step and nothing about the person.

use crate::calls::cart::{CartAsk, CartCall, Speaker, ask_cart};
use crate::calls::erasure::{
    CartErased, CartToErase, Ended, Erase, Erased, ErasureStanding, ErasureStatus, Step, Task,
};
use crate::calls::journal::forget_profile;
use crate::calls::{ProfileCall, ask_profile};
use crate::forward;
use crate::platform::{Failure, Platform, log_line};

/// The seconds after which devices that are not erased yet are asked again.
const DEVICES_AGAIN_S: u32 = 5;

/// Does one task of an erasure.
pub async fn erase<P: Platform>(task: &Task, platform: &P) -> Ended {
    let step = task.step().name();
    let done = match task {
        Task::Devices { step, names, destinations } => {
            devices(*step, names, destinations, platform).await
        }
        Task::Cart(cart) => erase_cart(cart, platform).await.map(Ended::Cart),
        Task::Journal { profile } => forget_profile(platform, profile).await.map(|()| Ended::Done),
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

/// Lets linked devices erase themselves, or waits until they have.
async fn devices<P: Platform>(
    step: Step,
    names: &[String],
    destinations: &[String],
    platform: &P,
) -> Result<Ended, Failure> {
    let mut is_done = true;
    for name in names {
        let mut standing: Option<ErasureStanding> = None;
        if step == Step::Links {
            standing = ask_profile(platform, name.clone(), &ProfileCall::Erasure).await?;
        }
        is_done &= standing.as_ref().is_some_and(|one| one.status == ErasureStatus::Done);
        if standing.is_none() {
            let destinations = destinations.to_vec();
            let erase = Erase { is_device: true, destinations, ..Erase::default() };
            let call = ProfileCall::Erase(Box::new(erase));
            let _: Erased = ask_profile(platform, name.clone(), &call).await?;
        }
    }
    if step == Step::Links && !is_done {
        return Ok(Ended::Later { after_s: DEVICES_AGAIN_S });
    }
    Ok(Ended::Done)
}

async fn erase_cart<P: Platform>(cart: &CartToErase, platform: &P) -> Result<CartErased, Failure> {
    let call = CartCall { speaker: Speaker::hilo(), ask: CartAsk::Erase(cart.claim.clone()) };
    ask_cart(platform, &cart.label, &call).await
}
