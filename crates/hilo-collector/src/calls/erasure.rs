//! The erasure of a person between pipeline, profile and cart: what to erase, the steps, and how far they are. Shapes only.

use hilo_core::profile::Person;
use serde::{Deserialize, Serialize};

/// Erase a profile, and what belongs to its person elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erase {
    /// Whether the profile is a device's: then its random id is refused for ever. A user may come back.
    pub is_device: bool,
    /// Whether the profile is erased because it has moved into one that is erased. Then it knows itself whether it is a device's.
    pub by_link: bool,
    /// The hash of the device's id: it tells which guest's carts are this device's.
    pub device: Option<String>,
    /// The labels of the carts that the caller has proved to be the person's.
    pub carts: Vec<String>,
    /// The destinations that can delete a person.
    pub destinations: Vec<String>,
}

/// The answer to [`Erase`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// The name of the object that is erased: another than the one that was asked, if a user's profile has moved.
    pub name: String,
    /// How far the erasure is.
    pub standing: ErasureStanding,
    /// The object of the user's profile that the device's profile moves or has moved into. That profile stays.
    pub linked_to: Option<String>,
}

/// How far an erasure is. It contains nothing about the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErasureStanding {
    /// `erasing` or `done`.
    pub status: ErasureStatus,
    /// When it was asked for, RFC 3339.
    pub since: String,
    /// When its last step was done, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<String>,
    /// The step that it is at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// The destinations that have not deleted the person: somebody has to ask them by hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_by: Vec<String>,
}

/// Whether an erasure is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasureStatus {
    /// Its steps are under way.
    #[default]
    Erasing,
    /// All of its steps are done.
    Done,
}

/// The steps after the profile itself, in their order.
///
/// Rows of reports (D1) and the archive (R2) do not exist yet. Each of them will be a step between the journal and the
/// destinations: a variant here, and an arm in `pipeline/erasure.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The erasure of each linked device begins, so that none of them takes another event.
    Devices,
    /// The carts are deleted, and their sockets are closed.
    Carts,
    /// The deliveries that were under way come to their end.
    Deliveries,
    /// The index forgets the person's addresses.
    Addresses,
    /// The journal forgets the person's dead letters and live events.
    Journal,
    /// The erasure of each linked device is done, and the user's profile has forgotten the device.
    Links,
    /// The destinations delete the person.
    Destinations,
}

impl Step {
    /// The word of the answer and of the log.
    pub const fn name(self) -> &'static str {
        match self {
            Step::Devices => "devices",
            Step::Carts => "carts",
            Step::Deliveries => "deliveries",
            Step::Addresses => "addresses",
            Step::Journal => "journal",
            Step::Destinations => "destinations",
            Step::Links => "links",
        }
    }
}

/// The next work of an erasure.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// Asks linked devices to erase themselves, or whether they have.
    Devices {
        /// The step: they begin, or they have to be done.
        step: Step,
        /// The names of their objects.
        names: Vec<String>,
        /// The destinations that can delete a person.
        destinations: Vec<String>,
    },
    /// Erases a cart.
    Cart(CartToErase),
    /// Lets the index forget an object.
    Addresses {
        /// The object's name.
        profile: String,
        /// The keys of its addresses.
        keys: Vec<String>,
    },
    /// Lets the journal forget an object.
    Journal {
        /// The object's name.
        profile: String,
    },
    /// Lets the user's profile forget the device that had moved there.
    Leave {
        /// The user's object.
        to: String,
        /// The device's object.
        from: String,
    },
    /// Lets a destination delete the person.
    Destination(Box<Parting>),
}

impl Task {
    /// The step of the task.
    pub const fn step(&self) -> Step {
        match self {
            Task::Devices { step, .. } => *step,
            Task::Cart(_) => Step::Carts,
            Task::Addresses { .. } => Step::Addresses,
            Task::Journal { .. } => Step::Journal,
            Task::Leave { .. } => Step::Links,
            Task::Destination(_) => Step::Destinations,
        }
    }
}

/// A cart that may be the person's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartToErase {
    /// The cart's label.
    pub label: String,
    /// The cart is erased only if this holds.
    pub claim: CartClaim,
    /// When the erasure was asked for, milliseconds since the epoch. What a repeated call finds is newer, and stays.
    #[serde(default)]
    pub asked_ms: i64,
}

/// Why a cart is the person's. The cart's object checks it: anybody may write any label into an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartClaim {
    /// The caller has proved it.
    #[default]
    Proved,
    /// A guest's cart whose touchpoints are about one of these devices: the hashes of their ids.
    OfDevice(Vec<String>),
    /// A guest's cart that has moved into the cart with this label.
    MovedInto(String),
}

/// The answer of a cart that shall be erased.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartErased {
    /// The labels of the guests' carts that had moved into it. SQLite keeps the bytes of rows that were deleted, so these carts are
    /// erased too.
    pub guests: Vec<String>,
}

/// A request to a destination to delete a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Parting {
    /// The destination's name.
    pub destination: String,
    /// The person.
    pub person: Person,
    /// The number of attempts that failed.
    pub attempt: u32,
    /// Since when the request is pending, milliseconds since the epoch.
    pub since_ms: i64,
}

/// What became of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is done.
    Done,
    /// A cart is erased.
    Cart(CartErased),
    /// Linked devices were asked.
    Devices {
        /// Those that are not erased yet.
        left: Vec<String>,
        /// Whether a call of one of them failed.
        has_failed: bool,
    },
    /// It failed on our own side, and is tried again.
    Failed,
    /// It is tried again after so many seconds.
    Later {
        /// The seconds.
        after_s: u32,
    },
    /// The destination never deletes the person.
    Refused,
}
