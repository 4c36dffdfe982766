// Single keys, as templates/keys.html lists them. They rest while somebody types, behind a dialog,
// with Ctrl, Alt or Meta, and when somebody turned them off (no data-keys on the body).
"use strict";

(() => {
  const places = {
    o: "/", s: "/schedules", u: "/upcoming", r: "/runs", j: "/jobs", w: "/workers", a: "/audit",
  };
  const typing = "input, textarea, select, [contenteditable]";
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
    ".": () => current()?.querySelector("form[data-run] button")?.click(),
  };

  document.addEventListener("keydown", (event) => {
    if (!("keys" in document.body.dataset) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest(typing) || document.querySelector("dialog[open]")) return;
    if (Date.now() - prefix < 1500 && event.key in places) {
      prefix = 0;
      location.assign(places[event.key]);
    } else if (event.key === "g") {
      prefix = Date.now();
    } else if (event.key in act) {
      event.preventDefault();
      act[event.key]();
    }
  });
})();
