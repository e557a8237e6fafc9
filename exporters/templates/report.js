(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);
  const checks = all(".check");
  const titles = new Map(checks.map((check) => [check, check.querySelector("h4").textContent.toLowerCase()]));
  let severity = "";

  document.documentElement.classList.add("js");
  byId("tools").hidden = false;

  const showRows = (check, words) => {
    const texts = all(":scope > summary, :scope > .what", check).map((part) => part.textContent).join(" ").toLowerCase();
    const inHead = words.every((word) => texts.includes(word));
    let any = inHead;
    for (const row of all("tbody tr", check)) {
      const text = inHead ? "" : row.textContent.toLowerCase();
      row.hidden = !inHead && !words.every((word) => texts.includes(word) || text.includes(word));
      any = any || !row.hidden;
    }
    return any;
  };

  const apply = () => {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const check of checks) {
      check.hidden = Boolean(severity && check.dataset.severity !== severity) || !showRows(check, words);
      shown += check.hidden ? 0 : 1;
    }
    for (const band of all(".band")) band.hidden = Boolean(severity && band.id !== severity);
    for (const button of all("button[data-filter]")) {
      button.setAttribute("aria-pressed", String(button.dataset.filter === severity));
    }
    byId("shown").textContent = severity || words.length ? `${shown} of ${checks.length} checks shown` : "";
  };

  for (const target of all("[data-filter]")) {
    target.addEventListener("click", () => {
      severity = severity === target.dataset.filter ? "" : target.dataset.filter;
      apply();
    });
  }

  let waiting;
  byId("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 150);
  });
  byId("tools").addEventListener("submit", (event) => event.preventDefault());

  const orders = {
    failing: (a, b) => b.dataset.failing - a.dataset.failing,
    title: (a, b) => titles.get(a).localeCompare(titles.get(b)),
  };
  const list = document.querySelector("#findings .checks");
  const original = [...list.children];
  byId("sort").addEventListener("change", (event) => {
    const order = orders[event.target.value];
    list.classList.toggle("sorted", Boolean(order));
    list.append(...(order ? all(":scope > .check", list).sort(order) : original));
  });

  byId("open-all").addEventListener("click", () => checks.forEach((check) => { check.open = true; }));
  byId("close-all").addEventListener("click", () => checks.forEach((check) => { check.open = false; }));

  const sortRows = (head, index) => {
    const table = head.closest("table");
    const down = head.getAttribute("aria-sort") === "ascending";
    all("th[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const text = (row) => row.children[index].textContent;
    const rows = [...table.tBodies[0].rows].map((row) => [text(row), row]);
    rows.sort((a, b) => (down ? -1 : 1) * a[0].localeCompare(b[0], undefined, { numeric: true }));
    table.tBodies[0].append(...rows.map(([, row]) => row));
  };
  for (const table of all(".check table")) {
    [...table.tHead.rows[0].cells].forEach((head, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sortRows(head, index));
      head.replaceChildren(button);
    });
  }

  const openTarget = () => {
    const target = location.hash && byId(location.hash.slice(1));
    if (target && target.matches("details")) target.open = true;
  };
  addEventListener("hashchange", openTarget);
  openTarget();
})();
