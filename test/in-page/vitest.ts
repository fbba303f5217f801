/** What tests import from "vitest", in a page: its own runner and its own matchers. */
import { chai, getState, JestAsymmetricMatchers, JestChaiExpect, JestExtend, setState } from "@vitest/expect";

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } from "@vitest/runner";

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

type Expect = ((value: unknown, message?: string) => unknown) & Record<string, unknown>;

/** As vitest makes its own (createExpect), without snapshots, polls and soft assertions. */
export const expect = ((value, message) => chai.expect(value, message)) as Expect;
// The matchers by which a value is described, such as expect.objectContaining.
const asymmetric = (globalThis as Record<symbol, object>)[Symbol.for("asymmetric-matchers-object")];
Object.assign(expect, chai.expect, asymmetric);
expect.getState = () => getState(expect as never);
setState({ assertionCalls: 0 } as never, expect as never);
Object.defineProperty(globalThis, Symbol.for("expect-global"), { value: expect });
