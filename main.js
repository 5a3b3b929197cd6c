// What `pulumi` runs. Its own way with TypeScript, ts-node, compiles the whole program anew in every run; tsx keeps what it
// has compiled. Neither checks types: `npm test` does.
require("tsx/cjs");
// Whoever reads this is gone. Pulumi's handler of uncaught errors would write of that to the same pipe, and so on for ever.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit(1));
// ts-node's and Pulumi's source-map-support take several times as long per stack trace as Node.js, which tsx has map them too.
Error.prepareStackTrace = undefined;
module.exports = require("./index.ts");
