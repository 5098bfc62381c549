// Plain JavaScript, no build: what a page of this app does with its API.
const $ = (id) => document.getElementById(id);
const item = (list, text) => list.appendChild(document.createElement("li")).textContent = text;

async function hello() {
  const answer = await (await fetch("/api/hello")).json();
  $("hello").textContent = `Hello, ${answer.hello}, from ${answer.from}`;
}

async function posts() {
  const list = await (await fetch("/api/posts")).json();
  $("posts").replaceChildren();
  for (const post of list) item($("posts"), post.text ? `${post.title}: ${post.text}` : post.title);
}

$("write").onsubmit = async (event) => {
  event.preventDefault();
  const body = JSON.stringify(Object.fromEntries(new FormData(event.target)));
  await fetch("/api/posts", { method: "POST", headers: { "content-type": "application/json" }, body });
  event.target.reset();
  await posts();
};

$("upload").onsubmit = async (event) => {
  event.preventDefault();
  const file = event.target.file.files[0];
  const answer = await fetch("/api/upload", { method: "POST", body: file });
  $("uploaded").textContent = JSON.stringify(await answer.json(), null, 2);
};

function ticks() {
  new EventSource("/api/ticks").addEventListener("tick", (event) => { $("ticks").textContent = event.data; });
}

hello();
posts();
ticks();
