"""The people of a made-up repository, and ids that grow with time."""

import github_objects as objects

FIRST = ("alex", "bo", "chris", "dana", "eli", "fran", "gus", "hana", "ivo", "jo", "kim",
         "lee", "mika", "noa", "ola", "pat", "quinn", "remy", "sam", "toni", "uma", "vik")
LAST = ("baker", "carter", "dyer", "fisher", "gardner", "hunter", "mason", "miller",
        "porter", "sawyer", "smith", "tailor", "turner", "weaver", "wright")
BOTS = (("widgets-bot", 3_000_000_077), ("release-helper[bot]", 41_898_282))

MAINTAINER_COUNT = 5


class People:
    """Draws users; maintainers turn up more often than passers-by."""

    def __init__(self, rng, count, odd):
        self._rng = rng
        self._odd = odd
        self.everyone = [self._person(i) for i in range(count)]
        self.maintainers = self.everyone[:MAINTAINER_COUNT]
        self.bots = [objects.user(login, user_id, "Bot") for login, user_id in BOTS]

    def _person(self, index):
        login = f"{self._rng.choice(FIRST)}-{self._rng.choice(LAST)}{index}"
        # Some accounts are younger than the 32-bit ids.
        base = 3_500_000_000 if index % 11 == 10 else 1_000_000
        return objects.user(login, base + index * 7919)

    def author(self):
        """Who writes: mostly people, sometimes a bot; odd: a deleted account."""
        draw = self._rng.random()
        if self._odd and draw < 0.04:
            return None if draw < 0.02 else objects.ghost()
        if draw < 0.07:
            return self._rng.choice(self.bots)
        if draw < 0.35:
            return self._rng.choice(self.maintainers)
        return self._rng.choice(self.everyone)

    def maintainer(self):
        return self._rng.choice(self.maintainers)

    def reviewers(self):
        """Up to three different reviewers."""
        pool = self.everyone[:max(MAINTAINER_COUNT, len(self.everyone) // 4)]
        return self._rng.sample(pool, min(len(pool), self._rng.randint(1, 3)))

    def association(self, person):
        if person is None:
            return "NONE"
        if any(person["id"] == m["id"] for m in self.maintainers):
            return "MEMBER"
        return ("CONTRIBUTOR", "NONE", "COLLABORATOR")[person["id"] % 3]


class IdSpace:
    """Unique ids that follow the clock, as GitHub's nearly do.

    With 16 ids a second they pass 2^31 within five years.
    """

    IDS_PER_SECOND = 16

    def __init__(self, first, start_s):
        self._first = first
        self._start_s = start_s
        self._used = set()

    def at(self, time_s):
        wanted = self._first + max(0, int(time_s) - self._start_s) * self.IDS_PER_SECOND
        while wanted in self._used:
            wanted += 1
        self._used.add(wanted)
        return wanted
