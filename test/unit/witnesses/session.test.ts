import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { until } from "../../../operate/poll";
import { temporaryFolder } from "../../support/folder";
import type { Seen } from "../../witnesses/lines";
import { Witnesses } from "../../witnesses/witnesses";

const SCRIPT = join(__dirname, "..", "..", "witnesses", "session.py");

/** A driver whose first connection is lost with its fifth statement, and whose second is not to be had. */
const DRIVER = `
from . import err

made = 0

def connect(**how):
    global made
    made += 1
    if made == 2:
        raise err.MySQLError(2003, "nobody listens")
    return Connection(made)

class Connection:
    def __init__(self, number):
        self.number, self.statements = number, 0
    def __enter__(self):
        return self
    def __exit__(self, *_):
        return False
    def cursor(self):
        return self
    def execute(self, _):
        self.statements += 1
        if self.number == 1 and self.statements == 5:
            raise err.MySQLError(2013, "Lost connection to server during query")
    def fetchone(self):
        return (self.number,)
    def close(self):
        pass
`;

describe("a session of the database", () => {
  const folder = temporaryFolder();

  before(() => {
    mkdirSync(join(folder.path, "pymysql"));
    writeFileSync(join(folder.path, "pymysql", "err.py"), "class MySQLError(Exception):\n    pass\n");
    writeFileSync(join(folder.path, "pymysql", "__init__.py"), DRIVER);
  });
  after(() => folder.remove());

  test("that is lost has broken, says why, and comes back", async () => {
    const environment = ["HOST", "USER", "PASSWORD", "NAME"].map((key) => `DATABASE_${key}=x`);
    const command = ["DATABASE_PORT=3306", `PYTHONPATH=${folder.path}`, ...environment, "python3", SCRIPT, "session"];
    const witnesses = new Witnesses().add(["session"], ["env", command]);
    try {
      const see = (): Promise<Seen> => Promise.resolve(witnesses.seen[0]!);
      const back = (seen: Seen): boolean => seen.breaks[0]?.away !== undefined && seen.beats > 6;
      const { breaks, refused } = await until("it to be back", see, back);
      assert.deepEqual(
        [breaks.map(({ error }) => error), refused.map(({ error }) => error)],
        [["(2013, 'Lost connection to server during query')"], ["(2003, 'nobody listens')"]],
      );
      assert.ok(breaks[0]!.age >= 800, "four statements, 200 ms each");
    } finally {
      await witnesses.stop();
    }
  });
});
