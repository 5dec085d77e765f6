import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAst } from "vitest/node";

/** One text that the code can say. What is filled in at run time reads `…`. */
export interface Said {
  /** An error's code; `warning` for what is told without ending the command. */
  code: string;
  text: string;
  /** File and line below src. */
  at: string;
}

/** What a walk needs to know of a node of the tree: any other field is looked at by name. */
interface Node {
  type: string;
  start: number;
  [field: string]: unknown;
}

interface Source {
  path: string;
  text: string;
  /** Every node's parent. */
  parents: Map<Node, Node>;
  /** Every call, by the name of what is called. */
  calls: Map<string, Node[]>;
}

const src = fileURLToPath(new URL("../../src", import.meta.url));
const unknown = "…";

/** Every error of keyctl's own, and every warning, from the syntax trees of src. */
export function saidInSrc(): Said[] {
  const sources = readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .toSorted()
    .map(readSource);
  return sources.flatMap((source) => {
    const scope = { sources, source, depth: 0 };
    const said = (node: Node, codes: string[], message: unknown): Said[] => {
      const at = `${source.path}:${source.text.slice(0, node.start).split("\n").length}`;
      const texts = isNode(message) ? textsOf(message, scope) : [];
      return codes.flatMap((code) => texts.map((text) => ({ code, text, at })));
    };
    return [
      ...(source.calls.get("KeyctlError") ?? []).flatMap((made) => {
        const [code, message] = made["arguments"] as Node[];
        return said(made, code === undefined ? [] : textsOf(code, scope), message);
      }),
      ...(source.calls.get("warn") ?? []).flatMap((call) =>
        said(call, ["warning"], (call["arguments"] as Node[])[0]),
      ),
    ];
  });
}

function readSource(path: string): Source {
  const text = readFileSync(join(src, path), "utf8");
  const tree = parseAst(text, { lang: "ts" }) as unknown as Node;
  const parents = new Map<Node, Node>();
  const calls = new Map<string, Node[]>();
  const visit = (node: Node): void => {
    if (node.type === "CallExpression" || node.type === "NewExpression") {
      const name = nameOf(node["callee"]) ?? "";
      calls.set(name, [...(calls.get(name) ?? []), node]);
    }
    for (const child of childrenOf(node)) {
      parents.set(child, node);
      visit(child);
    }
  };
  visit(tree);
  return { path, text, parents, calls };
}

function childrenOf(node: Node): Node[] {
  return Object.values(node).flat().filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

function nameOf(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (node.type === "Identifier") return String(node["name"]);
  return node.type === "MemberExpression" ? nameOf(node["property"]) : null;
}

interface Scope {
  sources: Source[];
  source: Source;
  depth: number;
}

/** All texts that an expression can have; `…` for what only a run can know. */
function textsOf(node: Node, scope: Scope): string[] {
  switch (node.type) {
    case "Literal":
      return [typeof node["value"] === "string" ? node["value"] : unknown];
    case "TemplateLiteral":
      return joined(partsOf(node), scope);
    case "BinaryExpression":
      return node["operator"] === "+"
        ? joined([node["left"] as Node, node["right"] as Node], scope)
        : [unknown];
    case "ConditionalExpression":
      return [...textsOf(node["consequent"] as Node, scope), ...textsOf(node["alternate"] as Node, scope)];
    case "TSAsExpression":
      return textsOf(node["expression"] as Node, scope);
    case "Identifier":
      return valuesOf(String(node["name"]), node, scope);
    default:
      return [unknown];
  }
}

function partsOf(template: Node): (Node | string)[] {
  const values = template["expressions"] as Node[];
  return (template["quasis"] as Node[]).flatMap((quasi, i) => {
    const { cooked } = quasi["value"] as { cooked: string };
    const value = values[i];
    return value === undefined ? [cooked] : [cooked, value];
  });
}

/** Every combination: `${a ? "x" : "y"} of ${b}` is "x of …" and "y of …". */
function joined(parts: (Node | string)[], scope: Scope): string[] {
  return parts.reduce<string[]>(
    (before, part) => {
      const next = typeof part === "string" ? [part] : textsOf(part, scope);
      return before.flatMap((text) => next.map((more) => (text + more).replaceAll("……", unknown)));
    },
    [""],
  );
}

/** A name is a constant of the file, or a parameter: then it is whatever the function's callers give. */
function valuesOf(name: string, from: Node, scope: Scope): string[] {
  if (scope.depth > 4) return [unknown];
  const deeper = { ...scope, depth: scope.depth + 1 };
  for (let node: Node | undefined = from; node; node = scope.source.parents.get(node)) {
    const constant = constantOf(name, node);
    if (constant !== null) return textsOf(constant, deeper);
    const params = (node["params"] ?? []) as Node[];
    const place = params.findIndex((param) => nameOf(param) === name);
    if (place >= 0) return givenTo(node, place, deeper);
  }
  return [unknown];
}

function constantOf(name: string, block: Node): Node | null {
  if (block.type !== "BlockStatement" && block.type !== "Program") return null;
  for (const statement of block["body"] as Node[]) {
    const declared = statement.type === "ExportNamedDeclaration" ? statement["declaration"] : statement;
    if (!isNode(declared) || declared.type !== "VariableDeclaration") continue;
    for (const each of declared["declarations"] as Node[]) {
      if (nameOf(each["id"]) === name && isNode(each["init"])) return each["init"];
    }
  }
  return null;
}

/** What a function's callers give as its argument number `place`: those of its file, or of any file when it is exported. */
function givenTo(called: Node, place: number, scope: Scope): string[] {
  const declared = called.type === "ArrowFunctionExpression" ? scope.source.parents.get(called) : called;
  const name = nameOf(declared?.["id"]);
  if (declared === undefined || name === null) return [unknown];
  const isExported = scope.source.parents.get(declared)?.type === "ExportNamedDeclaration";
  const values = (isExported ? scope.sources : [scope.source]).flatMap((source) =>
    (source.calls.get(name) ?? []).flatMap((call) => {
      const given = (call["arguments"] as Node[])[place];
      return given === undefined ? [unknown] : textsOf(given, { ...scope, source });
    }),
  );
  return values.length === 0 ? [unknown] : [...new Set(values)];
}
