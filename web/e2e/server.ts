import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A server under test. */
export interface Server {
  /** `http://127.0.0.1:PORT/` */
  readonly url: string;
  /** Ends it, if we started it; resolves to its exit code. */
  stop(): Promise<number | null>;
}

/** One that we started, and may treat badly. */
export interface OwnServer extends Server {
  /** SIGSTOP makes it silent without a word, SIGCONT goes on, SIGKILL ends it. */
  signal(name: NodeJS.Signals): void;
}

/** Where its events come from, what it stores them in (a folder of its own without it), and where it listens; port 0 takes a free one. */
export interface Start {
  readonly source: string;
  readonly store?: string | undefined;
  readonly listen?: string;
}

const READY_MS = 60_000;

/** The server at PAGETRACK_URL, else the binary PAGETRACK_BIN, started here on its sample. */
export async function pagetrack(): Promise<Server> {
  const url = process.env["PAGETRACK_URL"];
  return url ? { url, stop: () => Promise.resolve(0) } : startPagetrack({ source: "sample" });
}

/** Starts the binary PAGETRACK_BIN. */
export async function startPagetrack({ source, store, listen = "127.0.0.1:0" }: Start): Promise<OwnServer> {
  const binary = process.env["PAGETRACK_BIN"];
  if (!binary) throw new Error("set PAGETRACK_BIN to the pagetrack binary");
  const folder = await mkdtemp(join(tmpdir(), "pagetrack-e2e-store-"));
  const server = await start(binary, ["--source", source, "--listen", listen, "--store", store ?? `embedded:${folder}`]);
  const stop = async (): Promise<number | null> => {
    const code = await server.stop();
    await rm(folder, { recursive: true, force: true });
    return code;
  };
  return { ...server, stop };
}

/** Our own stand-in, in one of its states: for what a real server is not in when it is asked. */
export function mock(state: string): Promise<Server> {
  return start(process.execPath, [new URL("mock/server.mjs", import.meta.url).pathname, "0", state]);
}

async function start(command: string, args: string[]): Promise<OwnServer> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  const timer = setTimeout(() => child.kill("SIGKILL"), READY_MS);
  let url: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    url = /^\s*dashboard\s+(http:\S+)/.exec(line)?.[1];
    if (url) break;
  }
  clearTimeout(timer);
  if (!url) throw new Error(`${command} ended without saying where its dashboard is`);
  // Whatever it prints from now on must not fill the pipe.
  child.stdout.resume();
  const stop = async (): Promise<number | null> => {
    child.kill("SIGCONT");
    child.kill("SIGTERM");
    const [code] = (await exit) as [number | null];
    return code;
  };
  return { url, stop, signal: (name) => child.kill(name) };
}
