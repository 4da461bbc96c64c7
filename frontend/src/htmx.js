// SPDX-License-Identifier: MPL-2.0
import htmx from "htmx.org/dist/htmx.esm.js";

// The content security policy allows neither inline styles nor evaluated scripts.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
htmx.config.selfRequestsOnly = true;
// A server-rendered error page or form with errors is as much an answer as a success.
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "[23]..", swap: true },
  { code: "422", swap: true },
  { code: "[45]..", swap: false, error: true },
];

// A failed request must not look as if it had worked: load the page anew, where the server says what is wrong.
document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  if (status === 401 || status === 403) window.location.reload();
});
