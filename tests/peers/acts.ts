/** The acts of a visit behind its first view: 20 on articles, a form begun, sent and left, one order. Each carries its mark. */
import { mark } from "./recorder.ts";

/** An act as a page's code tells it. */
export type Act = [name: string, properties: object];

export const ACTS: Act[] = [
  ...Array.from({ length: 20 }, (_, i): Act => {
    const name = ["Product Viewed", "Product Added", "Product Removed"][i % 3]!;
    return [name, { product_id: mark(i), name: `Article ${i}`, price: 12.5, currency: "EUR", quantity: 1 }];
  }),
  ...["Form Started", "Form Submitted", "Form Abandoned"].map((name, i): Act => [
    name,
    { form_id: mark(20 + i), path: "/contact", fields: [{ name: "email", type: "email" }] },
  ]),
  ["Order Completed", { order_id: mark(23), total: 99.5, currency: "EUR", products: [{ product_id: "p1", price: 12.5, quantity: 2 }] }],
];

/** `count` views of articles in one task of the page. */
export function burst(count: number): Act[] {
  return Array.from({ length: count }, (_, i) => ["Product Viewed", { product_id: mark(i), price: 12.5, currency: "EUR" }]);
}
