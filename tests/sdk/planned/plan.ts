/** The tracking plan of plan.toml. Written by `cargo xtask plan`: change the plan, not this file. */

/** The version of the plan. */
export const PLAN_VERSION = "2026-11";

/** The properties of each named act. */
export interface PlannedEvents {
  /** The shop has taken the order. Version 2. */
  "Order Completed": {
    "currency"?: "EUR" | "USD";
    "gift"?: boolean;
    "order_id": string;
    "products"?: ({
      "sku": string;
      [key: string]: unknown;
    })[];
    "total": number;
    [key: string]: unknown;
  };
}

/** The properties of each named page. */
export interface PlannedPages {
}

/** The properties of each named screen. */
export interface PlannedScreens {
}

/** What is told about a person. */
export type PlannedTraits = {
    "plan"?: "free" | "pro";
    [key: string]: unknown;
  };

/** What is told about a group. */
export type PlannedGroupTraits = { [key: string]: unknown };

/** `hilo.track`, for the acts of the plan alone: `(hilo as PlannedHilo).track("Order Completed", { … })`. */
export interface PlannedHilo {
  track<Name extends keyof PlannedEvents>(event: Name, properties: PlannedEvents[Name]): void;
  identify(userId: string, traits?: PlannedTraits, proof?: { token?: string }): void;
}
