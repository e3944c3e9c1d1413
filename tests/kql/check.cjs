// Checks KQL with Microsoft's Kusto language service. stdin: {"queries": [{"name", "text", "tables": {table: {column:
// type}}}]}; stdout: [{"name", "diagnostics": [{"code", "severity", "message", "text"}]}]. No output but that.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const service = path.join(__dirname, "..", "..", "node_modules", "@kusto", "language-service-next");
global.bridge = undefined;
require(path.join(service, "bridge.min.js"));
require(path.join(service, "Kusto.Language.Bridge.min.js"));

const { KustoCode, GlobalState } = Kusto.Language;
const { DatabaseSymbol, TableSymbol } = Kusto.Language.Symbols;

function globalsOf(tables) {
  const symbols = Object.entries(tables).map(([name, columns]) => {
    const schema = Object.entries(columns).map(([column, type]) => `['${column}']: ${type}`).join(", ");
    return TableSymbol.From(`(${schema})`).WithName(name);
  });
  return GlobalState.Default.WithDatabase(new DatabaseSymbol.ctor("db", symbols));
}

function listOf(items) {
  const found = [];
  for (let position = 0; position < items.Count; position += 1) found.push(items.getItem(position));
  return found;
}

function checked({ name, text, tables }) {
  const code = KustoCode.ParseAndAnalyze(text, globalsOf(tables));
  const diagnostics = listOf(code.GetDiagnostics()).map((each) => ({
    code: each.Code,
    severity: each.Severity,
    message: each.Message,
    text: text.substr(each.Start, each.Length),
  }));
  return { name, diagnostics };
}

const { queries } = JSON.parse(fs.readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(queries.map(checked)));
