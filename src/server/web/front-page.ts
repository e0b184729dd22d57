import { hash } from 'node:crypto';

import { parseAddress } from '../../core/address.ts';
import { authorityOf, hasSafeMethod, pathOf, type WebRequest, type WebResponse } from '../http/exchange.ts';
import { hostName } from '../http/known-hosts.ts';

/** What the page of a web door tells of its neighbour. */
export interface FrontPageFacts {
  /** Where the gRPC door listens, `host:port`. Absent: it is not told of. */
  readonly grpcAddress?: string | undefined;
  /** Whether the doors have TLS. */
  readonly isSecure: boolean;
  /** Whether the gRPC door describes its services. */
  readonly reflection: boolean;
  /** Whether callers must say who they are. */
  readonly asksWhoCalls: () => boolean;
}

interface Example {
  readonly title: string;
  readonly command: string;
}

const WHAT = 'Understudy answers calls of large language models, and falls back from one provider to the next.';
const HERE = 'This is its web door: Connect, with JSON or protobuf, and gRPC-Web.';
const HEALTH = '/understudy.v1.LlmService/Health?connect=v1&encoding=json&message=%7B%7D';
const MODELS = '/understudy.v1.LlmService/ListModels?connect=v1&encoding=json&message=%7B%7D';
const LINKS: readonly (readonly [path: string, what: string])[] = [
  [HEALTH, 'how the targets are doing'],
  [MODELS, 'the models that requests may name'],
  ['/readyz', 'whether new calls are wanted'],
  ['/livez', 'whether the process lives'],
];

const STYLE = `:root{color-scheme:light dark}
body{margin:0;padding:clamp(1rem,5vw,4rem);font:15px/1.5 system-ui,sans-serif;color:light-dark(#1c2024,#e6e8eb);background:light-dark(#fff,#111315)}
main{max-width:46rem;margin:0 auto}
h1{font-size:1.3rem;margin:0 0 .5rem}
h2{font-size:1rem;margin:2rem 0 .5rem}
p{margin:0 0 .5rem}
pre{margin:0;padding:.75rem 1rem;overflow-wrap:anywhere;white-space:pre-wrap;border-radius:6px;background:light-dark(#f2f4f5,#1b1e21)}
code{font:13px/1.5 ui-monospace,monospace}
ul{margin:0;padding:0;list-style:none}
li{margin:.25rem 0}
a{color:light-dark(#0b57d0,#8ab4f8)}`;

const CSP = `default-src 'none'; style-src 'sha256-${hash('sha256', STYLE, 'base64')}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/**
 * Answers `/` of the web door: what this is and how it is called, for browsers as a page, for others as text. The address in it is the
 * one that the request came to. Tells whether the request was for it.
 */
export function answerFrontPage(request: WebRequest, response: WebResponse, facts: FrontPageFacts): boolean {
  if (pathOf(request) !== '/' || !hasSafeMethod(request)) return false;
  const authority = authorityOf(request) ?? '';
  const base = `${schemeOf(request, facts)}://${authority}`;
  const examples = [callExample(base, facts), ...grpcExample(authority, facts)];
  const isForBrowser = /\btext\/html\b/.test(request.headers.accept ?? '');
  response.setHeader('content-type', `text/${isForBrowser ? 'html' : 'plain'}; charset=utf-8`);
  response.setHeader('cache-control', 'no-store');
  response.setHeader('x-content-type-options', 'nosniff');
  if (isForBrowser) response.setHeader('content-security-policy', CSP);
  response.end(isForBrowser ? pageOf(examples) : textOf(base, examples));
  return true;
}

/** A proxy in front may end TLS; its word is good enough for an example. */
function schemeOf({ headers }: WebRequest, { isSecure }: FrontPageFacts): 'http' | 'https' {
  return isSecure || headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
}

function callExample(base: string, { asksWhoCalls }: FrontPageFacts): Example {
  const key = asksWhoCalls() ? '-H "authorization: Bearer $UNDERSTUDY_API_KEY" ' : '';
  const url = `${base}/understudy.v1.LlmService/Generate`;
  return { title: 'Call it', command: `curl ${key}--json '{ "prompt": "Say hello." }' ${url}` };
}

function grpcExample(authority: string, { grpcAddress, isSecure, reflection }: FrontPageFacts): readonly Example[] {
  const port = grpcAddress === undefined ? undefined : parseAddress(grpcAddress)?.port;
  const name = hostName(authority);
  if (port === undefined || name === undefined) return [];
  const plain = isSecure ? '' : '-plaintext ';
  const host = name.includes(':') ? `[${name}]` : name;
  const command = `grpcurl ${plain}${host}:${port} ${reflection ? 'describe understudy.v1.LlmService' : 'grpc.health.v1.Health/Check'}`;
  return [{ title: 'Native gRPC is next door', command }];
}

function textOf(base: string, examples: readonly Example[]): string {
  const shown = examples.map(({ title, command }) => `${title}:\n\n  ${command}\n`);
  const links = LINKS.map(([path, what]) => `  ${base}${path}\n      ${what}`);
  return [WHAT, `${HERE}\n`, ...shown, 'Look:\n', ...links, ''].join('\n');
}

function pageOf(examples: readonly Example[]): string {
  const shown = examples.map(
    ({ title, command }) => `<h2>${title}</h2>\n<pre tabindex="0"><code>${escaped(command)}</code></pre>`,
  );
  const links = LINKS.map(([path, what]) => `<li><a href="${escaped(path)}">${path.split('?', 1)[0]}</a> ${what}</li>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Understudy</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Understudy</h1>
<p>${WHAT}</p>
<p>${HERE}</p>
${shown.join('\n')}
<h2>Look</h2>
<ul>
${links.join('\n')}
</ul>
</main>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
