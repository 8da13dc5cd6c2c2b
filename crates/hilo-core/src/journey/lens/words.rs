//! The words of the lenses, as they stand in `hilo.toml` and in answers. Words only.

use serde::{Serialize, Serializer};

/// Makes a lens: its values, their words, and how they are written.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($value:ident = $word:literal: $doc:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $(#[doc = $doc] $value,)+ }

        impl $name {
            /// The words of all values, in order.
            pub const WORDS: &[&str] = &[$($word),+];

            /// The word of the value.
            pub const fn word(self) -> &'static str {
                match self { $($name::$value => $word,)+ }
            }

            /// The value with this word.
            pub fn of(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$value),)+ _ => None }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.word())
            }
        }
    };
}

words! {
    /// The position inside one purchase.
    Stage {
        Before = "precompra": "Before it.",
        During = "compra": "From the checkout to the paid order.",
        After = "poscompra": "After it.",
        Relation = "relacion": "A contact that is tied to no purchase.",
    }
}
words! {
    /// The position in the relation.
    Cycle {
        Attraction = "atraccion": "Nobody knows us yet.",
        Consideration = "consideracion": "Somebody knows us.",
        Conversion = "conversion": "The first order.",
        Retention = "retencion": "Buys again, or is being kept.",
        Loyalty = "fidelizacion": "Recommends, belongs.",
    }
}
words! {
    /// What the person does.
    Experience {
        Discovers = "descubre": "Finds us.",
        Explores = "explora": "Looks around.",
        Talks = "conversa": "Talks with us.",
        Decides = "decide": "Chooses and pays.",
        Receives = "recibe": "Gets and uses it.",
        Solves = "resuelve": "Has a problem solved.",
        Shares = "comparte": "Tells others.",
    }
}
words! {
    /// The social or relational aim that is served.
    Goal {
        Reach = "alcance": "To be seen.",
        Interaction = "interaccion": "To be used.",
        Sale = "transaccion": "To sell.",
        Service = "servicio": "To help.",
        Bond = "relacion": "To stay in touch.",
        Advocacy = "prescripcion": "To be recommended.",
    }
}
words! {
    /// Who controls the touchpoint.
    Owner {
        Owned = "owned": "The company.",
        Paid = "paid": "The company pays for it.",
        Earned = "earned": "Somebody else, unpaid.",
        Partner = "partner": "A partner.",
    }
}
words! {
    /// Who began the contact.
    Initiator {
        Person = "person": "The person.",
        Company = "company": "The company.",
        Other = "other": "Neither.",
    }
}
words! {
    /// What the touchpoint may earn in attribution.
    Role {
        Arrival = "arrival": "It brought a visit.",
        Contact = "contact": "It is a touch of its own.",
        Passive = "passive": "Credit only where the deployer wants it.",
        None = "none": "No credit.",
    }
}
