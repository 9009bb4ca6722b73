// The tutorial, run as it is written: its commands, and its programs in TypeScript and in Python, types and all.
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { pagetrack, type Server } from "../e2e/server";

interface Block {
  readonly language: string;
  /** Where the reader is told to put it. */
  readonly file: string | undefined;
  readonly text: string;
}

const WEB = new URL("..", import.meta.url).pathname;
const TUTORIAL = await readFile(new URL("../../graphql/TUTORIAL.md", import.meta.url), "utf8");
const questions = section("## The first question", "## A typed program");
const programs = section("## A typed program", "### In TypeScript");
const typescript = section("### In TypeScript", "### In Python");
const python = section("### In Python", "## Further");
const hasPython = spawnSync("python3", ["-c", "import ensurepip, sys; assert sys.version_info >= (3, 11)"]).status === 0;
let server: Server;

beforeAll(async () => {
  server = await pagetrack();
  // The sample takes a moment to be stored.
  const query = encodeURIComponent('{ domain(name: "www.wikidata.org") { pages(during: { lastHours: 3 }) { totalCount } } }');
  await vi.waitFor(
    async () => {
      const answer = await (await fetch(new URL(`graphql?query=${query}`, server.url))).text();
      expect(Number(/"totalCount":(\d+)/.exec(answer)?.[1])).toBeGreaterThan(200);
    },
    { timeout: 60_000, interval: 200 },
  );
});

afterAll(async () => void expect(await server.stop()).toBe(0));

/** The blocks between two headings of the tutorial. */
function section(from: string, to: string): Block[] {
  const [begin, end] = [TUTORIAL.indexOf(`\n${from}\n`), TUTORIAL.indexOf(`\n${to}\n`)];
  expect(begin >= 0 && begin < end, `${from} … ${to}`).toBe(true);
  const text = TUTORIAL.slice(begin, end);
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(({ index, 1: language = "", 2: body = "" }) => ({
    language,
    file: language === "sh" ? undefined : /`([\w.]+)`:$/.exec(text.slice(0, index).split("\n").at(-2) ?? "")?.[1],
    text: body,
  }));
}

/** The block as it is written, but for the address. */
function here(text: string): string {
  return text.replaceAll("127.0.0.1:8000", new URL(server.url).host);
}

async function run(script: string, folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)("bash", ["-euo", "pipefail", "-c", here(script)], { cwd: folder });
  return stdout;
}

/** What an answer is made of, whatever it says. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shape);
  if (typeof value !== "object" || value === null) return value === null ? null : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, shape(of)]));
}

async function folderOf(files: readonly Block[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pagetrack-tutorial-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const { file, text } of files) if (file) await writeFile(join(folder, file), here(text));
  return folder;
}

/** That a program walked, reported and listened. */
function expectAll(printed: string): void {
  const [walked = "", ...lines] = printed.trim().split("\n");
  expect(Number(/^(\d+) pages in three hours$/.exec(walked)?.[1])).toBeGreaterThan(200);
  expect(lines.slice(0, 3).every((line) => /^\d+ \S/.test(line)), printed).toBe(true);
  expect(lines.length, printed).toBeGreaterThan(3);
  expect(lines.slice(3).every((line) => /^[a-z0-9.-]+\.[a-z]+ \S/.test(line)), printed).toBe(true);
}

it("answers each command as it says", async () => {
  const commands = questions.filter(({ language }) => language === "sh");
  expect(commands.length).toBeGreaterThan(6);
  // What one leaves, a later one reads.
  const folder = await folderOf([]);
  let compared = 0;
  for (const [index, block] of questions.entries()) {
    if (block.language !== "sh") continue;
    const printed = await run(block.text, folder);
    const next = questions[index + 1];
    if (next?.language === "json") {
      expect(shape(JSON.parse(printed)), block.text).toEqual(shape(JSON.parse(next.text)));
      compared += 1;
    } else if (next?.language === "text") {
      expect(printed.trim()).toBe(next.text.trim());
      compared += 1;
    } else if (block.text.includes("subscription")) {
      expect(printed.match(/^data: \{"data":\{"pageCreated":\{"page":.*"cursor":"\S+","missedCount":0\}\}\}$/gm)?.length, printed).toBeGreaterThan(1);
    } else {
      const parts = printed.trim().split("\n");
      expect(parts.length).toBeGreaterThan(2);
      expect(parts.map((part) => part.includes('"hasNextPage":true'))).toEqual(parts.map((_, i) => i < parts.length - 1));
    }
  }
  expect(compared).toBeGreaterThan(8);
});

it("compiles and runs the program in TypeScript", { timeout: 180_000 }, async () => {
  const [install, ...commands] = typescript.filter(({ language }) => language === "sh");
  const { devDependencies } = JSON.parse(await readFile(join(WEB, "package.json"), "utf8")) as { devDependencies: object };
  const wanted = [...(install?.text ?? "").matchAll(/^npm install (?:--\S+ )?(.*)$/gm)].flatMap(([, names = ""]) => names.split(" "));
  expect(wanted.length).toBeGreaterThan(5);
  expect(Object.keys(devDependencies)).toEqual(expect.arrayContaining(wanted));
  const folder = await folderOf([...programs, ...typescript]);
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await symlink(join(WEB, "node_modules"), join(folder, "node_modules"));
  const printed = await run(commands.map(({ text }) => text).join(""), folder);
  expectAll(printed.slice(printed.search(/^\d+ pages/m)));
});

it.skipIf(!hasPython && !process.env["CI"])("types and runs the program in Python", { timeout: 300_000 }, async () => {
  const [install, ...commands] = python.filter(({ language }) => language === "sh");
  const pinned = await readFile(new URL("requirements.txt", import.meta.url), "utf8");
  const wanted = /pip install '(.*)'$/m.exec(install?.text ?? "")?.[1] ?? "nothing";
  expect(pinned).toContain(`\n${wanted}==`);
  const folder = await folderOf([...programs, ...python]);
  await writeFile(join(folder, "requirements.txt"), pinned);
  await run("python3 -m venv venv; venv/bin/pip install --quiet --requirement requirements.txt", folder);
  const printed = await run(commands.map(({ text }) => text).join(""), folder);
  expectAll(printed.slice(printed.search(/^\d+ pages/m)));
  const checked = await run("venv/bin/mypy --strict --follow-imports=silent client.py", folder);
  expect(checked).toContain("Success: no issues found");
});
