// Rows that can be dragged to another place, for lists that have buttons for it too.
//   [data-rows="address"]   holds the rows; their order is sent to the address as `order`, an id each
//   [data-row="id"]          a row
//   [data-drag]              its handle, hidden until this script is there
(() => {
  const start = (list) => {
    const rows = () => [...list.querySelectorAll(":scope > [data-row]")];
    const order = () => rows().map((row) => row.dataset.row).join();
    let before = "", dragged = null;

    const send = () => {
      const form = document.createElement("form");
      const token = document.querySelector("[name=csrfmiddlewaretoken]");
      form.method = "post";
      form.action = list.dataset.rows;
      form.hidden = true;
      const fields = [["csrfmiddlewaretoken", token.value], ...rows().map((row) => ["order", row.dataset.row])];
      for (const [name, value] of fields) form.append(Object.assign(document.createElement("input"), { name, value }));
      document.body.append(form);
      form.submit();
    };

    for (const handle of list.querySelectorAll("[data-drag]")) {
      handle.hidden = false;
      handle.draggable = true;
      handle.addEventListener("dragstart", (event) => {
        dragged = handle.closest("[data-row]");
        before = order();
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setData("text/plain", dragged.dataset.row);
        event.dataTransfer.setDragImage(dragged, 0, 0);
        dragged.classList.add("dragged");
      });
      handle.addEventListener("dragend", (event) => {
        dragged.classList.remove("dragged");
        dragged = null;
        // Let go outside of the list, or Escape: the page comes back as it was.
        if (event.dataTransfer.dropEffect === "none") { if (order() !== before) location.reload(); }
        else if (order() !== before) send();
      });
    }
    list.addEventListener("dragover", (event) => {
      const over = event.target.closest("[data-row]");
      if (!dragged) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "move";
      if (!over || over === dragged || over.parentElement !== list) return;
      const box = over.getBoundingClientRect();
      const below = event.clientY > box.top + box.height / 2;
      over[below ? "after" : "before"](dragged);
    });
    list.addEventListener("drop", (event) => event.preventDefault());
  };

  for (const list of document.querySelectorAll("[data-rows]")) start(list);
})();
