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

function chat() {
  const socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/api/chat`);
  socket.onopen = () => { $("say").dataset.open = "yes"; };
  socket.onmessage = (event) => item($("chat"), event.data);
  socket.onclose = () => { delete $("say").dataset.open; setTimeout(chat, 1000); };
  $("say").onsubmit = (event) => {
    event.preventDefault();
    socket.send(event.target.text.value);
    event.target.reset();
  };
}

function ticks() {
  new EventSource("/api/ticks").addEventListener("tick", (event) => { $("ticks").textContent = event.data; });
}

hello();
posts();
chat();
ticks();
