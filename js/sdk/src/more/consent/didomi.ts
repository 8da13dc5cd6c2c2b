/** Didomi. Where no consent is required, it says nothing. */
import { page, type Source } from "./source.ts";

export const didomi: Source = {
  read(tell, { guarded }) {
    const told = () =>
      guarded(() => {
        const tool = page.Didomi;
        const purposes = Object.entries<any>(tool.getCurrentUserStatus()?.purposes ?? {});
        tell({ applies: tool.isConsentRequired(), made: !tool.shouldUserStatusBeCollected(), categories: purposes.map(([name, one]) => [name, one?.enabled]) });
      });
    (page.didomiEventListeners ??= []).push({ event: "consent.changed", listener: told });
    (page.didomiOnReady ??= []).push(told);
    return true;
  },
};
