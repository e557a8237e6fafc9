// The message stream and the thread panel. A message is drawn again only when it changed.

import { renderBlocks, renderText } from "./blocks.js";
import { avatar, byId, dayOf, explain, fileRow, h, post, tellActed, timeOf, toast } from "./dom.js";
import { emoji } from "./emoji.js";
import { directory, markRead, messagesOf, store } from "./store.js";

export function renderConversation() {
  const channel = directory.channel(store.channel);
  renderHead(channel);
  const all = messagesOf(store.channel);
  const shown = all.filter((message) => !message.thread || message.broadcast);
  fill(byId("stream"), withDays(shown, all), `${store.me}/${store.channel}`);
  if (!shown.length) byId("stream").replaceChildren(emptyNote(channel));
  markRead(store.channel);
  renderThread(all);
}

function renderHead(channel) {
  const name = channel.is_direct ? channel.name : `${channel.is_private ? "🔒" : "#"} ${channel.name}`;
  const facts = channel.is_direct ? "Direct message" : `${channel.members} people${channel.topic ? ` · ${channel.topic}` : ""}`;
  byId("channel-head").replaceChildren(h("h1", {}, name), h("span", { class: "quiet" }, facts));
}

function emptyNote(channel) {
  const words = channel.has_bot ? "Nothing here yet. Type / to see what the app can do." : "Nothing here yet.";
  return h("p", { class: "empty", "data-key": "empty" }, words);
}

function withDays(shown, all) {
  const items = [];
  let day = "";
  for (const message of shown) {
    const today = dayOf(Number(message.ts), directory.zone());
    if (today !== day) items.push({ key: `day-${today}`, signature: today, draw: () => h("div", { class: "day" }, h("span", {}, today)) });
    day = today;
    const replies = all.filter((each) => each.thread === message.ts);
    items.push(itemFor(message, replies));
  }
  return items;
}

function itemFor(message, replies = []) {
  const facts = [message, replies.length, replies.at(-1)?.ts, message.files.map((id) => store.picture.files[id])];
  const edition = `${message.edited}`;
  return { key: message.ts, signature: JSON.stringify(facts), edition, draw: () => draw(message, replies) };
}

function fill(box, items, scope) {
  const isSame = box.dataset.scope === scope;
  const wasAtEnd = !isSame || box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const old = new Map(isSame ? [...box.children].map((node) => [node.dataset.key, node]) : []);
  const nodes = items.map((item) => reuse(old.get(item.key), item, isSame && old.size > 0));
  if (nodes.length !== box.children.length || nodes.some((node, n) => node !== box.children[n])) box.replaceChildren(...nodes);
  box.dataset.scope = scope;
  if (wasAtEnd) box.scrollTop = box.scrollHeight;
}

function reuse(known, item, isLive) {
  if (known?.dataset.signature === item.signature) return known;
  const node = item.draw();
  node.dataset.key = item.key;
  node.dataset.signature = item.signature;
  node.dataset.edition = item.edition || "";
  const isOnlyReplies = known?.dataset.edition === node.dataset.edition;
  if (isLive && !isOnlyReplies) node.classList.add(known ? "edited" : "fresh");
  return node;
}

function draw(message, replies) {
  const author = directory.person(message.user) || { id: message.user, real_name: message.user };
  return h("article", {
    class: `message ${message.ephemeral ? "private" : ""}`, "data-target": message.ts, "aria-label": `${author.real_name}`,
  },
  avatar(author),
  h("div", { class: "message-main" },
    message.ephemeral && h("p", { class: "only-you" }, "👁 Only visible to you"),
    message.broadcast && message.thread && h("p", { class: "only-you" }, "↳ replied to a thread"),
    h("div", { class: "byline" }, h("strong", {}, author.real_name), author.is_bot && h("span", { class: "badge" }, "APP"),
      h("time", { class: "quiet" }, timeOf(Number(message.ts), directory.zone())),
      message.edited && h("span", { class: "quiet" }, "(edited)")),
    body(message),
    message.files.map(fileCard),
    menu(message),
    reactions(message),
    footer(message, replies)));
}

function body(message) {
  if (!message.blocks.length) return message.text ? renderText(message.text) : null;
  return h("div", { class: "blocks" }, renderBlocks(message.blocks, { target: message.ts, values: {} }));
}

const isPicture = (file) => ["image/png", "image/jpeg"].includes(file?.mimetype);

function fileCard(id) {
  const file = store.picture.files[id];
  if (!file) return h("p", { class: "quiet" }, "(a file that was removed)");
  return [isPicture(file) && h("img", { class: "preview", src: `/files/${id}`, alt: file.alt || file.title }), fileRow(file, `/files/${id}`)];
}

// In Slack this hides behind the three dots of every message; here, of those that have a file to be read.
function menu(message) {
  const entries = store.script.shortcuts || [];
  const isReadable = message.files.some((id) => !isPicture(store.picture.files[id]));
  if (!entries.length || !isReadable || message.ephemeral) return null;
  const use = async (entry, event) => {
    const person = store.me;
    event.target.closest("details").open = false;
    const answer = await post("shortcut", { as: person, target: message.ts, callback_id: entry.callback_id });
    if (answer.error) toast(explain(answer.error));
    else tellActed({ person, button: entry.name });
  };
  return h("details", { class: "message-menu" },
    h("summary", { class: "button", "aria-label": "More actions" }, "⋯ More actions"),
    entries.map((entry) => h("button", { type: "button", class: "button", onclick: (event) => use(entry, event) }, entry.name)));
}

function reactions(message) {
  if (!message.reactions.length) return null;
  const counts = new Map();
  for (const [name] of message.reactions) counts.set(name, (counts.get(name) || 0) + 1);
  return h("div", { class: "reactions" }, [...counts].map(([name, count]) => h("span", {}, `${emoji(name) || `:${name}:`} ${count}`)));
}

function footer(message, replies) {
  if (message.ephemeral || message.thread) return null;
  if (!replies.length) return h("button", { type: "button", class: "reply-link faint", onclick: () => openThread(message.ts) }, "Reply in thread");
  const faces = [...new Set(replies.map((reply) => reply.user))].slice(0, 3).map((id) => directory.person(id)).filter(Boolean);
  return h("button", { type: "button", class: "reply-link", onclick: () => openThread(message.ts) },
    faces.map((face) => avatar(face, "mini")), `${replies.length} ${replies.length === 1 ? "reply" : "replies"}`,
    h("span", { class: "quiet" }, `last at ${timeOf(Number(replies.at(-1).ts), directory.zone())}`));
}

export function openThread(ts) {
  store.thread = ts;
  renderThread(messagesOf(store.channel));
  byId("thread").querySelector("textarea")?.focus();
}

export function closeThread() {
  const ts = store.thread;
  store.thread = "";
  renderThread([]);
  document.querySelector(`[data-target="${ts}"] .reply-link`)?.focus();
}

function renderThread(all) {
  const panel = byId("thread");
  const root = all.find((message) => message.ts === store.thread);
  panel.hidden = !root;
  byId("columns").classList.toggle("with-thread", Boolean(root));
  if (!root) return;
  if (panel.dataset.scope !== `${store.me}/${root.ts}`) buildThread(panel, root);
  const replies = all.filter((message) => message.thread === root.ts);
  const rule = { key: "count", signature: String(replies.length), draw: () => h("div", { class: "day" }, h("span", {}, `${replies.length} ${replies.length === 1 ? "reply" : "replies"}`)) };
  const items = [itemFor({ ...root }, []), rule, ...replies.map((reply) => itemFor(reply))];
  fill(panel.querySelector(".thread-list"), items, `${store.me}/${root.ts}`);
}

function buildThread(panel, root) {
  panel.dataset.scope = `${store.me}/${root.ts}`;
  const field = h("textarea", { rows: 1, placeholder: "Reply …", "aria-label": "Reply in the thread" });
  const send = async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) return;
    if (text.startsWith("/")) {
      toast("Slack takes no commands inside a thread: use the message box of the channel.");
      return;
    }
    field.value = "";
    const answer = await post("say", { as: store.me, channel: store.channel, thread: root.ts, text });
    if (answer.error) toast(explain(answer.error));
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) send(event);
    if (event.key === "Escape") closeThread();
  });
  panel.replaceChildren(
    h("div", { class: "panel-head" }, h("h2", {}, "Thread"),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close the thread", onclick: closeThread }, "✕")),
    h("div", { class: "thread-list", role: "log", "aria-live": "polite", tabindex: "0", "aria-label": "Messages of the thread" }),
    h("form", { class: "composer-box", onsubmit: send }, field, h("button", { class: "button primary", type: "submit" }, "Reply")));
}

export function reveal(ts) {
  const message = messagesOf(store.channel).find((each) => each.ts === ts);
  if (message?.thread) openThread(message.thread);
  const node = document.querySelector(`[data-target="${ts}"]`);
  node?.scrollIntoView({ block: "center" });
  node?.classList.add("edited");
}
