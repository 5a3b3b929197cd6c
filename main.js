// What `pulumi` runs. Its own way with TypeScript, ts-node, compiles the whole program anew in every run; tsx keeps what it
// has compiled. Neither checks types: `npm test` does.
require("tsx/cjs");
// ts-node's and Pulumi's source-map-support take several times as long per stack trace as Node.js, which tsx has map them too.
Error.prepareStackTrace = undefined;
module.exports = require("./index.ts");
