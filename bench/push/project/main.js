// As ../../../main.js.
require("tsx/cjs");
Error.prepareStackTrace = undefined;
module.exports = require("./program.ts");
