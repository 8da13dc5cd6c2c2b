/**
 * Measures functions: `node js/functions.ts LINES`, for `cargo xtask tidy`.
 *
 * In: on standard input a JSON object, paths → texts of TypeScript or JavaScript. Out: a JSON list of the functions that
 * have more than LINES lines, each with its path, first line, number of lines and name. Reads nothing from the disk.
 * A test's callback counts as well.
 */
import { text } from "node:stream/consumers";

import { type Node, SyntaxKind } from "typescript/unstable/ast";
import { isVariableDeclaration } from "typescript/unstable/ast/is";
import { createVirtualFileSystem } from "typescript/unstable/fs";
import { API } from "typescript/unstable/sync";

const FUNCTIONS = new Set([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ArrowFunction,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.Constructor,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
]);

const max = Number(process.argv[2]);
const texts = JSON.parse(await text(process.stdin)) as Record<string, string>;
const files = Object.keys(texts).map((path) => `/${path}`);
const config = "/tsconfig.json";
const api = new API({
  fs: createVirtualFileSystem({
    ...Object.fromEntries(Object.entries(texts).map(([path, content]) => [`/${path}`, content])),
    [config]: JSON.stringify({ compilerOptions: { allowJs: true, noLib: true, noResolve: true, types: [] }, files }),
  }),
});
const project = api.updateSnapshot({ openProjects: [config] }).getProject(config);
const long: { path: string; line: number; lines: number; name: string }[] = [];
for (const path of files) {
  const file = project?.program.getSourceFile(path);
  if (!file) throw new Error(`TypeScript cannot read ${path}`);
  const lineOf = (position: number) => file.getLineAndCharacterOfPosition(position).line + 1;
  const visit = (node: Node) => {
    if (FUNCTIONS.has(node.kind)) {
      const line = lineOf(node.getStart(file));
      const lines = lineOf(node.getEnd()) - line + 1;
      if (lines > max) long.push({ path: path.slice(1), line, lines, name: nameOf(node) });
    }
    node.forEachChild(visit);
  };
  file.forEachChild(visit);
}
api.close();
console.log(JSON.stringify(long));

/** Its own name, that of the variable it is given to, or none. */
function nameOf(node: Node): string {
  const named = node as Node & { name?: Node };
  if (named.name) return named.name.getText();
  return node.parent && isVariableDeclaration(node.parent) ? node.parent.name.getText() : "";
}
