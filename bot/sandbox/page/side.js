// The panel beside the chat: live facts about the cloud (or whatever was handed in), the mails, and the App Home.

import { renderBlocks } from "./blocks.js";
import { byId, explain, h, post, toast } from "./dom.js";
import { hasInbox, inbox, inboxState, isReading, unreadMails } from "./inbox.js";
import { store } from "./store.js";

const before = new Map();
const drawn = { bar: "", body: "" };

export function renderSide() {
  const tabs = tabNames();
  const side = byId("side");
  side.hidden = !tabs.length;
  byId("columns").classList.toggle("with-side", tabs.length > 0);
  renderToggle(tabs);
  if (!tabs.length) return;
  if (!tabs.includes(store.tab)) store.tab = tabs[0];
  document.body.classList.toggle("reading", store.tab === "Mail" && isReading());
  const focused = document.activeElement?.id;
  if (!side.children.length) side.append(h("div"), h("div"));
  redraw("bar", side.firstChild, [tabs, store.tab, unreadMails()], () => tabBar(tabs));
  redraw("body", side.lastChild, [store.tab, store.me, tabState()], tabBody);
  if (focused && document.activeElement?.id !== focused) byId(focused)?.focus();
}

// A part is drawn again only when what it shows has changed.
function redraw(part, node, state, draw) {
  const picture = JSON.stringify(state);
  if (picture === drawn[part]) return;
  drawn[part] = picture;
  node.replaceWith(draw());
}

function renderToggle(tabs) {
  const unread = unreadMails();
  const button = byId("toggle-side");
  button.hidden = !tabs.length;
  button.classList.toggle("has-news", unread > 0);
  button.setAttribute("aria-label", `${tabs.join(", ")}${unread ? `: ${unread} unread` : ""}`);
}

function tabNames() {
  const panels = new Set(store.picture.panels.map((panel) => panel.tab));
  return [...panels, ...(hasInbox() ? ["Mail"] : []), ...(store.picture.has_home ? ["Home"] : [])];
}

const tabState = () => ({ Home: () => store.picture.home, Mail: inboxState })[store.tab]?.() ?? store.picture.panels;

function tabBody() {
  const draw = { Home: home, Mail: () => inbox(renderSide) }[store.tab] || panels;
  return h("div", { class: "side-body", role: "tabpanel", id: "side-body", tabindex: "0", "aria-label": store.tab }, draw());
}

const panels = () => store.picture.panels.filter((panel) => panel.tab === store.tab).map(panelOf);

function tabBar(tabs) {
  const count = (name) => (name === "Mail" && unreadMails() ? h("span", { class: "count", "aria-label": `${unreadMails()} unread` }, String(unreadMails())) : null);
  const step = (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!move) return;
    choose(tabs[(tabs.indexOf(store.tab) + move + tabs.length) % tabs.length]);
    byId(`tab-${store.tab}`)?.focus();
  };
  return h("div", { class: "tabs", role: "tablist", "aria-label": "Beside the chat", onkeydown: step }, tabs.map((name) => h("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "side-body", "aria-selected": String(name === store.tab),
    tabindex: name === store.tab ? "0" : "-1", onclick: () => choose(name),
  }, name, count(name))));
}

function choose(name) {
  store.tab = name;
  renderSide();
  if (name === "Home") post("home", { as: store.me });
}

function home() {
  const view = store.picture.home;
  if (!view) return h("p", { class: "empty" }, "The app has not drawn your home yet.");
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
