import { failOnLeaks } from "../src/testing/vitest.ts";

failOnLeaks();
