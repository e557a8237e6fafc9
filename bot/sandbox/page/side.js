// The panel beside the chat: live facts about the cloud (or whatever was handed in), and the App Home.

import { renderBlocks } from "./blocks.js";
import { byId, explain, h, post, toast } from "./dom.js";
import { store } from "./store.js";

const before = new Map();
let drawn = "";

export function renderSide() {
  const tabs = tabNames();
  const side = byId("side");
  side.hidden = !tabs.length;
  byId("columns").classList.toggle("with-side", tabs.length > 0);
  byId("toggle-side").hidden = !tabs.length;
  if (!tabs.length) return;
  if (!tabs.includes(store.tab)) store.tab = tabs[0];
  const picture = JSON.stringify([tabs, store.tab, store.me, store.tab === "Home" ? store.picture.home : store.picture.panels]);
  if (picture === drawn) return;
  drawn = picture;
  const focused = document.activeElement?.id;
  side.replaceChildren(tabBar(tabs), h("div", { class: "side-body", role: "tabpanel", id: "side-body", tabindex: "0", "aria-label": store.tab },
    store.tab === "Home" ? home() : store.picture.panels.filter((panel) => panel.tab === store.tab).map(panelOf)));
  if (focused) byId(focused)?.focus();
}

const tabNames = () => [...new Set(store.picture.panels.map((panel) => panel.tab)), ...(store.picture.home ? ["Home"] : [])];

function tabBar(tabs) {
  const step = (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!move) return;
    choose(tabs[(tabs.indexOf(store.tab) + move + tabs.length) % tabs.length]);
    byId(`tab-${store.tab}`)?.focus();
  };
  return h("div", { class: "tabs", role: "tablist", "aria-label": "Beside the chat", onkeydown: step }, tabs.map((name) => h("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "side-body", "aria-selected": String(name === store.tab),
    tabindex: name === store.tab ? "0" : "-1", onclick: () => choose(name),
  }, name)));
}

function choose(name) {
  store.tab = name;
  renderSide();
  if (name === "Home") post("home", { as: store.me });
}

function home() {
  const view = store.picture.home;
  return h("div", { class: "home blocks", "data-target": view.id }, renderBlocks(view.payload.blocks, { target: view.id, values: view.values }));
}

function panelOf(panel) {
  const groups = [...new Set(panel.rows.map((row) => row.group))];
  return h("section", { class: "panel", "aria-label": panel.title },
    h("h2", {}, h("span", { class: "live", title: "Read about once a second" }), panel.title),
    groups.map((group) => h("div", { class: "panel-group" }, h("h3", {}, group),
      h("dl", {}, panel.rows.filter((row) => row.group === group).map((row) => rowOf(panel, row))))),
    panel.actions.map((action) => actionOf(panel, action)));
}

function rowOf(panel, row) {
  const key = `${panel.id}/${row.group}/${row.label}`;
  const isChanged = before.has(key) && before.get(key) !== row.value;
  before.set(key, row.value);
  const mark = { bad: "✕", good: "✓", neutral: "" }[row.tone];
  return h("div", { class: `row ${isChanged ? "changed" : ""}` }, h("dt", {}, row.label),
    h("dd", { class: row.tone }, mark && h("span", { "aria-hidden": "true" }, `${mark} `), row.value));
}

function actionOf(panel, action) {
  const run = async () => {
    node.classList.add("busy");
    const answer = await post("panel", { as: store.me, panel: panel.id, action: action.id });
    node.classList.remove("busy");
    if (answer.error) toast(explain(answer.error));
  };
  const node = h("button", { type: "button", class: "button wide", id: `panel-${panel.id}-${action.id}`, onclick: run }, action.label);
  return h("div", { class: "panel-action" }, node, action.description && h("p", { class: "quiet" }, action.description));
}
