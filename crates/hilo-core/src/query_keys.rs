//! Query keys with which campaigns and advertisers mark an address.
//!
//! One list for both sides: the page opens a session by its keys, the edge reads touches from its rows. In the page only
//! the keys are left, as one text.

/// Makes of one list of click ids the edge's rows and the page's text.
macro_rules! click_ids {
    ($($key:literal, $source:literal, $medium:literal;)+) => {
        /// Click ids: the query key, the site that sets it, and the medium it stands for where no campaign names one.
        #[cfg(feature = "edge")]
        pub const CLICK_IDS: &[(&str, &str, &str)] = &[$(($key, $source, $medium)),+];

        /// Every key that says that a new campaign brought the visitor, with blanks between them.
        pub const CAMPAIGN_KEYS: &str =
            concat!("utm_source utm_medium utm_campaign utm_id", $(" ", $key),+);
    };
}

click_ids! {
    "gclid", "google", "cpc";
    "gbraid", "google", "cpc";
    "wbraid", "google", "cpc";
    "dclid", "google", "display";
    "msclkid", "bing", "cpc";
    "yclid", "yandex", "cpc";
    "ttclid", "tiktok", "paid-social";
    "twclid", "twitter", "paid-social";
    "li_fat_id", "linkedin", "paid-social";
    "ScCid", "snapchat", "paid-social";
    "rdt_cid", "reddit", "paid-social";
    "epik", "pinterest", "paid-social";
    // Facebook marks every link that leads away, paid or not: the key names the site and says nothing about money.
    "fbclid", "facebook", "social";
    "igshid", "instagram", "social";
}
