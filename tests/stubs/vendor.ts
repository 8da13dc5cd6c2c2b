/**
 * One vendor on this machine: judge, stub, faults, and what it has received.
 *
 * A request → the answer and what became of it. Keeps the last requests and violations only. No socket here: `server.ts` has them.
 */
import { judgeOf, type Judged } from "../judge/judge.ts";
import { secretsOf } from "../judge/kinds.ts";
import { FAULTS, type Fault } from "./faults.ts";
import type { Stub, StubAnswer, StubRequest } from "./types.ts";

/** The most requests and violations that a vendor keeps, and the most characters of a body. */
const RECEIVED_MAX = 500;
const VIOLATIONS_MAX = 100;
const BODY_CHARS_MAX = 20_000;

/** Header fields and query names whose values are secrets. Their first characters tell them apart on the page. */
const SECRET = /auth|token|secret|key|signature|password|jwt/i;
const SHOWN = 6;

export interface Received {
  readonly at: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  /** What the judge said. */
  readonly findings: string[];
  /** The fault that spoiled the answer. */
  readonly fault?: string;
  /** Whether the stub got the request. */
  readonly isCommitted: boolean;
  /** The status of the vendor's own answer; of a request that it never got, 0. */
  readonly status: number;
}

export interface Taken {
  readonly answer: StubAnswer;
  readonly fault: Fault | undefined;
}

export class Vendor {
  readonly stub: Stub;
  readonly received: Received[] = [];
  readonly violations: { at: string; request: string; finding: string }[] = [];
  readonly faults: (Fault & { count: number })[] = [];

  readonly #secrets: readonly string[];

  /** `secrets` may have signed a request as well, beside those of the golden cases. */
  constructor(stub: Stub, secrets: readonly string[] = []) {
    this.stub = stub;
    this.#secrets = [...secretsOf(stub.kind), ...secrets];
    judgeOf(stub.spec).prepare();
  }

  /** Whether the request is for this vendor. */
  isAsked(request: StubRequest): boolean {
    return this.stub.hosts.test(request.url.hostname) && this.stub.isMine?.(request) !== false;
  }

  /** Answers a request. A fault that is due spoils the answer; the caller does that. */
  take(request: StubRequest): Taken {
    const { stub } = this;
    const asked = { method: request.method, url: request.url.href, headers: request.headers, body: request.body };
    const findings = judgeOf(stub.spec).judge(asked, { secrets: this.#secrets });
    for (const finding of findings) this.#violate(request, finding);
    const fault = this.#due();
    const isCommitted = findings.length === 0 && (!fault || FAULTS[fault.fault].isCommitted);
    const refusal: StubAnswer = stub.silent ?? { status: 400, body: { error: "refused by tests/specs", findings } };
    const answer = isCommitted ? this.#answered(request, asked) : findings.length > 0 ? refusal : { status: 200, body: {} };
    keep(this.received, RECEIVED_MAX, {
      at: new Date(request.now).toISOString(),
      method: request.method,
      url: redactedUrl(request.url),
      headers: redacted(request.headers),
      body: request.body.slice(0, BODY_CHARS_MAX),
      findings,
      ...(fault && { fault: fault.status === undefined ? fault.fault : `${fault.fault} ${fault.status}` }),
      isCommitted,
      status: isCommitted ? answer.status : 0,
    });
    return { answer, fault };
  }

  /** The requests that the stub got and took, whatever was answered on the way back. */
  get taken(): Received[] {
    return this.received.filter((one) => one.isCommitted && one.status < 300);
  }

  #due(): Fault | undefined {
    const [first] = this.faults;
    if (first && --first.count <= 0) this.faults.shift();
    return first;
  }

  #answered(request: StubRequest, asked: Judged): StubAnswer {
    try {
      const answer = this.stub.answer(request);
      // Who reads the vendor must get what the vendor would tell.
      const told = answer.status === 200 && typeof answer.body === "object" ? judgeOf(this.stub.spec).judgeAnswer(asked, answer.body) : [];
      for (const finding of told) this.#violate(request, `the stub's answer: ${finding}`);
      return answer;
    } catch (error) {
      // A stub that fails must not look like a vendor that does.
      this.#violate(request, `the stub failed: ${(error as Error).stack}`);
      return { status: 500, body: { error: "the stub failed" } };
    }
  }

  #violate(request: StubRequest, finding: string) {
    const where = `${request.method} ${redactedUrl(request.url)}`;
    keep(this.violations, VIOLATIONS_MAX, { at: new Date(request.now).toISOString(), request: where, finding });
  }
}

function keep<T>(list: T[], max: number, one: T) {
  list.push(one);
  if (list.length > max) list.shift();
}

const hidden = (value: string) => `${value.slice(0, SHOWN)}…`;

function redacted(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, SECRET.test(name) ? hidden(value) : value]));
}

function redactedUrl(url: URL): string {
  const shown = new URL(url);
  for (const [name, value] of url.searchParams) if (SECRET.test(name)) shown.searchParams.set(name, hidden(value));
  return shown.href;
}
