"""What a writer of a mutation log owes the programs that read it.

maintner's Go readers take an issue's id and creation only from its first
mutation, crash on label and milestone ids of 0, and lose a tombstone that a
later record does not repeat.  LogRules sees the decoded records of a
repository in order and reports what breaks these promises.
"""

CHILD_FIELDS = ("comment", "comment_status", "event", "event_status", "review",
                "review_status")
NAMING_FIELDS = {"owner", "repo", "number"}
FIRST_NEEDS = ("id", "created", "updated", "title")


class _Issue:
    def __init__(self):
        self.known = False  # a mutation with its fields was seen
        self.tombstoned = False
        self.comments = set()


class LogRules:
    """`report(text)` is called for each broken promise.

    With `strict` False only what maintner's own logs keep as well is checked.
    """

    def __init__(self, owner, repo, report, strict=True):
        self._owner = owner
        self._repo = repo
        self._report = report
        self._strict = strict
        self._issues = {}
        self.counts = {"mutations": 0, "issues": 0, "tombstones": 0, "revivals": 0,
                       "comments": 0, "events": 0, "reviews": 0, "extensions": 0}

    def see(self, mutation):
        """Check one decoded Mutation."""
        self.counts["mutations"] += 1
        kinds = [k for k in ("github_issue", "github", "git", "gerrit") if k in mutation]
        if len(kinds) != 1:
            self._report(f"a mutation of {' and '.join(kinds) or 'nothing'}")
        if "extensions" in mutation:
            self._see_extensions(mutation)
        if "github" in mutation:
            self._see_repository(mutation["github"])
        if "github_issue" in mutation:
            self._see_issue(mutation["github_issue"])
        if self._strict and ("git" in mutation or "gerrit" in mutation):
            self._report("a git or gerrit mutation")

    def _see_extensions(self, message):
        self.counts["extensions"] += len(message["extensions"])
        if not self._strict:
            self._report("an extension field in a foreign log")

    def _check_name(self, message):
        name = (message.get("owner", ""), message.get("repo", ""))
        if name == (self._owner, self._repo):
            return True
        if self._strict:
            self._report(f"a mutation of {'/'.join(name)} in the log of "
                         f"{self._owner}/{self._repo}")
        return False

    def _see_repository(self, message):
        self._check_name(message)
        if "extensions" in message:
            self._see_extensions(message)
        for name in ("labels", "milestones"):
            for row in message.get(name, ()):
                self._check_id(f"{name[:-1]} {row.get('name', row.get('title', ''))!r}",
                               row.get("id", 0))

    def _check_id(self, what, value):
        if value == 0:
            self._report(f"{what} has id 0")
        elif value < 0:
            self._report(f"{what} has id {value}")

    def _see_issue(self, message):
        if not self._check_name(message) and self._strict:
            return
        number = message.get("number", 0)
        if number <= 0:
            self._report(f"issue number {number}")
            return
        if "extensions" in message:
            self._see_extensions(message)
        key = (message.get("owner"), message.get("repo"), number)
        issue = self._issues.setdefault(key, _Issue())
        self._see_existence(number, issue, message)
        self._see_ids(number, message)
        self._see_children(number, issue, message)

    def _see_existence(self, number, issue, message):
        """First mutations, tombstones and revivals."""
        own_fields = set(message) - NAMING_FIELDS - set(CHILD_FIELDS) - {"extensions"}
        if message.get("not_exist"):
            if not issue.tombstoned:
                self.counts["tombstones"] += 1
            issue.tombstoned = True
            if not issue.known and set(message) - NAMING_FIELDS != {"not_exist"}:
                self._report(f"issue {number} is tombstoned unseen by a record that says more: "
                             f"{sorted(set(message) - NAMING_FIELDS - {'not_exist'})}")
            return
        if issue.tombstoned:
            if self._strict and not own_fields and set(message) & set(CHILD_FIELDS):
                self._report(f"issue {number} is tombstoned, and a record of its "
                             f"{sorted(set(message) & set(CHILD_FIELDS))} does not repeat it")
            self.counts["revivals"] += 1
            issue.tombstoned = False
        if not issue.known:
            self._see_first(number, message, own_fields)
            issue.known = True
            self.counts["issues"] += 1

    def _see_first(self, number, message, own_fields):
        if not own_fields:
            self._report(f"issue {number} has {sorted(set(message) & set(CHILD_FIELDS))} "
                         "before its first mutation")
            return
        missing = [name for name in FIRST_NEEDS if name not in message]
        if not self._strict:
            missing = [name for name in missing if name == "created"]
        if missing:
            self._report(f"issue {number}: its first mutation lacks {', '.join(missing)}")

    def _see_ids(self, number, message):
        for row in message.get("add_label", ()):
            self._check_id(f"issue {number}: label {row.get('name', '')!r}", row.get("id", 0))
        for label_id in message.get("remove_label", ()):
            self._check_id(f"issue {number}: a removed label", label_id)
        if "milestone_id" in message or "milestone_num" in message \
                or "milestone_title" in message:
            self._check_id(f"issue {number}: milestone", message.get("milestone_id", 0))
        if not self._strict:
            return
        for row in message.get("assignees", ()):
            self._check_id(f"issue {number}: an assignee", row.get("id", 0))
        for person_id in message.get("deleted_assignees", ()):
            self._check_id(f"issue {number}: a removed assignee", person_id)
        if "id" in message:
            self._check_id(f"issue {number}", message["id"])

    def _see_children(self, number, issue, message):
        for name, counted in (("comment", "comments"), ("event", "events"),
                              ("review", "reviews")):
            for row in message.get(name, ()):
                self.counts[counted] += 1
                if self._strict:
                    self._check_id(f"issue {number}: {name}", row.get("id", 0))
        for row in message.get("comment", ()):
            if row.get("id", 0) not in issue.comments:
                issue.comments.add(row.get("id", 0))
                if self._strict and "created" not in row:
                    self._report(f"issue {number}: comment {row.get('id', 0)} begins "
                                 "without its time")
