// The page: fetch the server's picture after each change, draw it, and switch between people and channels.

import { buildComposer, nameComposer } from "./composer.js";
import { avatar, byId, drawWhenChanged, h, post, toast, untilReleased } from "./dom.js";
import { closeThread, renderConversation, reveal } from "./messages.js";
import { renderModal } from "./modal.js";
import { renderSide } from "./side.js";
import { become, directory, store, unreadIn } from "./store.js";
import { showTour } from "./tour.js";

let fetching = null;
let isStale = false;

// Returns once the newest picture is drawn, whoever asked for it first.
function refresh() {
  isStale = true;
  fetching ||= drawNewest();
  return fetching;
}

async function drawNewest() {
  try {
    while (isStale) {
      isStale = false;
      const picture = await fetchPicture();
      if (!picture) return;
      await untilReleased();
      const isForSomeoneElse = picture.me !== store.me && picture.cast.includes(store.me);
      if (isForSomeoneElse) continue;
      store.me = picture.me;
      store.picture = picture;
      render();
    }
  } finally {
    fetching = null;
  }
}

async function fetchPicture() {
  try {
    const response = await fetch(`/page/state?as=${encodeURIComponent(store.me)}`);
    return response.ok ? await response.json() : null;
  } catch {
    return null; // `listen` says that nobody answers, and asks again once somebody does
  }
}

function render() {
  if (!directory.channel(store.channel)) store.channel = wantedChannel();
  renderCast();
  renderSidebar();
  renderConversation();
  renderModal();
  renderSide();
  renderViolations();
  nameComposer();
}

function wantedChannel() {
  const [wanted] = location.hash.slice(1).split("/");
  return directory.channel(wanted) ? wanted : directory.channel(store.picture.start)?.id || store.picture.channels[0].id;
}

function renderCast() {
  const cast = store.picture.cast.map(directory.person);
  const step = (event) => {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!move) return;
    event.preventDefault();
    const next = cast[(cast.findIndex((each) => each.id === store.me) + move + cast.length) % cast.length];
    switchTo(next.id).then(() => byId(`as-${next.id}`)?.focus());
  };
  const focused = document.activeElement?.id;
  byId("cast").onkeydown = step;
  drawWhenChanged(byId("cast"), [cast, store.me], () => cast.map((each) => h("button", {
    type: "button", role: "radio", id: `as-${each.id}`, "aria-checked": String(each.id === store.me),
    tabindex: each.id === store.me ? "0" : "-1", title: `Act as ${each.real_name}, ${each.role}`, onclick: () => switchTo(each.id),
  }, avatar(each, "small"), h("span", { class: "cast-name" }, each.real_name.split(" ")[0], h("small", {}, each.role)))));
  if (focused?.startsWith("as-")) byId(focused)?.focus();
}

async function switchTo(person) {
  if (person === store.me) return;
  become(person);
  await refresh();
  post("home", { as: person });
}

function renderSidebar() {
  const line = (channel) => {
    const unread = channel.id === store.channel ? 0 : unreadIn(channel.id);
    const icon = channel.is_direct ? avatar(directory.person(store.picture.bot), "mini") : channel.is_private ? "🔒" : "#";
    return h("li", {}, h("a", {
      href: `#${channel.id}`, class: `${channel.id === store.channel ? "current" : ""} ${unread ? "unread" : ""}`,
      "aria-current": channel.id === store.channel ? "page" : null,
    }, h("span", { class: "channel-icon", "aria-hidden": "true" }, icon), h("span", {}, channel.name),
    unread ? h("span", { class: "count", "aria-label": `${unread} new` }, String(unread)) : null));
  };
  const direct = store.picture.channels.filter((channel) => channel.is_direct);
  const others = store.picture.channels.filter((channel) => !channel.is_direct);
  const facts = [store.picture.channels, store.channel, store.picture.channels.map((channel) => unreadIn(channel.id))];
  drawWhenChanged(byId("sidebar"), facts, () => [
    h("div", { class: "workspace" }, h("span", { class: "workspace-mark", "aria-hidden": "true" }, store.picture.team[0]), store.picture.team),
    h("h2", {}, "Channels"), h("ul", {}, others.map(line)), h("h2", {}, "Direct messages"), h("ul", {}, direct.map(line)),
    h("p", { class: "foot-note" }, "A stand-in for Slack on this computer. Nothing you do here leaves it.")]);
}

function renderViolations() {
  const found = store.picture.violations;
  const bar = byId("violations");
  bar.hidden = !found.length;
  if (bar.dataset.count === String(found.length)) return;
  bar.dataset.count = String(found.length);
  bar.replaceChildren(h("strong", {}, `⚠ Slack would have refused this (${found.length}): `),
    h("ul", {}, found.slice(-5).map((each) => h("li", {}, each))));
}

function onHash() {
  const [channel, ts] = location.hash.slice(1).split("/");
  if (!store.picture || !directory.channel(channel)) return;
  if (channel !== store.channel) store.thread = "";
  store.channel = channel;
  document.body.classList.remove("show-sidebar");
  byId("toggle-sidebar").setAttribute("aria-expanded", "false");
  if (store.picture.me !== store.me) return; // the picture of whom the page switches to is on its way
  render();
  if (ts) reveal(ts);
}

function toggle(buttonId, name) {
  byId(buttonId).addEventListener("click", () => {
    const isOn = document.body.classList.toggle(name);
    byId(buttonId).setAttribute("aria-expanded", String(isOn));
  });
}

function closeDrawers() {
  document.body.classList.remove("show-sidebar", "show-side");
  for (const name of ["toggle-sidebar", "toggle-side"]) byId(name).setAttribute("aria-expanded", "false");
}

function listen() {
  const events = new EventSource("/page/events");
  let wasLost = false;
  events.onmessage = () => { wasLost = false; refresh(); };
  events.onerror = () => {
    if (!wasLost) toast("The demo is not answering; it may have been stopped.");
    wasLost = true;
  };
}

async function begin() {
  store.script = await (await fetch("/page/script")).json();
  document.title = store.script.title;
  byId("title").textContent = store.script.title;
  buildComposer();
  toggle("toggle-sidebar", "show-sidebar");
  toggle("toggle-side", "show-side");
  addEventListener("hashchange", onHash);
  document.querySelector("main").addEventListener("click", closeDrawers);
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    closeDrawers();
    if (store.thread) closeThread();
  });
  showTour(switchTo);
  await refresh();
  onHash();
  listen();
  post("home", { as: store.me });
  byId("composer-text").focus();
}

begin();
