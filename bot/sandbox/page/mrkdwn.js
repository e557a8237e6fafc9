// Slack's mrkdwn and dates as DOM nodes. Everything foreign ends up in text nodes.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { directory } from "./store.js";

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
const SPAN = /`([^`\n]+)`|<([^<>\n]+)>|:([a-z0-9_+'-]+):|(?<![\w*])\*(?=\S)([^*\n]*\S)\*(?![\w*])|(?<![\w_])_(?=\S)([^_\n]*\S)_(?![\w_])|(?<![\w~])~(?=\S)([^~\n]*\S)~(?![\w~])/;

export const unescapeText = (text) => text.replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity]);

export function mrkdwn(text) {
  const nodes = [];
  for (const [index, part] of text.split("```").entries()) {
    if (index % 2) nodes.push(h("pre", {}, unescapeText(part.replace(/^\n/, "").replace(/\n$/, ""))));
    else nodes.push(...paragraphs(part));
  }
  return nodes;
}

function paragraphs(text) {
  const nodes = [];
  let quote = [];
  const endQuote = () => {
    if (quote.length) nodes.push(h("blockquote", {}, withBreaks(quote)));
    quote = [];
  };
  const plain = [];
  const endPlain = () => {
    if (plain.length) nodes.push(...withBreaks(plain.splice(0)));
  };
  for (const line of text.split("\n")) {
    const quoted = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quoted) {
      endPlain();
      quote.push(quoted[1]);
    } else {
      endQuote();
      plain.push(line);
    }
  }
  endQuote();
  endPlain();
  return nodes;
}

function withBreaks(lines) {
  return lines.flatMap((line, index) => (index ? [h("br"), ...spans(line)] : spans(line)));
}

export function spans(text) {
  const found = SPAN.exec(text);
  if (!found) return text ? [unescapeText(text)] : [];
  const before = text.slice(0, found.index);
  const after = text.slice(found.index + found[0].length);
  return [...(before ? [unescapeText(before)] : []), span(found), ...spans(after)];
}

function span([whole, code, angle, name, bold, italic, strike]) {
  if (code) return h("code", {}, unescapeText(code));
  if (angle) return reference(angle);
  if (name) return emoji(name) || whole;
  if (bold) return h("strong", {}, spans(bold));
  if (italic) return h("em", {}, spans(italic));
  return h("s", {}, spans(strike));
}

function reference(inner) {
  const [target, label] = split(inner);
  if (target.startsWith("@")) return person(target.slice(1));
  if (target.startsWith("#")) return channel(target.slice(1), label);
  if (target.startsWith("!date^")) return dateFromMarkup(target.split("^"), label);
  if (target.startsWith("!subteam^")) return group(target.slice(9), label);
  if (target.startsWith("!")) return h("span", { class: "mention" }, `@${target.slice(1)}`);
  return link(unescapeText(target), label ? unescapeText(label) : unescapeText(target));
}

function split(inner) {
  const bar = inner.indexOf("|");
  return bar < 0 ? [inner, ""] : [inner.slice(0, bar), inner.slice(bar + 1)];
}

export function person(id) {
  const known = directory.person(id);
  const mine = id === directory.me() ? " mine" : "";
  return h("span", { class: `mention${mine}`, title: known ? known.real_name : id }, `@${known ? known.name : id}`);
}

export function channel(id, label = "") {
  const known = directory.channel(id);
  return h("a", { class: "mention", href: `#${id}` }, `#${known ? known.name : label || id}`);
}

export function group(id, label = "") {
  const known = directory.group(id);
  return h("span", { class: "mention" }, `@${known ? known.handle : label.replace(/^@/, "") || id}`);
}

export function link(url, label) {
  if (!/^(https?:|mailto:)/i.test(url)) return label;
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}

function dateFromMarkup([, stamp, format, url], fallback) {
  return date(Number(stamp), format || "{date_short_pretty} {time}", url, unescapeText(fallback || ""));
}

export function date(stamp, format, url, fallback) {
  if (!Number.isFinite(stamp)) return fallback || "";
  const shown = format.replace(/\{(\w+)\}/g, (token, name) => datePart(stamp, name) ?? token);
  const utc = new Date(stamp * 1000).toISOString().replace("T", " ").replace(".000Z", " UTC");
  const node = h("time", { datetime: new Date(stamp * 1000).toISOString(), title: utc }, shown);
  return url ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, node) : node;
}

const STYLES = {
  date: { day: "numeric", month: "long", year: "numeric" },
  date_short: { day: "numeric", month: "short", year: "numeric" },
  date_long: { weekday: "long", day: "numeric", month: "long", year: "numeric" },
  date_num: { day: "2-digit", month: "2-digit", year: "numeric" },
  time: { hour: "2-digit", minute: "2-digit" },
  time_secs: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
};

function datePart(stamp, name) {
  if (name === "ago") return ago(stamp);
  const style = STYLES[name.replace("_pretty", "")];
  if (!style) return null;
  return (name.endsWith("_pretty") && nearDay(stamp)) || inZone(style, stamp);
}

const inZone = (style, stamp) =>
  new Intl.DateTimeFormat("en-GB", { ...style, timeZone: directory.zone() }).format(stamp * 1000);

function nearDay(stamp) {
  const day = (moment) => inZone(STYLES.date_num, moment);
  const now = Date.now() / 1000;
  if (day(stamp) === day(now)) return "today";
  if (day(stamp) === day(now + 86400)) return "tomorrow";
  return day(stamp) === day(now - 86400) ? "yesterday" : null;
}

function ago(stamp) {
  const minutes = Math.round(stamp - Date.now() / 1000) / 60;
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (Math.abs(minutes) < 60) return relative.format(Math.round(minutes), "minute");
  if (Math.abs(minutes) < 1440) return relative.format(Math.round(minutes / 60), "hour");
  return relative.format(Math.round(minutes / 1440), "day");
}

export function textObject(object) {
  if (!object) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text) : plainText(object.text);
}

export function plainText(text) {
  return [text.replace(/:([a-z0-9_+'-]+):/g, (whole, name) => emoji(name) || whole)];
}
