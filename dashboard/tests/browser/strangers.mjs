// Who is not the page: other sites, other names for this PC, other programs' pages on this PC. None may read anything.
import assert from "node:assert/strict";
import { createServer, request } from "node:http";

const listen = (answer) =>
  new Promise((resolve) => {
    const server = createServer(answer);
    server.listen(0, "127.0.0.1", () => resolve(server));
  });

/** What a page elsewhere gets of each way to reach trainer and node: nothing, if all is well. */
const attempts = async ({ base, rpc }) => {
  const got = [];
  const tried = async (name, attempt) => {
    try {
      const result = await attempt();
      if (result !== undefined) got.push(`${name}: ${result}`);
    } catch {
      // Refused, as it should be.
    }
  };
  await tried("fetch", async () => (await fetch(`${base}v1/status`)).text());
  await tried("fetch of the page", async () => (await fetch(base)).text());
  await tried("a question", async () => (await fetch(`${base}v1/paid-question`, { method: "POST", body: "{}" })).text());
  await tried("post", async () => (await fetch(`${base}v1/infer`, { method: "POST", body: "{}" })).text());
  await tried("script", () =>
    new Promise((resolve) => {
      const script = document.createElement("script");
      script.src = `${base}v1/status`;
      script.onload = () => resolve("loaded");
      script.onerror = () => resolve(undefined);
      document.body.append(script);
    }),
  );
  await tried("image", () =>
    new Promise((resolve) => {
      const image = new Image();
      image.onload = () => resolve("loaded");
      image.onerror = () => resolve(undefined);
      image.src = `${base}favicon.svg`;
    }),
  );
  await tried("events", () =>
    new Promise((resolve) => {
      const source = new EventSource(`${base}v1/events`);
      source.addEventListener("status", (event) => resolve(event.data));
      source.onerror = () => {
        source.close();
        resolve(undefined);
      };
    }),
  );
  await tried("frame", () =>
    new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.src = base;
      frame.onload = () => {
        try {
          resolve(frame.contentDocument?.querySelector("#app")?.textContent ?? undefined);
        } catch {
          resolve(undefined);
        }
      };
      document.body.append(frame);
    }),
  );
  const call = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "system_chain", params: [] });
  const node = rpc.replace("ws:", "http:");
  for (const type of ["application/json", "text/plain"]) {
    await tried(`the node, ${type}`, async () => {
      const response = await fetch(node, { method: "POST", headers: { "content-type": type }, body: call });
      return response.text();
    });
  }
  await tried("the node's socket", () =>
    new Promise((resolve) => {
      const socket = new WebSocket(rpc);
      socket.onopen = () => resolve("open");
      socket.onerror = () => resolve(undefined);
    }),
  );
  return got;
};

async function nothingFrom({ browser, page, rpc }, host) {
  const server = await listen((_, response) => response.end("<!doctype html><title>another page</title><p>hello"));
  const context = await browser.browser.newContext();
  try {
    const window = await context.newPage();
    await window.goto(`http://${host}:${server.address().port}/`);
    assert.deepEqual(await window.evaluate(attempts, { base: page, rpc }), []);
  } finally {
    await context.close();
    server.close();
  }
}

export async function a_page_of_another_site_gets_nothing(context) {
  await nothingFrom(context, "evil.example");
}

export async function a_page_on_another_port_of_this_pc_gets_nothing(context) {
  await nothingFrom(context, "127.0.0.1");
  await nothingFrom(context, "localhost");
}

export async function a_name_that_was_bound_to_this_pc_gets_nothing({ browser, page, rpc }) {
  const context = await browser.browser.newContext();
  try {
    const window = await context.newPage();
    const rebound = new URL(page);
    rebound.hostname = "evil.example";
    for (const path of ["/", "/v1/status", "/v1/events", "/favicon.svg"]) {
      const response = await window.goto(new URL(path, rebound).href);
      assert.equal(response.status(), 403, path);
      assert(!(await response.text()).includes("peer_id"), path);
    }
    // The node's port under that name, too: what is there then is of the page's own origin.
    const node = new URL(rpc.replace("ws:", "http:"));
    node.hostname = "evil.example";
    assert.equal((await window.goto(node.href)).status(), 403);
    const call = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "system_chain", params: [] });
    const asked = await window.evaluate(
      async (body) => {
        const response = await fetch("/", { method: "POST", headers: { "content-type": "application/json" }, body });
        return { status: response.status, text: await response.text() };
      },
      call,
    );
    assert.equal(asked.status, 403);
    assert(!asked.text.includes('"result"'), asked.text);
  } finally {
    await context.close();
  }
}

/** A request as no browser sends it. */
const raw = (page, path, headers) =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(page);
    const asked = request({ hostname, port, path, headers }, (response) => {
      response.resume();
      resolve(response);
    });
    asked.on("error", reject).end();
  });

export async function the_page_has_its_policy_and_its_files_are_kept({ page, rpc }) {
  const first = await raw(page, "/", { "accept-encoding": "gzip" });
  assert.equal(first.statusCode, 200);
  const policy = first.headers["content-security-policy"];
  assert.equal(
    policy,
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
      `connect-src 'self' ${rpc}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; ` +
      "require-trusted-types-for 'script'; trusted-types 'none'",
  );
  assert.equal(first.headers["content-type"], "text/html; charset=utf-8");
  assert.equal(first.headers["content-encoding"], "gzip");
  assert.equal(first.headers["cache-control"], "no-cache");
  const again = await raw(page, "/", { "accept-encoding": "gzip", "if-none-match": first.headers.etag });
  assert.equal(again.statusCode, 304);

  const html = await (await fetch(page)).text();
  const [script] = /\/assets\/main-[A-Z0-9]+\.js/.exec(html);
  const asset = await raw(page, script, {});
  assert.equal(asset.headers["content-type"], "text/javascript; charset=utf-8");
  assert.equal(asset.headers["cache-control"], "public, max-age=31536000, immutable");
  assert.equal(asset.headers["cross-origin-resource-policy"], "same-origin");
  for (const path of ["/assets/", "/assets/../index.html", "/index.html", "/files.rs", "/etc/passwd"]) {
    assert.equal((await raw(page, path, {})).statusCode, 404, path);
  }
}

export async function nothing_that_costs_is_done_for_who_has_no_token({ page }) {
  const question = JSON.stringify({ model: 0, image: { ValidationIndex: 0 } });
  for (const path of ["/v1/infer", "/v1/check-image", "/v1/duties"]) {
    const response = await fetch(new URL(path, page), { method: "POST", body: question });
    assert.equal(response.status, 401, path);
  }
}

export async function an_answer_is_for_who_paid({ page, chain }) {
  // Of the newest, the trainer's node may have another one in a moment.
  const block = await chain.block((await chain.newest()) - 3);
  const ask = (headers, question) =>
    fetch(new URL("/v1/paid-question", page), {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ model: 0, image: { ValidationIndex: 0 }, ...question }),
    });
  const salt = "5c".repeat(32);
  for (const headers of [{}, { "x-hydra-paid-in": "0x12" }, { "x-hydra-paid-in": block }]) {
    const response = await ask(headers, { salt });
    assert.equal(response.status, 402, JSON.stringify(headers));
    assert.equal((await response.json()).label, undefined);
  }
  assert.equal((await ask({ "x-hydra-paid-in": `0x${"11".repeat(32)}` }, { salt })).status, 503);
  // Without a salt anyone who sees a payment could guess what it was for.
  assert.equal((await ask({ "x-hydra-paid-in": block }, {})).status, 400);
}

export async function the_licences_of_what_the_page_is_made_of_come_with_it({ page }) {
  const licences = await (await fetch(new URL("/licences.txt", page))).text();
  for (const part of ["polkadot-api", "preact", "@noble/hashes", "rxjs"]) assert(licences.includes(`\n${part} `), part);
}
