// The list of articles: search, time line, selection, adding and removing. What it shows comes from
// the server; this file never puts text into the page as markup.
window.footnoteShelf ??= (() => {
  const texts = window.footnoteTexts; // rag/texts.py
  const { filled } = window.footnote;
  const picked = new Set(); // paths that are ticked
  const chosen = {}; // period and length of the list
  const NAMED = 5; // files that could not be sent
  let ask = null; // sends what the list should show
  let waiting = null; // a search that is still being typed
  let opened = null; // path of the article that was opened last

  const side = () => document.getElementById("side");
  const field = (name) => document.querySelector(`#shelf [data-list="${name}"]`);
  const find = (name, value) =>
    [...document.querySelectorAll(`#shelf [data-${name}]`)].find((it) => it.dataset[name] === value);

  function list() {
    clearTimeout(waiting);
    const typed = ["query", "source", "order"].map((name) => [name, field(name)?.value ?? ""]);
    ask?.("input", wanted(typed));
  }
  const wanted = (typed) => ({ ...Object.fromEntries(typed), ...chosen });
  const view = () => wanted(["query", "source", "order"].map((n) => [n, field(n)?.value ?? ""]));

  function choose(first, last) {
    Object.assign(chosen, { first, last, most: "" });
    list();
  }

  function lists(element, trigger, watch) {
    ask = trigger;
    element.addEventListener("input", (event) => {
      if (!event.target.matches("input[data-list]")) return;
      chosen.most = "";
      clearTimeout(waiting);
      waiting = setTimeout(list, 200);
    });
    element.addEventListener("change", (event) => {
      const { pick } = event.target.dataset;
      if (event.target.matches("select[data-list]")) list();
      if (pick === undefined) return;
      if (event.target.checked) picked.add(pick);
      else picked.delete(pick);
      showPicked();
    });
    element.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const { first, last, most, article } = button.dataset;
      if (article !== undefined) opened = article;
      if (first !== undefined) {
        const off = button.getAttribute("aria-pressed") === "true";
        choose(off ? "" : first, off ? "" : last);
      }
      if ("showAll" in button.dataset) {
        for (const name of ["query", "source"]) if (field(name)) field(name).value = "";
        choose("", "");
        heading()?.focus();
      }
      if (most !== undefined) {
        chosen.most = most;
        list();
      }
      if ("askListed" in button.dataset) {
        trigger("submit", view());
        toQuestion();
      }
      if ("remove" in button.dataset) confirm(button);
    });
    element.addEventListener("keydown", (event) => {
      const bar = event.target.closest("button.bar");
      const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
      if (!bar || step === undefined) return;
      event.preventDefault();
      const bars = [...element.querySelectorAll("button.bar")];
      const to = Math.max(0, Math.min(bars.length - 1, bars.indexOf(bar) + step));
      for (const other of bars) other.tabIndex = other === bars[to] ? 0 : -1;
      bars[to].focus();
    });
    // Gradio changes the old markup into the new one, and leaves ticks where they stood.
    watch("value", tick);
  }

  function tick() {
    for (const box of document.querySelectorAll("#shelf .pick")) box.checked = picked.has(box.dataset.pick);
    showPicked();
  }

  function showPicked() {
    const bar = side()?.querySelector(".picked");
    if (!bar) return;
    const said = picked.size === 1 ? texts.oneSelected : filled(texts.selected, picked.size);
    const count = bar.querySelector("[data-count]");
    if (count.textContent !== said) count.textContent = said;
    bar.hidden = picked.size === 0;
  }

  function picks(element, trigger) {
    element.addEventListener("click", (event) => {
      if (event.target.closest("[data-ask-picked]")) {
        trigger("submit", { paths: [...picked] });
        toQuestion();
      }
      if (event.target.closest("[data-ask-picked], [data-unpick]")) {
        picked.clear();
        tick();
        if (event.target.closest("[data-unpick]")) heading()?.focus();
      }
    });
  }

  function chips(element, trigger) {
    element.addEventListener("click", (event) => {
      if (!event.target.closest("[data-unscope]")) return;
      trigger("clear", {});
      toQuestion();
    });
  }

  const heading = () => side()?.querySelector(".shelf-head h2");

  function toQuestion() {
    window.footnote.hidePane();
    document.querySelector("#question textarea")?.focus();
  }

  // The list comes back from an article: where the visitor was.
  function returned() {
    return (opened !== null && find("article", opened)) || heading();
  }

  let confirm = () => {};

  function adds(element, trigger, upload) {
    const dialog = element.querySelector("dialog");
    let from = null;
    confirm = (button) => {
      from = button;
      dialog.querySelector("[data-name]").textContent = button.dataset.whole || button.dataset.name;
      dialog.querySelector("[data-whole]").textContent = button.dataset.whole
        ? filled(texts.alongWith, button.dataset.name)
        : "";
      dialog.returnValue = "";
      dialog.showModal();
    };
    dialog.querySelector("[data-keep]").addEventListener("click", () => dialog.close(""));
    dialog.querySelector("[data-go]").addEventListener("click", () => dialog.close("remove"));
    dialog.addEventListener("close", () => {
      if (dialog.returnValue !== "remove") return from?.focus();
      trigger("delete", { remove: from.dataset.remove });
      heading()?.focus();
    });

    const input = element.querySelector("[data-files]");
    if (!input) return; // nothing can be added here
    const sending = element.querySelector(".sending");
    const most = Number(input.dataset.most);
    const limits = { atOnce: Number(input.dataset.atOnce), suffixes: input.dataset.suffixes.split(" ") };
    const send = async ({ files, others, left, first, failed }) => {
      const sent = [];
      for (const [n, { file, folder }] of files.entries()) {
        sending.textContent = filled(texts.sending, n + 1, files.length);
        if (file.size > most) {
          failed.push(filled(texts.tooLarge, file.name, most / 1e6));
          continue;
        }
        try {
          const { path } = await upload(file);
          sent.push({ path, name: file.name, folder });
        } catch {
          failed.push(filled(texts.notSent, file.name));
        }
      }
      const more = failed.length > NAMED ? [filled(texts.more, failed.length - NAMED)] : [];
      sending.textContent = [...failed.slice(0, NAMED), ...more].join(" ");
      if (sent.length || !failed.length) trigger("upload", { files: sent, others, left, first });
    };
    element.querySelector("[data-add]").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      send(window.footnoteDrop.chosen(input.files, limits));
      input.value = "";
    });
    drops(async (transfer) => send(await window.footnoteDrop.read(transfer, limits)));
  }

  // Files and folders that are dropped anywhere on the page.
  function drops(take) {
    let inside = 0;
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    const mark = () => document.body.toggleAttribute("data-dropping", inside > 0);
    document.addEventListener("dragenter", (event) => {
      if (hasFiles(event)) inside += 1;
      mark();
    });
    document.addEventListener("dragleave", (event) => {
      if (hasFiles(event)) inside = Math.max(0, inside - 1);
      mark();
    });
    document.addEventListener("dragover", (event) => {
      if (hasFiles(event)) event.preventDefault();
    });
    document.addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      inside = 0;
      mark();
      take(event.dataTransfer);
    });
  }

  // What adding and removing did. At its end the list is asked for again.
  function says(element, watch) {
    let last = "";
    watch("value", () => {
      const { state, run } = element.querySelector(".shelving")?.dataset ?? {};
      const now = `${state} ${run}`;
      if (state === "done" && now !== last) list();
      last = now;
      element.hidden = false;
    });
    element.addEventListener("click", (event) => {
      if (!event.target.closest("[data-dismiss]")) return;
      element.hidden = true;
      heading()?.focus();
    });
  }

  return { lists, picks, chips, adds, says, returned };
})();
