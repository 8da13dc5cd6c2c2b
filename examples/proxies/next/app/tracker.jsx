"use client";
/** The tracker of the package: `<Tracker />` stands once in the root layout. */
import { load } from "hilo-tracker";
import { useEffect } from "react";

export function Tracker() {
  useEffect(() => {
    load({ key: "wk_shop", endpoint: "/_h" }).then((hilo) => (window.hilo = hilo));
  }, []);
  return null;
}
