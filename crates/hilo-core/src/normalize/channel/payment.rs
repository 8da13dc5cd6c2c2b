//! Hosts of payment pages and logins. A visitor who comes back from paying or from signing in was not brought by that page.
//!
//! In: a host. Out: whether it is a payment page's, or a login's. Only hosts of payment pages stand here where a company has other sites that
//! bring visitors, such as Klarna's shopping app. `normalize.unwanted_referrals` adds a shop's own
//! (<https://support.google.com/analytics/answer/10327750> has the idea and the name).

use crate::hosts::is_host_of;

/// Wallets, gateways, banks' terminals and instalments, in Europe and the Americas. Subdomains count as well.
const HOSTS: [&str; 89] = [
    "2checkout.com",
    "addonpayments.com",
    "adyen.com",
    "adyenpayments.com",
    "affirm.com",
    "afterpay.com",
    "alipay.com",
    "almapay.com",
    "aplazame.com",
    "authorize.net",
    "bambora.com",
    "bancontact.com",
    "bitpay.com",
    "bizum.com",
    "bizum.es",
    "blik.com",
    "braintreegateway.com",
    "buy.stripe.com",
    "ceca.es",
    "checkout.com",
    "checkout.stripe.com",
    "clearpay.co.uk",
    "clearpay.com",
    "conekta.com",
    "cybersource.com",
    "datatrans.com",
    "dotpay.pl",
    "ebanx.com",
    "eps-ueberweisung.at",
    "flow.cl",
    "getalma.eu",
    "gestpay.net",
    "giropay.de",
    "globalpayments.com",
    "gocardless.com",
    "hooks.stripe.com",
    "ideal.nl",
    "ifthenpay.com",
    "iupay.es",
    "login.klarna.com",
    "mbway.pt",
    "mercadopago.com",
    "mollie.com",
    "monei.com",
    "multisafepay.com",
    "nexi.it",
    "ogone.com",
    "openpay.mx",
    "opayo.eu",
    "pagseguro.uol.com.br",
    "pay.google.com",
    "pay.klarna.com",
    "pay.shopify.com",
    "paycomet.com",
    "payconiq.com",
    "paydirekt.de",
    "payline.com",
    "payments.klarna.com",
    "payone.com",
    "paypal.com",
    "payplug.com",
    "paysafe.com",
    "paysafecard.com",
    "paytpv.com",
    "paytrail.com",
    "payu.com",
    "payulatam.com",
    "payzen.eu",
    "przelewy24.pl",
    "quickpay.net",
    "redsys.es",
    "saferpay.com",
    "sagepay.com",
    "satispay.com",
    "scalapay.com",
    "sequra.com",
    "sequra.es",
    "sequrapi.com",
    "sermepa.es",
    "sips-services.com",
    "skrill.com",
    "sofort.com",
    "tpay.com",
    "transbank.cl",
    "trustly.com",
    "twint.ch",
    "vivapayments.com",
    "worldpay.com",
    "wompi.co",
];
/// Hosts on which banks ask their customers to confirm a card payment (3-D Secure). Each bank has some of its own.
const SECURE_HOSTS: [&str; 6] = [
    "3dsecure.io",
    "arcot.com",
    "cardinalcommerce.com",
    "rsa3dsauth.com",
    "securesuite.net",
    "wlp-acs.com",
];

/// Hosts on which visitors sign in with an account of another company.
const LOGIN_HOSTS: [&str; 8] = [
    "accounts.google.com",
    "appleid.apple.com",
    "auth0.com",
    "login.live.com",
    "login.microsoftonline.com",
    "login.yahoo.com",
    "okta.com",
    "login.salesforce.com",
];

/// Whether a login has this host.
pub(super) fn is_login(host: &str) -> bool {
    LOGIN_HOSTS.iter().any(|known| is_host_of(host, known))
}

/// Whether a payment page has this host.
pub(super) fn is_payment(host: &str) -> bool {
    HOSTS.iter().chain(&SECURE_HOSTS).any(|known| is_host_of(host, known))
        || is_amazon_pay(host)
        || host.split('.').next().is_some_and(is_secure_label)
}

/// Amazon Pay has a host in each country.
fn is_amazon_pay(host: &str) -> bool {
    ["pay.amazon.", "payments.amazon."].iter().any(|start| host.starts_with(start))
}

/// Whether the first label of a host names 3-D Secure: `3ds2.bank.example`, `acs.bank.example`.
fn is_secure_label(label: &str) -> bool {
    label == "acs" || label.starts_with("acs-") || label.contains("3ds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payment_pages_are_known_and_their_companies_other_sites_are_not() {
        for host in [
            "paypal.com",
            "checkout.stripe.com",
            "pay.klarna.com",
            "checkoutshopper-live.adyen.com",
            "sis.redsys.es",
            "pay.amazon.es",
            "acs.bank.example",
            "3ds2.bank.example",
        ] {
            assert!(is_payment(host), "{host}");
        }
        for host in ["stripe.com", "klarna.com", "notpaypal.com", "amazon.es", "facs.example"] {
            assert!(!is_payment(host), "{host}");
        }
    }
}
