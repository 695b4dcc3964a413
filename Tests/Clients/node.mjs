// Asks a server by Node's fetch or http2, over one connection: reads what as JSON, and prints the answers so.
import { connect } from "node:http2";
import { readFileSync } from "node:fs";

const { kind, url, questions } = JSON.parse(readFileSync(0));
const content = (question) => (question.content === null ? undefined : Buffer.from(question.content, "base64"));

async function byFetch({ method, path, fields, ...question }) {
  const response = await fetch(url + path, {
    method, headers: { "accept-encoding": "identity", ...fields }, body: content(question),
  });
  return { status: response.status, content: Buffer.from(await response.arrayBuffer()) };
}

function byHTTP2(session, { method, path, fields, ...question }) {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":method": method, ":path": path, ...fields });
    const parts = [];
    let status = 0;
    stream.on("response", (head) => (status = head[":status"]));
    stream.on("data", (part) => parts.push(part));
    stream.on("end", () => resolve({ status, content: Buffer.concat(parts) }));
    stream.on("error", reject);
    stream.end(content(question));
  });
}

const session = kind === "http2" ? connect(url) : null;
const answers = [];
for (const question of questions) {
  const found = await (session ? byHTTP2(session, question) : byFetch(question));
  answers.push({ status: found.status, content: found.content.toString("base64") });
}
session?.close();
process.stdout.write(JSON.stringify(answers), () => process.exit());
