// The row under the pointer, or with the focus, shows its links: to what it waited for, and to
// what waited for it.
"use strict";

(() => {
  const show = (row) => {
    for (const line of document.querySelectorAll(".links .near")) line.classList.remove("near");
    if (!row) return;
    const id = row.id.slice("run-".length);
    const rows = [...row.parentElement.rows];
    const mark = (some, match) => some.forEach((each) =>
      each.querySelectorAll(`.links line${match}`).forEach((line) => line.classList.add("near")));
    mark(rows, `[data-to="${id}"]`);
    mark([row], `[data-from="${id}"]`);
    for (const line of row.querySelectorAll(`.links line[data-from="${id}"]`)) {
      const [here, there] = [row, document.getElementById(`run-${line.dataset.to}`)]
        .map((each) => rows.indexOf(each)).sort((one, other) => one - other);
      mark(rows.slice(here, there + 1), `[data-to="${line.dataset.to}"]:not([data-from])`);
    }
  };
  const near = (event) => show(event.target.closest?.(".occurrence tbody tr"));
  document.addEventListener("pointerover", near);
  document.addEventListener("focusin", near);
})();
