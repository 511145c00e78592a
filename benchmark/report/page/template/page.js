"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);

  function theme() {
    const button = byId("theme");
    const names = ["automatic", "light", "dark"];
    let name = "automatic";
    // A page opened as a file may have no storage: the choice then lasts as long as the page.
    try { name = localStorage.getItem("udabench-theme") || name; } catch { /* no storage */ }
    const show = () => {
      if (name === "automatic") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = name;
      button.textContent = `Theme: ${name}`;
    };
    button.addEventListener("click", () => {
      name = names[(names.indexOf(name) + 1) % names.length];
      try { localStorage.setItem("udabench-theme", name); } catch { /* no storage */ }
      show();
    });
    show();
  }

  function sorting() {
    for (const table of all("table.results")) {
      const body = table.tBodies[0];
      const original = [...body.rows];
      const heads = all("th[data-column]", table);
      for (const head of heads) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "sort";
        // Marks of foot-notes are links of their own and stay outside the button.
        for (const node of [...head.childNodes]) {
          if (!node.classList || !node.classList.contains("marks")) button.append(node);
        }
        head.prepend(button);
        button.addEventListener("click", () => sort(body, original, heads, head));
      }
    }
  }

  function sort(body, original, heads, head) {
    const column = Number(head.dataset.column);
    const isNumber = head.classList.contains("num");
    const orders = isNumber ? ["descending", "ascending"] : ["ascending", "descending"];
    const order = orders[orders.indexOf(head.getAttribute("aria-sort")) + 1];
    for (const other of heads) other.removeAttribute("aria-sort");
    if (!order) { body.append(...original); return; }
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const key = (row) => {
      const cell = row.cells[column];
      if (!isNumber) return cell.textContent.trim();
      return cell.dataset.value ? Number(cell.dataset.value) : null;
    };
    // What has no number comes last in either order.
    body.append(...[...original].sort((first, second) => {
      const [a, b] = [key(first), key(second)];
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * (isNumber ? a - b : a.localeCompare(b, "en"));
    }));
  }

  function filtering() {
    const form = byId("filters").querySelector("form");
    const listed = {};
    for (const name of ["method", "encoder", "shift"]) {
      listed[name] = new Set(all(`input[name=${name}]`, form).map((box) => box.value));
    }
    const apply = () => {
      const chosen = {};
      for (const name of ["method", "encoder", "shift"]) {
        chosen[name] = new Set(all(`input[name=${name}]:checked`, form).map((box) => box.value));
      }
      const seeds = form.elements.seeds.value;
      // Published rows and that of class names are of no method of the suite: no box is theirs.
      const fits = (element) => Object.entries(chosen).every(
        ([name, values]) => !listed[name].has(element.dataset[name])
          || values.has(element.dataset[name]));
      for (const part of all("main [data-method], main [data-encoder], main [data-shift]")) {
        let hidden = !fits(part);
        if (part.dataset.states !== undefined && seeds !== "all") {
          const lacks = part.dataset.states.split(" ").some(
            (state) => !["done", "inapplicable", "undefined"].includes(state));
          hidden ||= seeds === "done" ? lacks : !lacks;
        }
        part.hidden = hidden;
      }
      const rows = all("table.results tbody tr");
      const visible = rows.filter((row) => !row.hidden && !row.closest("[hidden]")).length;
      byId("shown").textContent = `${visible} of ${rows.length} rows shown`;
    };
    form.addEventListener("change", apply);
    form.addEventListener("reset", () => setTimeout(apply));
    apply();
  }

  function origins() {
    const dialog = byId("origin");
    document.addEventListener("click", (event) => {
      const link = event.target.closest("[data-records] a.value");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const records = link.closest("[data-records]").dataset.records.split(" ");
      const sources = records.map((record) => byId(`cell-${record.split("@")[0]}`)).filter(Boolean);
      if (!sources.length) return;  // of no cell: the link leads to its record
      event.preventDefault();
      const list = document.createElement("ul");
      for (const row of sources) {
        const [method, encoder, shift, seed, state] = [...row.cells].map((c) => c.innerText.trim());
        const item = document.createElement("li");
        item.append(`${method}, ${encoder}, ${shift}, seed ${seed}: ${state} `);
        for (const file of all(".files a", row)) item.append(file.cloneNode(true), " ");
        list.append(item);
      }
      byId("origin-list").replaceChildren(list);
      dialog.showModal();
    });
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  }

  function panels() {
    const data = byId("panel-data");
    if (!data) return;
    const shown = JSON.parse(data.textContent);
    const image = byId("panel-image"), prediction = byId("panel-prediction");
    const left = byId("panel-left"), slider = byId("panel-slider");
    const name = (each) => [each.method, each.encoder, each.shift, `seed ${each.seed}`].filter(Boolean).join(", ");
    shown.forEach((panel, index) => image.add(new Option(`${panel.domain}: ${panel.id}`, index)));
    const draw = () => {
      const panel = shown[image.value];
      const chosen = panel.predictions[prediction.value];
      const word = left.value === "truth" ? "ground truth" : "input image";
      // Only the pictures in view are decoded.
      byId("panel-above").src = panel[left.value];
      byId("panel-above").alt = `${word} of ${panel.domain}: ${panel.id}`;
      byId("panel-below").src = chosen ? chosen.source : panel.image;
      byId("panel-below").alt = chosen ? `prediction of ${name(chosen)}` : "no prediction";
      byId("panel-tag").textContent = word;
    };
    const offer = () => {
      const before = prediction.selectedOptions[0]?.text;
      const { predictions } = shown[image.value];
      prediction.replaceChildren(...predictions.map((each, i) => new Option(name(each), i)));
      const same = predictions.findIndex((each) => name(each) === before);
      prediction.value = String(Math.max(same, 0));
      draw();
    };
    const cut = () => slider.closest(".viewer").querySelector(".stage")
      .style.setProperty("--cut", `${slider.value}%`);
    image.addEventListener("change", offer);
    prediction.addEventListener("change", draw);
    left.addEventListener("change", draw);
    slider.addEventListener("input", cut);
    offer();
    cut();
  }

  for (const part of all(".needs-script")) part.hidden = false;
  for (const part of [theme, sorting, filtering, origins, panels]) part();
})();
