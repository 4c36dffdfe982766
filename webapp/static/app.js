// Does what htmx and the server can't: the theme before the first paint, the pace of live regions,
// times that age while the page stays open, dialogs, and toasts that leave.
"use strict";

(() => {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const applyTheme = () => {
    const chosen = root.dataset.theme;
    root.dataset.bsTheme = chosen === "auto" ? (system.matches ? "dark" : "light") : chosen;
  };
  applyTheme();
  root.dataset.script = "";  // the theme hides what only a script can work, or shows better
  system.addEventListener("change", applyTheme);

  // The server shows instants in this zone when somebody chooses "mine".
  try {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    document.cookie = `browser_zone=${zone}; path=/; max-age=31536000; samesite=lax`;
  } catch { /* Some headless browsers have no locale: instants stay in the schedule's zone. */ }

  // The server's clock decides what "ago" means, not this machine's.
  let skew = 0;
  const now = () => Date.now() + skew;

  // The same words as webapp/presentation.py.
  const steps = [[172800, 86400, "d"], [3600, 3600, "h"], [60, 60, "min"], [0, 1, "s"]];
  const ago = (instant) => {
    const seconds = (instant - now()) / 1000;
    const length = Math.abs(seconds);
    if (length < 1) return "now";
    const [, size, unit] = steps.find(([least]) => length >= least);
    const text = `${Math.floor(length / size)} ${unit}`;
    return seconds > 0 ? `in ${text}` : `${text} ago`;
  };
  // The same words as tick/text.py.
  const units = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];
  const duration = (seconds) => {
    if (seconds < 10) return `${Number(Math.max(seconds, 0).toFixed(1))} s`;
    const whole = Math.round(seconds);
    const found = units.find(([size]) => whole >= size);
    if (!found) return `${whole} s`;
    const [size, unit, lesser, lesserUnit] = found;
    const rest = Math.floor((whole % size) / lesser);
    return `${Math.floor(whole / size)} ${unit}${rest ? ` ${rest} ${lesserUnit}` : ""}`;
  };
  // Pointing at a time, or tapping it, shows the instant; the key t shows all of them.
  const digits = { year: "numeric", month: "2-digit", day: "2-digit",
    hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" };
  const exact = (time) => {
    try {  // Swedes write 2026-11-24 02:00:00.
      const timeZone = document.body.dataset.zone || "UTC";
      return new Date(time.dateTime).toLocaleString("sv-SE", { timeZone, ...digits });
    } catch {
      return `${time.dateTime.replace("T", " ").replace("Z", "")} UTC`;
    }
  };
  const showsExact = (time) => "exact" in (time.dataset ?? {}) || "exactTimes" in root.dataset;
  const setText = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  let failures = 0;
  let trouble = "";
  let answeredAt = Date.now();
  const refreshTimes = () => {
    for (const time of document.querySelectorAll("time")) {
      setText(time, showsExact(time) ? exact(time) : ago(Date.parse(time.dateTime)));
    }
    for (const length of document.querySelectorAll("[data-since]")) {
      setText(length, duration((now() - Date.parse(length.dataset.since)) / 1000));
    }
    const note = document.querySelector("[data-updated]");
    const rests = document.querySelector(".pick:checked") && "Rests while you choose";
    if (note) setText(note, trouble || rests || `Read ${ago(answeredAt + skew)}`);
  };

  // A live region asks again every data-live seconds: not in a hidden tab, not behind a dialog,
  // and less and less often while the server does not answer.
  const pace = new WeakMap();
  let userAction = null;
  const isUnderWay = (request) => ["issuing", "response received"].includes(request?.status);
  const beat = () => {
    refreshTimes();
    if (document.hidden || isUnderWay(userAction) || document.querySelector("dialog[open]")) return;
    for (const region of document.querySelectorAll("[data-live]")) {
      if (region.querySelector(".pick:checked")) continue;  // nothing moves while somebody chooses
      const wait = Number(region.dataset.live) * 1000 * 2 ** Math.min(failures, 5);
      if (!pace.has(region)) pace.set(region, Date.now());
      if (Date.now() - pace.get(region) < wait) continue;
      pace.set(region, Date.now());
      region.dispatchEvent(new CustomEvent("live"));
    }
  };

  document.addEventListener("pointerover", (event) => {
    const time = event.target.closest?.("time");
    if (time) time.title = exact(time);
  });
  document.addEventListener("click", (event) => {
    const time = event.target.closest("time");
    if (!time || time.closest("a, button, summary")) return;
    time.toggleAttribute("data-exact");
    refreshTimes();
  });
  document.addEventListener("exact-times", () => {
    root.toggleAttribute("data-exact-times");
    refreshTimes();
  });

  const closeDialog = () => {
    const dialog = document.getElementById("dialog");
    if (!dialog?.open) return false;
    dialog.close();
    return true;
  };

  const dismissLater = (toast) => {
    if (toast.dataset.toast) return;
    toast.dataset.toast = "timed";
    const leave = () => {
      if (toast.matches(":hover, :focus-within")) return setTimeout(leave, 2000);
      return toast.remove();
    };
    setTimeout(leave, 10000);
  };
  const dismissToasts = () => document.querySelectorAll("[data-toast]").forEach(dismissLater);

  // A double click is one press: the second submit by a button within a second is dropped.
  const pressed = new WeakMap();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-once]")) {
      const button = event.submitter ?? form;
      if (Date.now() - (pressed.get(button) ?? 0) < 1000) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
      pressed.set(button, Date.now());
    }
    if (form.matches("[data-closes-dialog]")) closeDialog();
  }, true);

  // One box ticks the boxes of all rows; it stands between while only some of them are ticked.
  const updateTickAll = () => {
    const picks = [...document.querySelectorAll(".pick")];
    const ticked = picks.filter((pick) => pick.checked).length;
    for (const all of document.querySelectorAll("[data-picks]")) {
      all.checked = ticked > 0 && ticked === picks.length;
      all.indeterminate = ticked > 0 && ticked < picks.length;
    }
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-picks]")) {
      for (const pick of document.querySelectorAll(".pick")) pick.checked = event.target.checked;
    }
    if (event.target.matches("[data-picks], .pick")) updateTickAll();
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-closes-dialog]");
    if (link && closeDialog()) event.preventDefault();
    if (event.target.id === "dialog") closeDialog();
  });

  // What a region asked before an action shows how things were, and may arrive after its answer.
  document.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.request.method !== "POST") return;
    userAction = ctx;
    for (const region of document.querySelectorAll("[data-live]")) {
      region.dispatchEvent(new CustomEvent("htmx:abort"));
    }
  });

  // A button of a form that many rows share says itself where to go.
  document.addEventListener("htmx:config:request", (event) => {
    const { request } = event.detail.ctx;
    if (request.submitter?.hasAttribute("formaction")) request.action = request.submitter.formAction;
  });

  document.addEventListener("htmx:after:request", (event) => {
    if (event.detail.ctx.response?.status >= 400) return;
    failures = 0;
    trouble = "";
    answeredAt = Date.now();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail.ctx.target;
    const dialog = document.getElementById("dialog");
    // The server names the dialog by its selector when it sends a form back with its mistakes.
    const fills = target === dialog || target === "#dialog";
    if (fills && dialog.childElementCount && !dialog.open) dialog.showModal();
    // What was ticked has been dealt with; ticked on, it would keep the page from refreshing.
    if (event.detail.ctx.sourceElement?.matches?.("[data-unticks]")) {
      for (const tick of document.querySelectorAll(".pick:checked")) tick.checked = false;
    }
    updateTickAll();
    dismissToasts();
    refreshTimes();
  });

  // Somebody who acted, or asked for a dialog, must see that it failed: nobody knows what was done.
  const showFailure = () => {
    const toast = document.createElement("div");
    toast.className = "toast-line tone-bad";
    toast.dataset.toast = "";
    const words = document.createElement("p");
    words.textContent = "The server did not answer. Load the page again to see what was done.";
    toast.append(words);
    document.getElementById("toasts")?.append(toast);
    dismissToasts();
  };
  const fail = (status) => {
    failures += 1;
    trouble = status === 404 ? "The server has this no longer" : "The server does not answer";
  };
  const isLive = (element) => element?.matches?.("[data-live]");
  // An error, or a page of something in between, takes nothing away that is there to be read.
  document.addEventListener("htmx:before:swap", (event) => {
    const { sourceElement, response, select, swap, text } = event.detail.ctx;
    const misses = select ? !text.includes(`id="${select.slice(1)}"`) : /<html[\s>]/i.test(text);
    if (swap === "none" || !(misses || (isLive(sourceElement) && response.status >= 400))) return;
    event.preventDefault();
    if (response.status < 400) fail();
    if (!isLive(sourceElement)) showFailure();
  });
  document.addEventListener("htmx:response:error", (event) => fail(event.detail.ctx.response.status));
  document.addEventListener("htmx:error", (event) => {
    fail();
    if (!isLive(event.detail.ctx?.sourceElement ?? event.target)) showFailure();
  });

  document.addEventListener("DOMContentLoaded", () => {
    const started = Date.parse(document.body.dataset.now);
    if (!Number.isNaN(started)) skew = started - Date.now();
    dismissToasts();
    // On a phone the menu is one line that scrolls: to where one is.
    const menu = document.querySelector(".side nav");
    const current = menu?.querySelector("[aria-current]");
    if (current) menu.scrollLeft = current.offsetLeft - (menu.clientWidth - current.offsetWidth) / 2;
    setInterval(beat, 500);
  });
})();
