/** What each page of the shop has. */
import Link from "next/link";

import { AddToCart, CartCount } from "./cart.jsx";
import { SignUp } from "./sign-up.jsx";

export const Frame = ({ title }) => (
  <>
    <h1>{title}</h1>
    <nav><Link href="/">Home</Link> <Link href="/about">About</Link></nav>
    <SignUp />
    <AddToCart />
    <CartCount />
  </>
);
