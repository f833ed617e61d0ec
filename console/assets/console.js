// What pages gain where scripts run: values that follow the balance, buttons that copy, a question before what can't be undone.
// Everything works without.
"use strict";

// <body data-…> is not ours to fill: a page that wants live values has one element with data-live, the address of a stream. Each event
// is JSON; an element with data-value="name" shows the member of that name, a <progress data-value> takes it as its value.
for (const source of document.querySelectorAll("[data-live]")) {
  const stream = new EventSource(source.dataset.live);
  stream.onmessage = (event) => {
    const values = JSON.parse(event.data);
    for (const place of document.querySelectorAll("[data-value]")) {
      const value = values[place.dataset.value];
      if (value === undefined) continue;
      if (place instanceof HTMLProgressElement) place.value = value;
      else if (place.textContent !== String(value)) place.textContent = value;
    }
    // An element with data-changed="name" shows itself when the member of that name is another than data-was.
    for (const note of document.querySelectorAll("[data-changed]")) {
      note.hidden = String(values[note.dataset.changed]) === note.dataset.was;
    }
  };
  // The server ends each stream after a while on purpose; the browser asks again by itself.
  addEventListener("pagehide", () => stream.close());
}

// <button type="button" data-copy="id"> copies what the element of that id says.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    const said = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = said; }, 2000);
  });
}

// <button data-set="id" data-to="value"> puts a value into a field: presets.
for (const button of document.querySelectorAll("[data-set]")) {
  button.addEventListener("click", (event) => {
    if (button.type === "button") {
      event.preventDefault();
      const field = document.getElementById(button.dataset.set);
      field.value = button.dataset.to;
      field.focus();
    }
  });
}

// <form data-ask="question"> asks before it is sent.
for (const form of document.querySelectorAll("form[data-ask]")) {
  form.addEventListener("submit", (event) => {
    if (!confirm(form.dataset.ask)) event.preventDefault();
  });
}

// <meta name="look-again" content="seconds">: a page that waits for something loads itself again.
const again = document.querySelector('meta[name="look-again"]');
if (again) setTimeout(() => location.reload(), Number(again.content) * 1000);
