// What is dropped on the page, or chosen: its files, each with the names of the folders it lies in.
// The server trusts none of it; it says what was left out, and why.
window.footnoteDrop ??= (() => {
  const texts = window.footnoteTexts; // rag/texts.py
  const { filled } = window.footnote;
  const LOOKED_AT = 20_000; // files and folders

  // Resolves to { files: [{ file, folder }], others, left, first, failed }, in order of the paths.
  // others: how many files of other formats, by suffix. left: how many files were too many.
  async function read(transfer, limits) {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()); // gone after await
    if (!entries.some((entry) => entry?.isDirectory)) return chosen(transfer.files, limits);
    const found = { ...nothing(), seen: 0, limits };
    for (const entry of ordered(entries.filter(Boolean))) await walk(entry, "", found);
    if (found.seen <= LOOKED_AT) return found;
    const name = entries.find((entry) => entry?.isDirectory).name;
    return { ...nothing(), failed: [filled(texts.tooManyEntries, name, LOOKED_AT)] };
  }

  function chosen(files, limits) {
    const found = { ...nothing(), limits };
    for (const file of files) {
      const folder = (file.webkitRelativePath || "").split("/").slice(0, -1).join("/");
      if (has(found, file.name, folder)) found.files.push({ file, folder });
    }
    return found;
  }

  const nothing = () => ({ files: [], others: {}, left: 0, first: "", failed: [] });
  const ordered = (entries) => entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const within = (folder, name) => (folder ? `${folder}/${name}` : name);

  async function walk(entry, folder, found) {
    if (entry.name.startsWith(".") || ++found.seen > LOOKED_AT) return;
    const path = within(folder, entry.name);
    try {
      if (entry.isDirectory) {
        for (const child of ordered(await children(entry))) await walk(child, path, found);
      } else if (has(found, entry.name, folder)) {
        const file = await new Promise((done, fail) => entry.file(done, fail));
        found.files.push({ file, folder });
      }
    } catch {
      found.failed.push(filled(entry.isDirectory ? texts.notListed : texts.notSent, path));
    }
  }

  // Whether a file is one to send; counts it if not. A single file is refused by the server, with
  // the reason; in a folder, those of other formats are only counted.
  function has(found, name, folder) {
    const suffix = /[^.](\.[^.]+)$/.exec(name)?.[1].toLowerCase() ?? "";
    if (folder && !found.limits.suffixes.includes(suffix)) {
      found.others[suffix] = (found.others[suffix] ?? 0) + 1;
    } else if (found.files.length >= found.limits.atOnce) {
      found.first ||= within(folder, name);
      found.left += 1;
    } else {
      return true;
    }
    return false;
  }

  async function children(folder) {
    const reader = folder.createReader();
    const found = [];
    for (;;) {
      const some = await new Promise((done, fail) => reader.readEntries(done, fail));
      if (!some.length) return found;
      found.push(...some);
    }
  }

  return { read, chosen };
})();
