/**
 * Consent tools as page fixtures: each has the interface that its documentation names, and nothing else. `tool.accept()` and
 * `tool.reject()` are the visitor's clicks. Each function runs in the page and refers to nothing outside.
 */
type Json = any;

/** A tool: what installs it, and the attributes of hilo's tag. */
export interface Fixture {
  attributes: string;
  install: () => void;
  /** The method and the signal's name in the record. */
  method: string;
  signal: string;
}

export const tools: Record<string, Fixture> = {
  onetrust: {
    attributes: 'data-consent="onetrust"',
    method: "tool",
    signal: "onetrust",
    install() {
      const w = window as Json;
      let isClosed = false;
      const Groups = ["C0001", "C0002", "C0003", "C0004"].map((OptanonGroupId) => ({ OptanonGroupId }));
      w.OneTrust = { IsAlertBoxClosed: () => isClosed, GetDomainData: () => ({ Groups }) };
      const tell = (groups: string) => {
        w.OnetrustActiveGroups = groups;
        w.dispatchEvent(new CustomEvent("OneTrustGroupsUpdated", { detail: groups.split(",").filter(Boolean) }));
      };
      // On every load too, with what is active without a choice: everything, where a region asks nobody.
      tell(",C0001,C0002,C0003,C0004,");
      const chosen = (groups: string) => ((isClosed = true), tell(groups), w.dispatchEvent(new Event("OTConsentApplied")));
      w.tool = { accept: () => chosen(",C0001,C0002,C0003,C0004,"), reject: () => chosen(",C0001,") };
    },
  },
  cookiebot: {
    attributes: 'data-consent="cookiebot"',
    method: "tool",
    signal: "cookiebot",
    install() {
      const w = window as Json;
      w.Cookiebot = { hasResponse: false, consent: { necessary: true, preferences: false, statistics: false, marketing: false } };
      w.dispatchEvent(new Event("CookiebotOnDialogDisplay"));
      const chosen = (yes: boolean) => {
        w.Cookiebot.hasResponse = true;
        w.Cookiebot.consent = { necessary: true, preferences: yes, statistics: yes, marketing: yes, method: "explicit" };
        for (const name of ["CookiebotOnConsentReady", yes ? "CookiebotOnAccept" : "CookiebotOnDecline"]) w.dispatchEvent(new Event(name));
      };
      w.tool = { accept: () => chosen(true), reject: () => chosen(false) };
    },
  },
  "usercentrics 3": {
    attributes: 'data-consent="usercentrics"',
    method: "tool",
    signal: "usercentrics",
    install() {
      const w = window as Json;
      let type = "IMPLICIT";
      let state = "ALL_ACCEPTED";
      w.__ucCmp = {
        isInitialized: () => Promise.resolve(true),
        getConsentDetails: () => Promise.resolve({ consent: { type }, categories: { essential: { state: "ALL_ACCEPTED" }, functional: { state }, marketing: { state }, statistics: { state } } }),
      };
      w.dispatchEvent(new Event("UC_UI_INITIALIZED"));
      const chosen = (how: string, all: string) => {
        [type, state] = ["EXPLICIT", all];
        w.dispatchEvent(new CustomEvent("UC_UI_CMP_EVENT", { detail: { source: "BUTTON", type: how } }));
      };
      w.tool = { accept: () => chosen("ACCEPT_ALL", "ALL_ACCEPTED"), reject: () => chosen("DENY_ALL", "ALL_DENIED") };
    },
  },
  "usercentrics 2": {
    attributes: 'data-consent="usercentrics"',
    method: "tool",
    signal: "usercentrics",
    install() {
      const w = window as Json;
      let status = true;
      let type = "implicit";
      const service = (categorySlug: string, isOn = status) => ({ categorySlug, consent: { status: isOn, history: [{ type }] } });
      w.UC_UI = {
        isInitialized: () => true,
        getServicesBaseInfo: () => [service("essential", true), service("functional"), service("marketing"), service("marketing"), service("statistics")],
      };
      const chosen = (yes: boolean) => {
        [status, type] = [yes, "explicit"];
        w.dispatchEvent(new CustomEvent("ucEvent", { detail: { event: "consent_status", type: "explicit", ucCategory: { marketing: yes } } }));
      };
      w.tool = { accept: () => chosen(true), reject: () => chosen(false) };
    },
  },
  didomi: {
    attributes: 'data-consent="didomi"',
    method: "tool",
    signal: "didomi",
    install() {
      const w = window as Json;
      let isMissing = true;
      let enabled = false;
      const ids = ["measure_content_performance", "select_basic_ads", "create_ads_profile", "select_personalized_ads"];
      w.Didomi = {
        isConsentRequired: () => true,
        shouldUserStatusBeCollected: () => isMissing,
        getCurrentUserStatus: () => ({ purposes: Object.fromEntries(ids.map((id) => [id, { id, enabled }])), vendors: {} }),
      };
      const ready = w.didomiOnReady ?? [];
      w.didomiOnReady = { push: (callback: (tool: Json) => void) => callback(w.Didomi) };
      ready.forEach(w.didomiOnReady.push);
      w.didomiEventListeners ??= [];
      const chosen = (yes: boolean) => {
        [isMissing, enabled] = [false, yes];
        for (const { event, listener } of w.didomiEventListeners) if (event === "consent.changed") listener({});
      };
      w.tool = { accept: () => chosen(true), reject: () => chosen(false) };
    },
  },
  cookieyes: {
    attributes: 'data-consent="cookieyes"',
    method: "tool",
    signal: "cookieyes",
    install() {
      const w = window as Json;
      let told: Json = { activeLaw: "gdpr", categories: { necessary: true, functional: true, analytics: true, performance: true, advertisement: true }, isUserActionCompleted: false };
      w.getCkyConsent = () => told;
      document.dispatchEvent(new CustomEvent("cookieyes_banner_load", { detail: told }));
      const chosen = (yes: boolean) => {
        told = { ...told, categories: { necessary: true, functional: yes, analytics: yes, performance: yes, advertisement: yes }, isUserActionCompleted: true };
        document.dispatchEvent(new CustomEvent("cookieyes_consent_update", { detail: { accepted: [], rejected: [] } }));
      };
      w.tool = { accept: () => chosen(true), reject: () => chosen(false) };
    },
  },
  complianz: {
    attributes: 'data-consent="complianz"',
    method: "tool",
    signal: "complianz",
    install() {
      const w = window as Json;
      let status = "show";
      const allowed: Json = { functional: true };
      w.cmplz_has_consent = (category: string) => allowed[category] === true;
      w.cmplz_get_banner_status = () => status;
      const chosen = (yes: boolean) => {
        status = "dismissed";
        // One event for each category, while the others still have their former state.
        for (const category of ["preferences", "statistics", "marketing"]) {
          allowed[category] = yes;
          document.dispatchEvent(new CustomEvent("cmplz_status_change", { detail: { category, value: yes ? "allow" : "deny", region: "eu" } }));
        }
      };
      w.tool = { accept: () => chosen(true), reject: () => chosen(false) };
    },
  },
  wp: {
    attributes: 'data-consent="wp"',
    method: "tool",
    signal: "wp",
    install() {
      const w = window as Json;
      // Without a cookie this function says yes.
      w.wp_has_consent = () => true;
      w.wp_consent_type = "optin";
      w.consent_api = { cookie_prefix: "wp_consent" };
      const chosen = (value: string) => {
        for (const category of ["preferences", "statistics", "marketing"]) {
          document.cookie = `wp_consent_${category}=${value}`;
          const detail: Json = [];
          detail[category] = value;
          document.dispatchEvent(new CustomEvent("wp_listen_for_consent_change", { detail }));
        }
      };
      w.tool = { accept: () => chosen("allow"), reject: () => chosen("deny") };
    },
  },
  iubenda: {
    attributes: 'data-consent="iubenda"',
    method: "tool",
    signal: "iubenda",
    install() {
      const w = window as Json;
      w.chained = 0;
      w._iub = { csConfiguration: { callback: { onPreferenceExpressedOrNotNeeded: () => (w.chained += 1) } }, cs: { api: { getPreferences: () => undefined } } };
      const chosen = (yes: boolean) => w._iub.csConfiguration.callback.onPreferenceExpressedOrNotNeeded({ purposes: { 1: true, 2: yes, 3: yes, 4: yes, 5: yes } });
      w.tool = { accept: () => chosen(true), reject: () => chosen(false) };
    },
  },
  shopify: {
    attributes: 'data-consent="shopify"',
    method: "tool",
    signal: "shopify",
    install() {
      const w = window as Json;
      let said = { analytics: "", marketing: "", preferences: "", sale_of_data: "" };
      // Where a region asks nobody, `…Allowed()` says yes.
      const privacy = { currentVisitorConsent: () => said, analyticsProcessingAllowed: () => true, marketingAllowed: () => true };
      w.Shopify = { loadFeatures: (_: Json, done: () => void) => setTimeout(() => ((w.Shopify.customerPrivacy = privacy), done()), 50) };
      const chosen = (word: string) => {
        said = { analytics: word, marketing: word, preferences: word, sale_of_data: word };
        document.dispatchEvent(new CustomEvent("visitorConsentCollected", { detail: { analyticsAllowed: word === "yes" } }));
      };
      w.tool = { accept: () => chosen("yes"), reject: () => chosen("no") };
    },
  },
  cookiefirst: {
    attributes: 'data-consent="cookiefirst"',
    method: "tool",
    signal: "cookiefirst",
    install() {
      const w = window as Json;
      w.CookieFirst = { consent: null };
      w.dispatchEvent(new Event("cf_init"));
      const chosen = (yes: boolean) => {
        w.CookieFirst.consent = { necessary: true, functional: yes, performance: yes, advertising: yes };
        w.dispatchEvent(new CustomEvent("cf_consent", { detail: w.CookieFirst.consent }));
      };
      w.tool = { accept: () => chosen(true), reject: () => chosen(false) };
    },
  },
  "consent mode": {
    attributes: 'data-consent="consent_mode"',
    method: "consent_mode",
    signal: "consent_mode",
    install() {
      const w = window as Json;
      w.dataLayer ??= [];
      w.gtag ??= function () { w.dataLayer.push(arguments); };
      const keys = ["ad_storage", "ad_user_data", "ad_personalization", "analytics_storage", "functionality_storage", "personalization_storage"];
      const states = (value: string) => Object.fromEntries(keys.map((key) => [key, value]));
      w.gtag("consent", "default", { ...states("denied"), region: ["ES"], wait_for_update: 500 });
      w.gtag("consent", "default", states("granted"));
      w.gtag("config", "G-TEST");
      w.tool = { accept: () => w.gtag("consent", "update", states("granted")), reject: () => w.gtag("consent", "update", states("denied")) };
    },
  },
};
