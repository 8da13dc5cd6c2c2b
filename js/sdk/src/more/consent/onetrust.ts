/** OneTrust and CookiePro. Its events come on every load; the visitor chose once its notice is closed. */
import { page, type Source } from "./source.ts";

export const onetrust: Source = {
  events: "OneTrustGroupsUpdated OTConsentApplied",
  read(tell, { mapped }) {
    const tool = page.OneTrust ?? page.Optanon;
    const groups = page.OnetrustActiveGroups ?? page.OptanonActiveGroups;
    if (typeof groups !== "string") return;
    const active = groups.split(",").filter(Boolean);
    const { Groups, ConsentModel } = tool?.GetDomainData?.() ?? {};
    const listed = Groups?.map((group: any) => group.OptanonGroupId ?? group.CustomGroupId);
    const names = new Set<string>([...(listed ?? ["C0002", "C0003", "C0004"]), ...mapped, ...active]);
    tell({
      made: tool?.IsAlertBoxClosed?.() ?? /(^|; )OptanonAlertBoxClosed=/.test(document.cookie),
      optOut: !/opt-in/i.test(ConsentModel?.Name ?? "opt-in"),
      categories: [...names].map((name) => [name, active.includes(name)]),
    });
    return true;
  },
};
