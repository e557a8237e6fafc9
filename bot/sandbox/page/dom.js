// Small helpers around the DOM. Foreign text only ever becomes a text node, never markup.

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProperty(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function setProperty(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "class") node.className = value;
  else if (name === "value" || name === "checked" || name === "selected") node[name] = value;
  else node.setAttribute(name, value === true ? "" : value);
}

// Draw a box anew only when what it shows has changed: a node replaced under a pressed mouse button loses the click.
export function drawWhenChanged(box, facts, draw) {
  const signature = JSON.stringify(facts);
  if (box.dataset.shown === signature) return;
  box.dataset.shown = signature;
  box.replaceChildren(...draw());
}

const LONGEST_PRESS_MS = 30_000;
let press = Promise.resolve();
let letGo = () => {};

addEventListener("pointerdown", (event) => {
  if (!event.target.closest("button, a, summary, label")) return;
  press = new Promise((resolve) => {
    letGo = resolve;
    setTimeout(resolve, LONGEST_PRESS_MS);
  });
}, true);
// The click itself comes right behind.
for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => setTimeout(letGo), true);

// For the same reason news wait while something is being pressed.
export const untilReleased = () => press;

export const byId = (id) => document.getElementById(id);

export async function post(act, body) {
  try {
    const response = await fetch(`/page/${act}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return await response.json();
  } catch {
    return { error: "the demo is not answering; it may have been stopped", isLost: true };
  }
}

// Tell whoever listens, such as the tour, what the person did: `command` or `button` holds its words.
export const tellActed = (detail) => dispatchEvent(new CustomEvent("acted", { detail }));

export function toast(text, tone = "bad") {
  const node = h("div", { class: `toast ${tone}` }, text);
  byId("toasts").append(node);
  setTimeout(() => node.remove(), 6000);
}

const FAILURES = {
  operation_timeout: "The app did not answer within three seconds (operation_timeout).",
  dispatch_failed: "The app could not be reached (dispatch_failed).",
};

export const explain = (error) => FAILURES[error] || `That did not work: ${error}`;

export function timeOf(ts, zone) {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(ts * 1000);
}

export function dayOf(ts, zone) {
  const date = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: zone });
  const today = date.format(Date.now());
  const day = date.format(ts * 1000);
  return day === today ? "Today" : day;
}

export function sizeOf(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} kB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

const ICONS = { html: "🌐", pdf: "📕", csv: "📊", json: "🧾", txt: "📄", md: "📄", png: "🖼️", jpg: "🖼️" };

export function fileRow({ name, title = name, size, opens = true }, address) {
  const icon = ICONS[name.split(".").pop().toLowerCase()] || "📄";
  const facts = title === name ? sizeOf(size) : `${name} · ${sizeOf(size)}`;
  return h("div", { class: "file" },
    h("span", { class: "file-icon", "aria-hidden": "true" }, icon),
    h("div", { class: "file-name" }, h("strong", {}, title), h("span", { class: "quiet" }, facts)),
    opens && h("a", { class: "button", href: address, target: "_blank", rel: "noopener", "aria-label": `Open ${title}` }, "Open"),
    h("a", { class: "button", href: `${address}?download`, download: name, "aria-label": `Download ${title}` }, "Download"));
}

export function initials(name) {
  return name.split(/\s+/).map((word) => word[0]).slice(0, 2).join("").toUpperCase();
}

export function avatar(person, extra = "") {
  const tint = [...person.id].reduce((sum, letter) => (sum * 3 + letter.charCodeAt(0)) % 9973, 1) % 8;
  return h("span", { class: `avatar tint-${tint} ${person.is_bot ? "bot" : ""} ${extra}`, "aria-hidden": "true" },
    initials(person.real_name));
}
