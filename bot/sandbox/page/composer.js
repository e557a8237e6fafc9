// The message box: slash commands completed as one types, mentions, and the history of what was sent.

import { byId, explain, h, post, tellActed, toast } from "./dom.js";
import { directory, store } from "./store.js";

const history = {};
let place = 0;
let entries = [];
let active = -1;
let field;
let list;

export function buildComposer() {
  field = h("textarea", {
    id: "composer-text", rows: 1, "aria-label": "Message or command", role: "combobox",
    "aria-expanded": "false", "aria-controls": "completions", "aria-autocomplete": "list",
  });
  list = h("ul", { id: "completions", class: "completions", role: "listbox", "aria-label": "Completions", hidden: true });
  const hint = h("div", { class: "composer-hint" }, h("kbd", {}, "/"), " commands · ", h("kbd", {}, "Tab"), " completes · ", h("kbd", {}, "↑"), " history");
  byId("composer").replaceChildren(list,
    h("div", { class: "composer-box" }, field, h("button", { type: "submit", class: "button primary", "aria-label": "Send" }, "Send")), hint);
  byId("composer").addEventListener("submit", send);
  field.addEventListener("input", () => { grow(); complete(); });
  field.addEventListener("keydown", onKey);
  field.addEventListener("blur", () => setTimeout(hide, 150));
}

export function nameComposer() {
  const channel = directory.channel(store.channel);
  field.placeholder = `Message ${channel.is_direct ? channel.name : `#${channel.name}`} as ${directory.person(store.me).real_name.split(" ")[0]}`;
}

export function fillComposer(text) {
  field.value = text;
  grow();
  hide();
  field.focus();
  field.setSelectionRange(text.length, text.length);
}

function grow() {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, 160)}px`;
}

async function send(event) {
  event.preventDefault();
  const text = field.value.trim();
  if (!text || !store.channel) return;
  const person = store.me;
  (history[person] ||= []).push(text);
  place = 0;
  fillComposer("");
  const act = text.startsWith("/") ? "command" : "say";
  const stream = byId("stream");
  stream.scrollTop = stream.scrollHeight;
  byId("composer").classList.add("busy");
  const answer = await post(act, { as: person, channel: store.channel, text });
  byId("composer").classList.remove("busy");
  if (answer.isLost) fillComposer(text);
  if (answer.error) toast(explain(answer.error));
  else tellActed({ person, command: text });
}

function onKey(event) {
  if (event.isComposing) return;
  const keys = { ArrowDown: () => move(1), ArrowUp: () => move(-1), Tab: accept, Enter: () => enter(event), Escape: escape };
  const act = event.shiftKey || event.altKey || event.ctrlKey ? null : keys[event.key];
  if (act?.()) event.preventDefault();
}

function enter(event) {
  if (!list.hidden && isUnfinished()) return accept();
  send(event);
  return true;
}

const isUnfinished = () => active >= 0 && (list.dataset.moved === "yes" || (wordNow() && entries[active].insert.trim() !== wordNow()));

function wordNow() {
  return field.value.slice(0, field.selectionStart).split(/\s/).pop();
}

function move(step) {
  if (list.hidden) return step < 0 || place ? recall(-step) : false;
  list.dataset.moved = "yes";
  mark((active + step + entries.length) % entries.length);
  return true;
}

function recall(step) {
  const sent = history[store.me] || [];
  if (field.value && !place) return false;
  const next = Math.max(0, Math.min(sent.length, place + step));
  if (next === place) return false;
  place = next;
  fillComposer(place ? sent[sent.length - place] : "");
  return true;
}

function accept() {
  if (list.hidden || active < 0) return false;
  const before = field.value.slice(0, field.selectionStart);
  const start = before.length - wordNow().length;
  const after = field.value.slice(field.selectionStart);
  fillComposer(`${field.value.slice(0, start)}${entries[active].insert} ${after}`.replace(/ {2,}/g, " "));
  complete();
  return true;
}

function escape() {
  if (list.hidden) return false;
  hide();
  return true;
}

function complete() {
  entries = candidates(field.value.slice(0, field.selectionStart)).slice(0, 8);
  list.dataset.moved = "";
  if (!entries.length) return hide();
  list.replaceChildren(...entries.map((entry, index) => h("li", {
    role: "option", id: `completion-${index}`, "aria-selected": "false",
    onmousedown: (event) => { event.preventDefault(); mark(index); accept(); },
  }, h("strong", {}, entry.label), h("span", { class: "quiet" }, entry.note))));
  list.hidden = false;
  field.setAttribute("aria-expanded", "true");
  return mark(0);
}

function candidates(text) {
  const command = /^\/\S*$/.exec(text);
  if (command) return commands(text);
  const word = /^(\/\S+) (\S*)$/.exec(text);
  if (word) return words(word[1], word[2]);
  const mention = /(?:^|\s)@([\w.-]*)$/.exec(text);
  return mention ? people(mention[1]) : [];
}

const commands = (typed) => store.script.commands.filter((each) => each.command.startsWith(typed.toLowerCase()))
  .map((each) => ({ insert: each.command, label: `${each.command} ${each.usage_hint}`, note: each.description }));

const words = (name, typed) => (store.script.commands.find((each) => each.command === name)?.words || [])
  .filter((each) => each.startsWith(typed.toLowerCase()) && each !== typed)
  .map((each) => ({ insert: each, label: each, note: name }));

const people = (typed) => store.picture.people.filter((each) => !each.is_bot && each.name.startsWith(typed.toLowerCase()))
  .map((each) => ({ insert: `@${each.name}`, label: each.real_name, note: `@${each.name}` }));

function mark(index) {
  active = index;
  [...list.children].forEach((item, n) => item.setAttribute("aria-selected", String(n === index)));
  field.setAttribute("aria-activedescendant", `completion-${index}`);
  list.children[index]?.scrollIntoView({ block: "nearest" });
}

function hide() {
  list.hidden = true;
  active = -1;
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
}
