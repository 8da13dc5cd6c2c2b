/**
 * SumUp on this machine: the checkouts of one company, of which hilo reads single ones. It is no destination.
 *
 * A checkout's id → the checkout. Whoever has not the key of the golden cases gets nothing, and an unknown id is not found.
 */
import { readFileSync } from "node:fs";

import type { CreateStub, Stub, StubAnswer, StubRequest } from "./types.ts";

const KEY: string = JSON.parse(readFileSync(new URL("../golden/feeds/sumup/secrets.json", import.meta.url), "utf8")).SUMUP_API_KEY;

/** The checkouts, by the part of their ids that tells them apart. */
export const CHECKOUTS = {
  paid: { id: "4e425463-3e1b-431d-83fa-000000000001", reference: "sumup-1001", status: "PAID", amount: 10.1 },
  failed: { id: "4e425463-3e1b-431d-83fa-000000000002", reference: "sumup-1002", status: "FAILED", amount: 20 },
  pending: { id: "4e425463-3e1b-431d-83fa-000000000003", reference: "sumup-1003", status: "PENDING", amount: 30 },
} as const;

class SumUp implements Stub {
  readonly kind = "sumup";
  readonly spec = "sumup";
  readonly hosts = /^api\.sumup\.com$/;
  readonly #asked: string[] = [];

  answer({ url, headers, now }: StubRequest): StubAnswer {
    if (headers["authorization"] !== `Bearer ${KEY}`) return { status: 401, body: { title: "Unauthorized", detail: "Unauthorized.", status: 401 } };
    const asked = url.pathname.split("/").at(-1) ?? "";
    this.#asked.push(asked);
    const found = Object.values(CHECKOUTS).find(({ id }) => id === asked);
    if (!found) return { status: 404, body: { error_code: "NOT_FOUND", message: "Resource not found" } };
    const { id, reference, status, amount } = found;
    const [date, merchant_code, currency] = [new Date(now - 60_000).toISOString(), "MH4H92C7", "EUR"];
    const word = status === "PAID" ? "SUCCESSFUL" : status;
    const transaction = { id: `t-${id}`, amount, currency, timestamp: date, status: word, payment_type: "ECOM", merchant_code };
    return { status: 200, body: { checkout_reference: reference, amount, currency, merchant_code, id, status, date, transactions: [transaction] } };
  }

  state() {
    return { asked: this.#asked };
  }
}

export const create: CreateStub = () => new SumUp();
