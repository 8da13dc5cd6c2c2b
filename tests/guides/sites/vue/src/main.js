/** A shop in Vue. */
import { createApp } from "vue";
import { createRouter, createWebHistory } from "vue-router";

import App from "./App.vue";
import "./hilo.js";

const page = (path, title) => ({ path, component: { render: () => null }, meta: { title } });
const routes = [page("/", "Home"), page("/about", "About")];
createApp(App).use(createRouter({ history: createWebHistory(), routes })).mount("#app");
