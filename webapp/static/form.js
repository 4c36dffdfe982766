// The form of a schedule while somebody types: presets, the five fields and the text in step, and
// whatever the server makes of it. Without this the form works as well: "Check" asks the same.
"use strict";

(() => {
  const form = document.querySelector("form[data-preview]");
  if (!form) return;
  const WAIT = 250;
  const text = form.elements.cron;
  const parts = [...form.querySelectorAll("[data-cron-part]")];

  const toParts = () => {
    const found = text.value.trim().split(/\s+/);
    parts.forEach((part, place) => {
      if (part !== document.activeElement) part.value = found.length === 5 ? found[place] : "";
    });
  };
  const toText = () => {
    text.value = parts.map((part) => part.value.trim().replace(/\s+/g, "") || "*").join(" ");
  };

  // A part that is in use is left alone unless it must change; nothing is taken from who types.
  const told = new Map();
  const mark = (name, wrong) => {
    const its = CSS.escape(name);
    for (const field of form.querySelectorAll(`[data-of="${its}"], [name="${its}"]`)) {
      if (wrong) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  };
  const markParts = (places) => parts.forEach((part, place) => {
    if (places.includes(String(place))) part.setAttribute("aria-invalid", "true");
    else part.removeAttribute("aria-invalid");
  });
  const take = (fresh) => {
    const old = document.getElementById(fresh.id);
    const html = fresh.outerHTML;
    if ("mistake" in fresh.dataset) mark(fresh.dataset.mistake, fresh.textContent.trim() !== "");
    if (fresh.id === "problem-cron") markParts(fresh.dataset.wrong.split(" "));
    if (!old || told.get(fresh.id) === html) return;
    told.set(fresh.id, html);
    // Fields hold what is typed; they change only when other jobs are chosen.
    if ("signature" in fresh.dataset && old.dataset.signature === fresh.dataset.signature) return;
    old.replaceWith(document.importNode(fresh, true));
  };
  const show = (html) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const all = [...page.querySelectorAll("[data-part]")];
    // A part within another comes after it.
    for (const fresh of all) take(fresh);
    document.dispatchEvent(new CustomEvent("graph:changed"));
    // For those who don't see it: the first mistake, or when it fires. A status must stay to be heard.
    const wrong = all.find((part) => "mistake" in part.dataset && part.textContent.trim());
    const said = (wrong ?? page.querySelector(".preview-words"))?.textContent.trim() ?? "";
    const status = form.querySelector("[data-said]");
    if (status.textContent !== said) status.textContent = said;
  };

  let asked = null;
  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    form.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.dataset.preview, {
        method: "POST", body: new FormData(form), headers: { "HX-Request": "true" }, signal: asked.signal,
      });
      if (answer.ok && !answer.headers.has("HX-Redirect")) show(await answer.text());
      form.removeAttribute("aria-busy");
    } catch (error) {
      if (error.name !== "AbortError") form.removeAttribute("aria-busy");
    }
  };
  let timer = 0;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  };

  form.addEventListener("input", (event) => {
    if (parts.includes(event.target)) toText();
    if (event.target === text) toParts();
    soon();
  });
  form.addEventListener("click", (event) => {
    const preset = event.target.closest("[name=preset]");
    if (!preset) return;
    event.preventDefault();
    text.value = preset.value;
    toParts();
    soon();
  });

  for (const zone of Intl.supportedValuesOf?.("timeZone") ?? []) {
    const option = document.createElement("option");
    option.value = zone;
    document.getElementById("zones").append(option);
  }
  toParts();
  for (const part of form.querySelectorAll("[data-mistake]")) {
    if (part.textContent.trim()) mark(part.dataset.mistake, true);
  }
  markParts(document.getElementById("problem-cron").dataset.wrong.split(" "));
})();
