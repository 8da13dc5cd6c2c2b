//! When a delivery is attempted: the delays after failures, the brake before a destination that fails, and the pace of a
//! slow one.
//!
//! Numbers and times → decisions. The collector's outbox stores the times, and its consumer sends the requests.

mod brake;
mod pace;
mod retry;

pub use brake::{Brake, Brakes};
pub use pace::Pace;
pub use retry::{
    Next, PENDING_S_MAX, after_failure, after_loss_s, after_wait, chance, is_over, retry_after_s,
    wait_s,
};
