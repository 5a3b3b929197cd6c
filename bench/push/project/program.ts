import "./transform";
import program from "../../../index";

export = program;
