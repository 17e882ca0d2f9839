// Types of the module that the server has at /page/lightweight-charts.mjs.
export * from "lightweight-charts";
