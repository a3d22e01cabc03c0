"""The launcher: port file, signals, many clients, speed of loading."""

import os
import signal
import threading
import time
import unittest

from context import REPO, made_recording, scratch
from github_double.client import DoubleClient, DoubleProcess


class Process(unittest.TestCase):
    def test_the_port_file_names_the_port(self):
        path = scratch("port")
        with DoubleProcess([made_recording()], options=["--port-file", path]) as double:
            self.assertEqual(double.get(f"/repos/{REPO}").status, 200)
            for _ in range(100):
                if os.path.exists(path):
                    break
                time.sleep(0.02)
            with open(path) as file:
                self.assertTrue(double.url.endswith(f":{int(file.read())}"))

    def test_signals_end_it_with_status_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            double = DoubleProcess([made_recording()])
            self.addCleanup(double.process.kill)
            double.get(f"/repos/{REPO}")
            double.fault(match="repo", kind="slow", delay_s=30)
            began = time.monotonic()
            waiting = threading.Thread(target=self.ask_in_vain, args=(double.url,))
            waiting.start()
            time.sleep(0.1)
            double.process.send_signal(number)
            self.assertEqual(double.stop(), 0)
            waiting.join()
            self.assertLess(time.monotonic() - began, 5)

    def ask_in_vain(self, url):
        client = DoubleClient(url)
        with self.assertRaises(Exception):
            client.get(f"/repos/{REPO}")
        client.close()

    def test_tokens_come_from_the_command_line(self):
        with DoubleProcess([made_recording()], tokens=["secret"]) as double:
            self.assertEqual(double.get(f"/repos/{REPO}").status, 200)
            wrong = DoubleClient(double.url, "wrong")
            self.assertEqual(wrong.get(f"/repos/{REPO}").status, 401)
            wrong.close()

    def test_concurrent_clients_are_served_and_seen(self):
        with DoubleProcess([made_recording()]) as double:
            double.fault(match="labels", kind="slow", delay_s=0.3, times=-1)
            clients = [threading.Thread(target=self.ask_labels, args=(double.url,))
                       for _ in range(8)]
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            counts = double.counts()
            end = time.monotonic() + 5  # a slow answer is counted when all of it has gone out
            while counts.get("labels", 0) < 8 and time.monotonic() < end:
                time.sleep(0.02)
                counts = double.counts()
            self.assertEqual(counts["labels"], 8)
            self.assertGreater(counts["max_in_flight"], 3)

    def ask_labels(self, url):
        client = DoubleClient(url)
        client.get(f"/repos/{REPO}/labels")
        client.close()

    def test_a_recording_can_be_loaded_later(self):
        with DoubleProcess([]) as double:
            self.assertEqual(double.get(f"/repos/{REPO}").status, 404)
            double.load(made_recording())
            self.assertEqual(double.get(f"/repos/{REPO}").status, 200)


if __name__ == "__main__":
    unittest.main()
