export default { mode: "production", context: import.meta.dirname, entry: "./main.js" };
