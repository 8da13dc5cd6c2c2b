/** Usercentrics: version 3 by its categories, version 2 by its services, of which a category needs all. */
import { page, type Source } from "./source.ts";

export const usercentrics: Source = {
  events: "UC_UI_INITIALIZED UC_UI_CMP_EVENT ucEvent",
  read(tell) {
    const { __ucCmp: three, UC_UI: two } = page;
    if (three) {
      const told = ({ consent, categories }: any) => tell({ made: consent?.type, categories: Object.entries<any>(categories ?? {}).map(([name, one]) => [name, one?.state]) });
      // A tool that fails never answers.
      void Promise.resolve(three.isInitialized())
        .then(() => three.getConsentDetails())
        .then(told, () => {});
      return true;
    }
    if (!two?.isInitialized?.()) return;
    const services: any[] = two.getServicesBaseInfo();
    tell({
      made: services.some(({ consent }) => consent?.history?.some((one: any) => one.type === "explicit")),
      categories: services.map(({ categorySlug, consent }) => [categorySlug, consent?.status === true]),
    });
    return true;
  },
};
