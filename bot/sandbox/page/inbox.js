// The mails beside the chat: a list, and one of them opened. A mail's own markup stays in a frame that may do nothing.

import { byId, dayOf, fileRow, h, timeOf, toast } from "./dom.js";
import { directory, store } from "./store.js";

const seen = new Set(JSON.parse(sessionStorage.getItem("mails") || "[]"));
let openId = "";
let isPlain = false;

export const hasInbox = () => store.picture.mails !== null;

const opened = () => store.picture.mails.find((mail) => mail.id === openId);

export const isReading = () => hasInbox() && Boolean(opened());

export const unreadMails = () => (hasInbox() ? store.picture.mails.filter((mail) => !seen.has(mail.id)).length : 0);

// What the drawing depends on: a mail that is open stays as it is when others arrive.
export const inboxState = () => (opened() ? [openId, isPlain] : [store.picture.mails, [...seen]]);

export function inbox(redraw) {
  const mail = opened();
  return mail ? reader(mail, redraw) : list(redraw);
}

function list(redraw) {
  if (!store.picture.mails.length) return h("p", { class: "empty" }, "No mail yet. What the app sends lands here and nowhere else.");
  return h("ul", { class: "mails", "aria-label": "Mails, newest first" }, store.picture.mails.map((mail) => h("li", {}, entry(mail, redraw))));
}

function entry(mail, redraw) {
  const [first, ...more] = [...mail.to, ...mail.cc, ...mail.bcc];
  const isNew = !seen.has(mail.id);
  return h("button", { type: "button", id: `mail-${mail.id}`, class: isNew ? "unread" : "", onclick: () => read(mail, redraw) },
    h("span", { class: "mail-line" }, h("span", { class: "mail-to" }, `To ${first}${more.length ? ` +${more.length}` : ""}`), when(mail)),
    h("span", { class: "mail-subject" }, isNew && h("span", { class: "dot", role: "img", "aria-label": "Unread: " }), mail.subject),
    mail.attachments.length > 0 && h("span", { class: "chips" }, mail.attachments.map((file) => h("span", {}, h("span", { "aria-hidden": "true" }, "📎 "), file.name))));
}

function when(mail) {
  const day = dayOf(mail.at, directory.zone());
  return h("time", { class: "quiet", datetime: new Date(mail.at * 1000).toISOString() }, `${day === "Today" ? "" : `${day}, `}${timeOf(mail.at, directory.zone())}`);
}

function read(mail, redraw) {
  seen.add(mail.id);
  sessionStorage.setItem("mails", JSON.stringify([...seen]));
  openId = mail.id;
  isPlain = !mail.has_html;
  redraw();
  byId("mail-title")?.focus();
}

function reader(mail, redraw) {
  const back = () => {
    const last = openId;
    openId = "";
    redraw();
    byId(`mail-${last}`)?.focus();
  };
  const onkeydown = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    back();
  };
  return h("article", { class: "mail", "aria-labelledby": "mail-title", onkeydown },
    h("div", { class: "mail-bar" },
      h("button", { type: "button", class: "button", onclick: back }, h("span", { "aria-hidden": "true" }, "‹"), "All mails"),
      mail.has_html && mail.has_text && formSwitch(redraw),
      h("a", { class: "button", href: address(mail), target: "_blank", rel: "noopener", "aria-label": "Open this mail in a tab of its own" }, "↗")),
    h("h2", { id: "mail-title", tabindex: "-1" }, mail.subject),
    facts(mail),
    mail.attachments.map((file, n) => fileRow(file, `/mail/${mail.id}/attachments/${n}`)),
    isPlain ? plainText(mail) : frame(mail));
}

const address = (mail) => `/mail/${mail.id}${isPlain ? "?plain" : ""}`;

function formSwitch(redraw) {
  const form = (label, wanted) => h("button", {
    type: "button", id: `mail-as-${label}`, "aria-pressed": String(isPlain === wanted), onclick: () => { isPlain = wanted; redraw(); },
  }, label);
  return h("div", { class: "switch", role: "group", "aria-label": "Show as" }, form("HTML", false), form("Plain text", true));
}

function facts(mail) {
  const lines = [["From", [mail.author]], ["To", mail.to], ["Cc", mail.cc], ["Bcc", mail.bcc]];
  return h("dl", { class: "mail-facts" },
    lines.filter(([, values]) => values.length).map(([name, values]) => h("div", {}, h("dt", {}, name), h("dd", {}, values.join(", ")))),
    h("div", {}, h("dt", {}, "Received"), h("dd", {}, when(mail))));
}

function frame(mail) {
  return [
    h("iframe", { class: "mail-body", sandbox: "allow-popups allow-popups-to-escape-sandbox", src: address(mail), title: `The mail “${mail.subject}”` }),
    h("p", { class: "quiet mail-note" }, "Shown without scripts, and without pictures from elsewhere; links open in a tab of their own."),
  ];
}

function plainText(mail) {
  const box = h("pre", { class: "mail-body", tabindex: "0", "aria-label": "The mail as plain text" });
  fetch(address(mail)).then((response) => response.text()).then((text) => box.append(text))
    .catch(() => toast("The mail could not be fetched."));
  return box;
}
