// SPDX-License-Identifier: MPL-2.0
// Lists where many rows are chosen at once: "choose all" and a count that is read aloud.
function update(list) {
  const boxes = [...list.querySelectorAll("input[type=checkbox][data-row]")];
  const chosen = boxes.filter((box) => box.checked).length;
  const all = list.querySelector("[data-choose-all]");
  if (all) {
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  }
  const count = list.querySelector("[data-chosen]");
  if (count) {
    count.textContent = chosen === 0 ? "Ingen valgt" : chosen === 1 ? "1 valgt" : `${chosen} valgt`;
  }
}

document.addEventListener("change", (event) => {
  const list = event.target.closest?.("[data-choose-list]");
  if (!list) return;
  if (event.target.matches("[data-choose-all]")) {
    for (const box of list.querySelectorAll("input[type=checkbox][data-row]")) box.checked = event.target.checked;
  }
  update(list);
});

function prepare(scope) {
  for (const list of scope.querySelectorAll("[data-choose-list]")) {
    // Without JavaScript a "choose all" would do nothing, so it only shows where it works.
    for (const element of list.querySelectorAll("[data-needs-script]")) element.hidden = false;
    update(list);
  }
}
document.addEventListener("DOMContentLoaded", () => prepare(document));
document.addEventListener("htmx:afterSettle", (event) => prepare(event.target));

// A long run goes on by itself while its page is open; without JavaScript the button does the same.
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form[data-go-on]");
  if (form) setTimeout(() => form.requestSubmit(), 300);
});
