"""An action on a server that Nova is busy with; Nova is played here, for its own moments can't be chosen."""

import pytest
from keystoneauth1.exceptions import http

from cloudlab.services.server_action import act


class Nova:
    """Answers with one state after the other, (status, task), the last one for ever; refuses as Nova does."""

    def __init__(self, *states, takes):
        self.states, self.takes, self.posted = list(states), takes, []

    def call(self, method, path, json=None):
        status, task = self.states[0]
        if method == "GET":
            if len(self.states) > 1:
                self.states.pop(0)
            return {"server": {"status": status, "OS-EXT-STS:task_state": task}}
        self.posted.append(json)
        if task or status not in self.takes:
            raise http.Conflict()
        return {}


def test_reset_waits_until_nova_has_stopped_what_it_saw_off():
    nova = Nova(("ACTIVE", "powering-off"), ("SHUTOFF", None), takes=("ACTIVE", "SHUTOFF"))
    act(nova, "uuid", "reboot")
    assert nova.posted == [{"reboot": {"type": "HARD"}}]


def test_a_task_that_begins_after_the_look_is_waited_for():
    nova = Nova(("ACTIVE", None), ("ACTIVE", "powering-off"), ("SHUTOFF", None), takes=("ACTIVE", "SHUTOFF"))
    act(nova, "uuid", "reboot")
    assert len(nova.posted) == 2  # refused, then accepted


def test_start_is_not_taken_for_done_while_nova_is_stopping():
    nova = Nova(("ACTIVE", "powering-off"), ("SHUTOFF", None), takes=("SHUTOFF",))
    act(nova, "uuid", "start")
    assert nova.posted == [{"os-start": None}]


@pytest.mark.parametrize("action, status", [("start", "ACTIVE"), ("stop", "SHUTOFF")])
def test_what_is_so_already_is_not_asked_for(action, status):
    nova = Nova((status, None), takes=())
    act(nova, "uuid", action)
    assert nova.posted == []


def test_what_nova_refuses_at_rest_is_an_error_at_once():
    with pytest.raises(http.Conflict):
        act(Nova(("PAUSED", None), takes=("SHUTOFF",)), "uuid", "start")
