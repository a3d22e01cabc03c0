"""Which replica acts, upon which list, and what a confirmation of removals is good for."""

import os
import time
import unittest

import paths  # noqa: F401  where the doubles are
from gcs_double.client import GcsDouble
from harness import SECRET, wait_until
from router_rig import sha_of
from sprvsr_rig import NAMESPACE, SupervisorCase

A, B = "foo/bar", "Owner/.github"
MANY = [f"o/r{i}" for i in range(30)]


class LeadersCase(SupervisorCase):
    def start_ready(self, *more):
        """A replica that has compared once; it leads only if nobody else does."""
        program = self.start(*more)
        wait_until(lambda: self.ask(program, "/_healthz").status == 200, program.tail)
        return program

    def leads(self, program):
        return self.metric(program, "leader") == 1

    def deployments(self):
        return set(self.double.objects("deployments", NAMESPACE))

    def allow(self, program, count):
        return self.ask(program, f"/api/v1/update?allowPrune={count}", method="POST",
                        headers={"X-Maintner-Secret": SECRET})

    def wait_for_refusal(self, program):
        wait_until(lambda: self.metric(program, "prune_refused") == 1, program.tail)


class Handover(LeadersCase):
    def test_another_replica_takes_over_at_once_or_when_the_lease_has_ended(self):
        self.write_list(A)
        first = self.start()
        self.wait_for(first, A)
        second = self.start()
        wait_until(lambda: self.ask(second, "/_healthz").status == 200, second.tail)
        self.assertEqual(0, self.metric(second, "leader"))
        self.assertEqual(0, first.stop(5), first.tail())
        wait_until(lambda: self.metric(second, "leader") == 1, second.tail, 5)
        third = self.start()
        second.kill()
        begun = time.monotonic()
        wait_until(lambda: self.metric(third, "leader") == 1, third.tail, 20)
        self.assertGreater(time.monotonic() - begun, 5)
        self.write_list(A, B)
        self.update(third)
        self.wait_for(third, A, B)

    def test_a_new_leader_reads_the_list_before_it_acts(self):
        self.write_list(A)
        first = self.start("--list-interval", "3600")
        self.wait_for(first, A)
        second = self.start_ready("--list-interval", "3600")
        self.write_list(A, B)
        self.update(first)
        self.wait_for(first, A, B)
        self.assertEqual(0, first.stop(5), first.tail())
        wait_until(lambda: self.leads(second), second.tail)
        self.write_list(B)
        self.update(second)
        self.wait_for(second, B)
        self.assertEqual({sha_of(A)}, {r["name"][6:] for r in self.writes(verb="delete")})

    def test_a_new_leader_that_cannot_read_the_list_does_nothing(self):
        self.write_list(A)
        first = self.start("--list-interval", "3600")
        self.wait_for(first, A)
        listed, self.list_path = self.list_path, self.stage.path("other.json")
        self.write_list(A)
        second = self.start_ready("--list-interval", "1")
        os.unlink(self.list_path)
        wait_until(lambda: self.metric(second, "list_failures_total") > 0, second.tail)
        own, self.list_path = self.list_path, listed
        self.write_list(A, B)
        self.update(first)
        self.wait_for(first, A, B)
        self.assertEqual(0, first.stop(5), first.tail())
        wait_until(lambda: self.leads(second), second.tail)
        failures = self.metric(second, "list_failures_total")
        wait_until(lambda: self.metric(second, "list_failures_total") > failures + 1, second.tail)
        self.wait_for(second, A, B)
        self.assertEqual([], self.writes(verb="delete"))
        self.list_path = own
        self.write_list(B)
        self.wait_for(second, B)

    def test_a_slow_pace_keeps_the_lease(self):
        self.write_list(*MANY)
        program = self.start("--requests-per-second", "1")
        wait_until(lambda: len(self.writes()) >= 14, program.tail)
        self.assertEqual(1, self.metric(program, "leader_changes_total"))


class Confirmations(LeadersCase):
    def test_only_the_leader_takes_one_and_the_others_name_it(self):
        self.write_list(*MANY)
        first = self.start()
        self.wait_for(first, *MANY)
        second = self.start_ready()
        got = self.allow(second, 20)
        self.assertEqual((503, 14), (got.status, got.json()["code"]))
        self.assertIn("does not lead", got.json()["message"])
        holder = self.double.objects("leases", NAMESPACE)["maintner-sprvsr"]["spec"]["holderIdentity"]
        self.assertIn(holder, got.json()["message"])
        self.write_list(*MANY[:10])
        self.update(first)
        self.wait_for_refusal(first)
        self.assertEqual(0, first.stop(5), first.tail())
        wait_until(lambda: self.leads(second), second.tail)
        self.wait_for_refusal(second)
        self.assertEqual([], self.settle(1))
        # As an operator does it in the pod.
        probe = self.stage.run("maint-probe", "--method", "POST", "--secret-file", self.stage.path("internal-secret"),
                               "--path", "/api/v1/update?allowPrune=20", second.address)
        self.assertEqual(0, probe.wait(10), probe.tail())
        self.wait_for(second, *MANY[:10])

    def test_one_covers_what_had_left_and_nothing_that_leaves_later(self):
        self.write_list(*MANY)
        program = self.start()
        self.wait_for(program, *MANY)
        stuck = MANY[29]
        self.merge(self.path_of(stuck), {"metadata": {"finalizers": ["example.com/hold"]}})
        self.write_list(*MANY[:20])
        self.update(program)
        self.wait_for_refusal(program)
        self.assertEqual(202, self.allow(program, 10).status)
        wait_until(lambda: len(self.deployments()) == 21, program.tail)
        self.assertEqual(0, self.metric(program, "prune_refused"))
        self.write_list(*MANY[:11])
        self.update(program)
        self.wait_for_refusal(program)
        self.assertEqual([], self.settle(1))
        self.assertEqual(21, len(self.deployments()))
        self.merge(self.path_of(stuck), {"metadata": {"finalizers": None}})
        wait_until(lambda: len(self.deployments()) == 20, program.tail)

    def test_one_for_which_nothing_had_left_is_spent(self):
        self.write_list(*MANY)
        program = self.start()
        self.wait_for(program, *MANY)
        reads = self.metric(program, "passes_total")
        self.assertEqual(202, self.allow(program, 30).status)
        wait_until(lambda: self.metric(program, "passes_total") > reads, program.tail)
        self.write_list(*MANY[:10])
        self.update(program)
        self.wait_for_refusal(program)
        self.assertEqual(30, len(self.deployments()))

    def test_the_flag_is_one_at_the_start(self):
        self.write_list(*MANY)
        first = self.start()
        self.wait_for(first, *MANY)
        self.assertEqual(0, first.stop(5), first.tail())
        self.write_list(*MANY[:10])
        program = self.start("--allow-prune", "20")
        self.wait_for(program, *MANY[:10])
        self.write_list(MANY[0])
        self.update(program)
        self.wait_for_refusal(program)
        self.assertEqual([], self.settle(1))


class SlowBucket(LeadersCase):
    def test_a_bucket_that_hangs_stops_nothing_else(self):
        self.write_list(A, B)
        with open(self.list_path, "rb") as file:
            data = file.read()
        gcs = GcsDouble(buckets=["lists"])
        self.addCleanup(gcs.stop)
        gcs.put("lists", "repos.json", data)
        program = self.start("--repos", "gs://lists/repos.json",
                             env={"STORAGE_EMULATOR_HOST": gcs.origin})
        self.wait_for(program, A, B)
        gcs.fault(kind="stall", delay_s=20, times=-1)
        asked = len(gcs.attempts())
        self.update(program)
        wait_until(lambda: len(gcs.attempts()) > asked, program.tail)
        begun = time.monotonic()
        self.as_root("DELETE", self.path_of(A, "services"))
        self.wait_for(program, A, B)
        self.assertLess(time.monotonic() - begun, 10, "before the bucket has answered")
        self.assertEqual(0, program.stop(5), program.tail())


if __name__ == "__main__":
    unittest.main()
