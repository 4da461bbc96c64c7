// SPDX-License-Identifier: MPL-2.0
// Small helps on forms. Everything works without them.

// Sending twice by double click is stopped here and, for those without JavaScript, by the sending's key on the server.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !(form instanceof HTMLFormElement) || form.method !== "post") return;
  if (form.dataset.sent === "yes") {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});

// A field that depends on another is fetched anew by htmx; what has focus keeps it.
document.addEventListener("htmx:beforeSwap", () => {
  const active = document.activeElement;
  document.body.dataset.focus = active && active.id ? active.id : "";
});
document.addEventListener("htmx:afterSettle", () => {
  const id = document.body.dataset.focus;
  delete document.body.dataset.focus;
  const wanted = document.querySelector("[data-focus-after-swap]") ?? (id ? document.getElementById(id) : null);
  if (wanted) {
    wanted.removeAttribute("data-focus-after-swap");
    wanted.focus();
  }
});

// Anything left unsaved is asked about before the page is left.
let touched = false;
document.addEventListener("input", (event) => {
  if (event.target.closest?.("form[data-ask-before-leaving]")) touched = true;
});
document.addEventListener("submit", () => {
  touched = false;
});
window.addEventListener("beforeunload", (event) => {
  if (touched) event.preventDefault();
});

// Some choices take effect at once; without JavaScript there is a button beside them.
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-submit-on-change]")) event.target.form.requestSubmit();
});

// Warns before the session ends, so that nobody loses what they have written (WCAG 2.2.1).
const notice = document.querySelector("[data-session-seconds]");
if (notice) {
  const lead = 120;
  const seconds = Number(notice.dataset.sessionSeconds);
  let timer = 0;
  const wait = () => {
    clearTimeout(timer);
    notice.hidden = true;
    timer = setTimeout(() => {
      notice.hidden = false;
    }, Math.max(seconds - lead, lead) * 1000);
  };
  notice.querySelector("button").addEventListener("click", async () => {
    const answer = await fetch(notice.dataset.sessionUrl, { credentials: "same-origin" });
    if (answer.ok && !answer.redirected) wait();
    else window.location.reload();
  });
  document.addEventListener("htmx:afterRequest", wait);
  wait();
}
