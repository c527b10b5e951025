// The editor of mappings, which works without this: cords drawn with the mouse, arrow keys on the board, rules dragged to
// another place, and completion.
//   [data-board]       the board; [data-source] and [data-target] are its jacks
//   [data-order]       a table whose rows are dragged; each has a form [data-move]
//   [data-draft]       the form of a rule, with the question that is asked before what was typed there is left unsaved
//   [data-complete]    a field that is completed from the [data-word]s of the element with that id
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const DRAG_FROM = 5; // px, less is a click
  const jackAt = (event, kind) => document.elementFromPoint(event.clientX, event.clientY)?.closest(`[data-board] li`)?.querySelector(`[data-${kind}]`);

  // Cords ----------------------------------------------------------------------------------------------------------

  const connect = (board, source, target) => {
    board.elements.source.value = source;
    const end = Object.assign(document.createElement("input"), { type: "hidden", name: "target", value: target });
    board.append(end);
    board.requestSubmit();
  };

  let drag = null; // {jack, board, x, y, path}
  const place = (event) => {
    const box = drag.board.querySelector(".cords").getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * 100, event.clientY - box.top];
  };
  const begin = (event) => {
    const jack = event.button === 0 && event.pointerType !== "touch" && event.target.closest?.("[data-board] .from li")?.querySelector("[data-source]");
    if (jack) drag = { jack, board: jack.closest("[data-board]"), x: event.clientX, y: event.clientY, path: null };
  };
  const move = (event) => {
    if (!drag) return;
    if (!drag.path) {
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < DRAG_FROM) return;
      drag.path = document.createElementNS(SVG, "path");
      drag.path.setAttribute("class", "cord cord-field sel drawn");
      drag.board.querySelector(".cords").append(drag.path);
      drag.board.classList.add("drawing");
    }
    const [x, y] = place(event);
    const row = [...drag.jack.closest("ul").children].indexOf(drag.jack.closest("li"));
    const start = row * 36 + 18, sag = 14 + Math.abs(y - start) * 0.06;
    drag.path.setAttribute("d", `M0 ${start}C42 ${start + sag} ${x - 42} ${y + sag} ${x} ${y}`);
    drag.board.querySelectorAll(".to .over").forEach((each) => each.classList.remove("over"));
    jackAt(event, "target")?.closest("li").classList.add("over");
    event.preventDefault();
  };
  const end = (event) => {
    if (!drag) return;
    const { jack, board, path } = drag;
    drag = null;
    if (!path) return;
    path.remove();
    board.classList.remove("drawing");
    // The click that follows would pick the source.
    addEventListener("click", (click) => { click.preventDefault(); click.stopPropagation(); }, { capture: true, once: true });
    setTimeout(() => dispatchEvent(new Event("click")));
    const target = jackAt(event, "target");
    board.querySelectorAll(".to .over").forEach((each) => each.classList.remove("over"));
    if (target) connect(board, jack.dataset.source, target.dataset.target);
  };
  document.addEventListener("pointerdown", begin);
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", end);
  document.addEventListener("pointercancel", () => { drag?.path?.remove(); drag?.board.classList.remove("drawing"); drag = null; });

  // Arrow keys go along a column and over to the other one; Escape puts a picked source back.
  const columnOf = (jack) => [...jack.closest("ul").querySelectorAll("[data-source], [data-target]")];
  const across = (jack) => jack.closest("[data-board]").querySelectorAll(jack.dataset.source === undefined ? "[data-source]" : "[data-target]");
  const onBoard = (event) => {
    const jack = event.target.closest?.("[data-board] :is([data-source], [data-target])");
    if (!jack) return;
    const column = columnOf(jack), at = column.indexOf(jack);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const to = step ? column[at + step] : { ArrowRight: 1, ArrowLeft: 1 }[event.key] ? across(jack)[Math.min(at, across(jack).length - 1)] : null;
    if (step || to) event.preventDefault();
    to?.focus();
    if (event.key === "Escape") document.getElementById("board-put-back")?.click();
  };

  // Rules dragged to another place -------------------------------------------------------------------------------------

  const rowOf = (event) => event.target.closest?.("[data-order] tbody tr");
  let carried = null;
  const mayDrag = () => document.querySelectorAll("[data-order] tbody tr").forEach((row) => { row.draggable = Boolean(row.querySelector("[data-move]")); });
  document.addEventListener("dragstart", (event) => {
    carried = rowOf(event);
    if (carried) event.dataTransfer.effectAllowed = "move";
  });
  document.addEventListener("dragover", (event) => {
    const row = carried && rowOf(event);
    if (!row) return;
    event.preventDefault();
    carried.parentElement.querySelectorAll(".over").forEach((each) => each.classList.remove("over"));
    row.classList.add("over");
  });
  document.addEventListener("dragend", () => {
    carried?.parentElement.querySelectorAll(".over").forEach((each) => each.classList.remove("over"));
    carried = null;
  });
  document.addEventListener("drop", (event) => {
    const row = carried && rowOf(event);
    if (!row) return;
    event.preventDefault();
    const form = carried.querySelector("[data-move]");
    const number = [...row.parentElement.children].indexOf(row) + 1;
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "place", value: number }));
    form.requestSubmit();
  });

  // Completion -----------------------------------------------------------------------------------------------------------

  const MOST = 8;
  const WORD = /[$`\w.]*(?:`[^`]*)?$/;
  let list = null, field = null, at = -1;
  const begun = () => field.value.slice(0, field.selectionStart).match(WORD)[0];
  const close = () => {
    list?.remove();
    list = null;
    field?.removeAttribute("aria-controls");
    field?.removeAttribute("aria-activedescendant");
  };
  const point = (number) => {
    at = (number + list.children.length) % list.children.length;
    [...list.children].forEach((each, place) => each.setAttribute("aria-selected", String(place === at)));
    field.setAttribute("aria-activedescendant", list.children[at].id);
    list.children[at].scrollIntoView({ block: "nearest" });
  };
  const kind = () => field.form.elements.kind?.value;
  const takesFunctions = () => ["formula", "template"].includes(kind());
  // A text has expressions between braces only; a fixed value has none.
  const mayName = () => {
    const before = field.value.slice(0, field.selectionStart);
    return kind() === "template" ? before.lastIndexOf("{{") > before.lastIndexOf("}}") : kind() !== "static";
  };
  const fitting = (text) => {
    const words = [...document.getElementById(field.dataset.complete).querySelectorAll("[data-word]")];
    const wanted = text.toLowerCase();
    return words
      .filter((word) => takesFunctions() || !("function" in word.dataset))
      .filter((word) => word.dataset.word !== text && (word.dataset.word.toLowerCase().startsWith(wanted) || (wanted.length > 1 && word.dataset.word.toLowerCase().includes(wanted))))
      .sort((one, other) => other.dataset.word.toLowerCase().startsWith(wanted) - one.dataset.word.toLowerCase().startsWith(wanted))
      .slice(0, MOST);
  };
  const open = (always) => {
    const text = begun();
    const words = (text || always) && mayName() ? fitting(text) : [];
    close();
    if (!words.length) return;
    list = Object.assign(document.createElement("ul"), { id: "completions", className: "completions" });
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Completions");
    words.forEach((word, number) => {
      const row = word.closest("tr"), item = Object.assign(document.createElement("li"), { id: `completion-${number}` });
      item.setAttribute("role", "option");
      item.dataset.take = word.dataset.word;
      const code = document.createElement("code"), note = document.createElement("span");
      code.textContent = word.dataset.word;
      note.textContent = [...row.querySelectorAll("td")].map((cell) => cell.textContent).filter(Boolean).join(" · ");
      item.append(code, note);
      list.append(item);
    });
    field.after(list);
    field.setAttribute("aria-controls", "completions");
    point(0);
  };
  const put = (word, instead) => {
    const before = field.value.slice(0, field.selectionStart - instead.length), after = field.value.slice(field.selectionEnd);
    const call = word.startsWith("$") && !after.startsWith("(") ? "(" : "";
    field.value = before + word + call + after;
    field.selectionStart = field.selectionEnd = before.length + word.length + call.length;
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    close();
  };
  const ready = () => {
    mayDrag();
    document.querySelectorAll("[data-complete]").forEach((each) => {
      for (const [name, value] of Object.entries({ "aria-autocomplete": "list", "aria-haspopup": "listbox" })) each.setAttribute(name, value);
    });
  };
  const KEYS = {
    ArrowDown: () => point(at + 1),
    ArrowUp: () => point(at - 1),
    Enter: () => put(list.children[at].dataset.take, begun()),
    Tab: () => put(list.children[at].dataset.take, begun()),
    Escape: close,
  };
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("[data-complete]") || !event.isTrusted) return;
    field = event.target;
    open(false);
  });
  document.addEventListener("keydown", (event) => {
    onBoard(event);
    if (!event.target.matches?.("[data-complete]")) return;
    field = event.target;
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      open(true);
    } else if (list && KEYS[event.key] && !event.shiftKey) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });
  document.addEventListener("focusout", (event) => { if (event.target === field) close(); });
  document.addEventListener("pointerdown", (event) => {
    const item = event.target.closest?.("[data-take]"), word = event.target.closest?.("[data-word]");
    if (!item && !word) return;
    event.preventDefault(); // the field keeps the focus and its place
    field = field?.isConnected ? field : document.querySelector("[data-complete]");
    put(item?.dataset.take ?? word.dataset.word, item ? begun() : "");
  });

  // A rule that is typed and not saved ------------------------------------------------------------------------------------

  let typed = false;
  const draft = () => document.querySelector("[data-draft]");
  document.addEventListener("input", (event) => { typed ||= Boolean(event.isTrusted && event.target.closest?.("#rule")); });
  document.addEventListener("submit", (event) => { if (!event.defaultPrevented && event.target === draft()) typed = false; });
  document.addEventListener("htmx:confirm", (event) => {
    const { elt, target, verb } = event.detail;
    if (!typed || !draft() || target?.id !== "editor" || draft().contains(elt) && verb !== "get") return;
    event.preventDefault();
    if (confirm(draft().dataset.draft)) event.detail.issueRequest(true);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const { xhr, target, requestConfig } = event.detail;
    if (target.id !== "editor") return;
    const there = new URL(xhr.responseURL).pathname; // where a save has led on to, or a link to
    if (requestConfig.verb === "get" || there !== new URL(requestConfig.path, location.href).pathname) typed = false;
  });
  addEventListener("beforeunload", (event) => { if (typed && draft()) event.preventDefault(); });

  // While the whole editor is on its way, a preview of what it was comes too late: none is asked for, and none is taken.
  let onItsWay = 0, asked = null;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target?.id === "preview" && onItsWay) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSend", (event) => {
    const { xhr, target } = event.detail;
    if (target?.id === "preview") asked = xhr;
    if (target?.id !== "editor") return;
    onItsWay += 1;
    if (asked) asked.onload = null;
  });
  document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.target?.id === "editor") onItsWay -= 1; });

  // An answer that is another page, such as the sign-in, is shown as a whole.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target } = event.detail;
    if (target?.id !== "editor" || xhr.status >= 300 || xhr.responseText.includes('id="editor"')) return;
    event.detail.shouldSwap = false;
    location.assign(xhr.responseURL);
  });

  document.addEventListener("htmx:afterSettle", ready);
  ready();
})();
