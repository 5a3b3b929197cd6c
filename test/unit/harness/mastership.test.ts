import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, transitionsIn } from "../../../harness/mastership";

test("transitions are read from what notify.sh writes of groups, and of nothing else", () => {
  const journal = `1763850001.500000 lb1 ha-cluster[7]: keepalived: GROUP VG_1 is now MASTER
1763850002.000000 lb1 ha-cluster[8]: relay: up
1763850003.250000 lb1 ha-cluster[9]: keepalived: GROUP VG_1 is now BACKUP
`;
  assert.deepEqual(transitionsIn("lb1", journal), [
    { at: 1763850001500, name: "lb1", state: "MASTER" },
    { at: 1763850003250, name: "lb1", state: "BACKUP" },
  ]);
});

test("handovers and the time with two masters", () => {
  const transitions = [
    { at: 1000, name: "lb2", state: "MASTER" },
    { at: 1040, name: "lb1", state: "BACKUP" },
    { at: 5000, name: "lb2", state: "FAULT" },
    { at: 6000, name: "lb1", state: "MASTER" },
    { at: 7000, name: "lb3", state: "BACKUP" },
  ];
  const { handovers, twoMasters } = judge(transitions, "lb1");
  assert.deepEqual({ handovers, twoMasters }, { handovers: 2, twoMasters: 40 });
});
