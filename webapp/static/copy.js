// Buttons that copy the code beside them. Without JavaScript they are not there.
"use strict";

(() => {
  // Without https there is no clipboard to write to, but a selection can be copied.
  const copy = async (code) => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      return true;
    } catch {
      getSelection().selectAllChildren(code);
      return document.execCommand("copy");
    }
  };
  const words = new WeakMap();

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const copied = await copy(button.closest("li, .command").querySelector("code"));
    const label = button.querySelector(".copy-word");
    if (!words.has(label)) words.set(label, label.textContent);
    label.textContent = copied ? "Copied" : "Selected";
    setTimeout(() => { label.textContent = words.get(label); }, 2000);
  });
})();
