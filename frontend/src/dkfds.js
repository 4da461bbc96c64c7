// SPDX-License-Identifier: MPL-2.0
// Starts the components of Det Fælles Designsystem, on the page and in every part that is swapped in later.
import * as DKFDS from "dkfds";

const texts = { svgImagePath: "" };

function start(scope) {
  DKFDS.init({ scope, ...texts });
}

document.addEventListener("DOMContentLoaded", () => start(document));
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target !== document.body) start(event.target);
});
