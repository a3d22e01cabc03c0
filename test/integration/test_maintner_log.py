"""Snapshots made from logs: one written by Go's maintner, and our own."""

import os
import shutil
import socket
import unittest

import harness
import recordings
from harness import Case, Mirror, wait_until
from maintner_differences import compare_all, read_lines


def dead_url():
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


class FromLog(Case):
    """Rebuilds while GitHub cannot be reached."""

    def rebuild(self, mirror, *arguments):
        """The snapshot is made before GitHub is asked, and GitHub's absence is told.

        That the program gives up in the end takes two minutes of retries, so only the
        full run waits for it.
        """
        program = mirror.start_sync("--once", *arguments)
        told = wait_until(lambda: program.log_with(severity="WARNING",
                                                   message="request failed, trying again"),
                          program.tail)
        self.assertIn("127.0.0.1", told[0]["error"])
        if harness.FULL:
            self.assertEqual(1, program.wait(), program.tail())
            self.assertTrue(program.log_with(severity="ERROR", message="round failed"))
        else:
            self.assertEqual(0, program.stop(), program.tail())
        return program

    def test_maintners_log_answers_what_drghs_answered(self):
        root, repo, expected_file = recordings.maintner_log()
        mirror = Mirror(self.stage, repo, dead_url())
        shutil.copytree(os.path.join(root, *repo.split("/")), mirror.log_folder)
        foreign = mirror.log_bytes()
        self.rebuild(mirror, "--rebuild")
        answers = mirror.answers()
        found = compare_all(read_lines(expected_file), answers)
        self.assertEqual([], found[:25], f"{len(found)} differences")
        mirror.verify()
        mirror.check_log(allow_foreign=True)
        self.assertEqual(foreign, mirror.log_bytes())
        # And without being told: an empty snapshot is made from the log, too.
        shutil.rmtree(mirror.snapshot)
        self.rebuild(mirror)
        self.assertEqual(answers, mirror.answers())

    def test_our_log_says_the_same_again(self):
        folder = recordings.made()
        double = self.stage.double(folder)
        mirror = Mirror(self.stage, "acme/widgets", double.url)
        mirror.sync()
        before = mirror.answers()
        self.assert_mirrors(folder, before)
        size = mirror.log_bytes()
        mirror.url = dead_url()
        self.rebuild(mirror, "--rebuild")
        self.assertEqual(before, mirror.answers())
        self.assertEqual(size, mirror.log_bytes())
        mirror.verify()
        mirror.url = double.url
        double.reset_counts()
        mirror.sync()
        self.assertEqual(before, mirror.answers())
        self.assertEqual(size, mirror.log_bytes(), "GitHub had nothing new")

    def test_a_rebuild_and_a_sync_in_one_go(self):
        folder = recordings.made(7, 150, 90, "acme/other")
        mirror = Mirror(self.stage, "acme/other", self.stage.double(folder).url)
        mirror.sync()
        size = mirror.log_bytes()
        mirror.sync("--rebuild")
        self.assert_mirrors(folder, mirror.answers())
        self.assertEqual(size, mirror.log_bytes())
        mirror.check_log()
        mirror.verify()


if __name__ == "__main__":
    unittest.main(verbosity=2)
