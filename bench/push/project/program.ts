import "./transform";
import program = require("../../../index");

export = program;
