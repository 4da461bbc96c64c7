// SPDX-License-Identifier: MPL-2.0
// Shows the flow of a case as a diagram: the way taken, and where it is now. The plain list of steps beside it
// says the same in words, so the picture is hidden from screen readers.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";

const words = (text) => (text ? text.split(" ") : []);

// A click on an element chooses it in the list that the container names; the list alone is enough to do the same.
function pick(container, viewer, canvas) {
  const list = document.getElementById(container.dataset.pick);
  if (!list) return;
  let marked = null;
  const mark = () => {
    if (marked) canvas.removeMarker(marked, "flow-picked");
    marked = viewer.get("elementRegistry").get(list.value) ? list.value : null;
    if (marked) canvas.addMarker(marked, "flow-picked");
  };
  viewer.on("element.click", ({ element }) => {
    if (![...list.options].some((option) => option.value === element.id)) return;
    list.value = element.id;
    list.closest("details")?.setAttribute("open", "");
    mark();
  });
  list.addEventListener("change", mark);
}

async function show(container) {
  const viewer = new NavigatedViewer({ container });
  const answer = await fetch(container.dataset.diagram, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`the diagram could not be fetched: ${answer.status}`);
  await viewer.importXML(await answer.text());
  const canvas = viewer.get("canvas");
  const registry = viewer.get("elementRegistry");
  const mark = (ids, marker) => {
    for (const id of ids) if (registry.get(id)) canvas.addMarker(id, marker);
  };
  const taken = new Set(words(container.dataset.taken));
  const active = new Set(words(container.dataset.active));
  mark([...taken].filter((id) => !active.has(id)), "flow-taken");
  mark(active, "flow-active");
  mark(words(container.dataset.failed), "flow-failed");
  mark(words(container.dataset.flows), "flow-taken");
  canvas.zoom("fit-viewport", "auto");
  if (container.dataset.pick) pick(container, viewer, canvas);
  container.dataset.shown = "yes";
}

for (const container of document.querySelectorAll("[data-diagram]")) {
  show(container).catch(() => {
    container.textContent = "Diagrammet kunne ikke vises. Trinene står i listen.";
  });
}
