import "./transform";

export * from "../../../index";
