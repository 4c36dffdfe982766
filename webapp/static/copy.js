// Buttons that copy the code beside them. Without JavaScript they are not there.
"use strict";

(() => {
  // Without https there is no clipboard to write to, but a selection can be copied.
  const copy = async (code) => {
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await copy(button.closest("li, .command").querySelector("code"));
    const label = button.querySelector(".copy-word");
    const before = label.textContent;
    label.textContent = "Copied";
    setTimeout(() => { label.textContent = before; }, 2000);
  });
})();
