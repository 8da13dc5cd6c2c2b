/**
 * A React hook over `hilo.cart.on`: the component shows the visitor's cart, and every change of it from any tab or device.
 */
import type { CartState, Hilo } from "hilo-tracker";
import { useEffect, useState } from "react";

const NOTHING: CartState = {
  lines: [],
  totals: {},
  unpriced: 0,
  status: { online: true, pending: 0, checkoutOpen: false, persistent: true, lost: 0 },
};

/** The cart as it is now; the component renders anew on every change. */
export function useCart(hilo: Hilo): CartState {
  const [state, setState] = useState(NOTHING);
  useEffect(() => hilo.cart.on(setState), [hilo]);
  return state;
}

/** A cart with a plus and a minus for each line. */
export function Cart({ hilo }: { hilo: Hilo }) {
  const { lines, totals, unpriced, status } = useCart(hilo);
  return (
    <section aria-busy={status.pending > 0}>
      {lines.map((line) => (
        <p key={[line.product_id, line.options_hash, line.currency].join()}>
          {line.name ?? line.product_id} <button onClick={() => hilo.cart.dec(line)}>−</button> {line.quantity}{" "}
          <button onClick={() => hilo.cart.add(line)}>+</button>
        </p>
      ))}
      {Object.entries(totals).map(([currency, amount]) => (
        <p key={currency}>
          {amount} {currency}
        </p>
      ))}
      {unpriced ? <p>The price of {unpriced} articles is not known yet.</p> : null}
      {status.online ? null : <p>Offline: your changes are kept and sent later.</p>}
    </section>
  );
}
