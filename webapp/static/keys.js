// Single keys, as templates/keys.html lists them. They rest while somebody types, behind a dialog,
// with Ctrl, Alt or Meta, and when somebody turned them off (no data-keys on the body).
"use strict";

(() => {
  const places = {
    o: "/", s: "/schedules", u: "/upcoming", r: "/runs", j: "/jobs", w: "/workers", a: "/audit",
    t: "/stats",
  };
  const root = document.body.dataset.root ?? "";  // where the console lies on its host
  const typing = "input:not([type=checkbox]), textarea, select, [contenteditable]";
  let prefix = 0;

  // The row at hand is the one that has the focus; the theme marks it.
  const first = (row) => row.querySelector("a, button");
  const rows = () => [...document.querySelectorAll("main tbody tr")].filter(first);
  const current = () => document.activeElement.closest("main tbody tr");

  const move = (step) => {
    const all = rows();
    const now = all.indexOf(current());
    const next = all[now < 0 ? 0 : Math.min(Math.max(now + step, 0), all.length - 1)];
    if (next) first(next).focus();
  };

  const act = {
    "?": () => document.querySelector("#keys-help button")?.click(),
    "/": () => document.querySelector("[role=search] input, [role=search] select")?.focus(),
    j: () => move(1),
    k: () => move(-1),
    e: () => current()?.querySelector("[role=switch]")?.click(),
    t: () => document.dispatchEvent(new Event("exact-times")),
    x: () => current()?.querySelector(".pick")?.click(),
    ".": () => current()?.querySelector("form[data-run] button, button[form=act][formaction$='/run']")?.click(),
  };

  // In a calendar the arrows lead to the next day or week that has something.
  const steps = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  const stepInGrid = (event) => {
    const cell = event.target.closest("[data-grid] td");
    if (!cell || !(event.key in steps)) return;
    const [right, down] = steps[event.key];
    const lines = [...cell.closest("tbody").rows];
    for (let x = cell.cellIndex + right, y = lines.indexOf(cell.parentElement) + down;
      lines[y]?.cells[x]; x += right, y += down) {
      const link = lines[y].cells[x].querySelector("a");
      if (!link) continue;
      event.preventDefault();
      link.focus();
      return;
    }
  };
  document.addEventListener("keydown", stepInGrid);

  document.addEventListener("keydown", (event) => {
    if (!("keys" in document.body.dataset) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest(typing) || document.querySelector("dialog[open]")) return;
    if (Date.now() - prefix < 1500 && event.key in places) {
      prefix = 0;
      location.assign(root + places[event.key]);
    } else if (event.key === "g") {
      prefix = Date.now();
    } else if (event.key in act) {
      event.preventDefault();
      act[event.key]();
    }
  });
})();
