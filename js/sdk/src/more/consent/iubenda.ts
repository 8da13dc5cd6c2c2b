/** iubenda. Its callback is chained behind the page's own. */
import { page, pairs, type Source } from "./source.ts";

export const iubenda: Source = {
  read(tell, { guarded }) {
    const { _iub } = page;
    if (!_iub?.csConfiguration) return;
    const told = (said: any) => {
      const { purposes, consent } = said ?? {};
      // Not needed: the tool does not apply, which is no grant.
      if (said === null) tell({ applies: false });
      else if (purposes) tell({ made: true, categories: pairs(purposes) });
      else if (typeof consent === "boolean") tell({ made: true, categories: ["2", "3", "4", "5"].map((name) => [name, consent]) });
    };
    const callback = (_iub.csConfiguration.callback ??= {});
    const before = callback.onPreferenceExpressedOrNotNeeded;
    callback.onPreferenceExpressedOrNotNeeded = function (this: unknown, ...said: unknown[]) {
      const result = before?.apply(this, said);
      guarded(() => told(said[0]));
      return result;
    };
    told(_iub.cs?.api?.getPreferences?.() ?? _iub.cs?.consent ?? undefined);
    return true;
  },
};
