/** A shop in React, in strict mode: each effect runs twice. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter, Link, Route, Routes } from "react-router";

import "./hilo.js";
import { AddToCart, CartCount } from "./cart.jsx";
import { SignUp } from "./sign-up.jsx";

const Frame = ({ title }) => (
  <>
    <h1>{title}</h1>
    <nav><Link to="/">Home</Link> <Link to="/about">About</Link></nav>
    <SignUp />
    <AddToCart />
    <CartCount />
    <button type="button" data-hilo-consent="">Privacy settings</button>
  </>
);

createRoot(document.querySelector("#root")).render(
  <StrictMode>
    <BrowserRouter>
      <Routes>
        <Route path="/" element={<Frame title="Home" />} />
        <Route path="/about" element={<Frame title="About" />} />
      </Routes>
    </BrowserRouter>
  </StrictMode>,
);
