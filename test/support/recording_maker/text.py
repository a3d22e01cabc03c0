"""Demo texts: titles, bodies and comments about a made-up widget library.

With `odd` set, some texts hold what real ones hold and programs trip over:
CRLF, control characters, 4-byte UTF-8, U+2028, nothing at all, or 64 KB.
"""

AREAS = ("parser", "scheduler", "cache", "retry loop", "command line", "config loader",
         "release script", "metrics page", "websocket client", "docs build", "test runner",
         "index", "snapshot reader", "login form", "exporter", "upload queue")
SYMPTOMS = ("crashes on an empty file", "hangs after a timeout", "loses the last row",
            "reports a wrong total", "leaks a file descriptor", "ignores the proxy setting",
            "rejects valid dates", "is slow with many labels", "prints the token",
            "fails on a read-only disk", "sorts names by case", "forgets its position")
WISHES = ("support a dry run", "accept several paths", "show progress", "keep a history",
          "allow comments in the config", "report durations in seconds", "stream its output",
          "run without network", "read settings from the environment", "say which file failed")
CHANGES = ("Fix", "Rework", "Document", "Simplify", "Speed up", "Add tests for", "Guard",
           "Split", "Remove dead code from", "Bump the limits of")
SENTENCES = (
    "I can reproduce this with the latest release.",
    "It worked before the last upgrade.",
    "The log shows nothing unusual.",
    "Happens about once in ten runs on our build machine.",
    "A restart helps for a while.",
    "See the attached trace for the details.",
    "We would rather not change the file format for this.",
    "The documentation says otherwise.",
    "Could you try it with caching turned off?",
    "I think the check belongs one level higher.",
    "Thanks, that explains it.",
    "Let us keep the old name for one more release.",
    "This looks like the same cause as an earlier report.",
    "The second argument is never used.",
    "Works for me on three platforms.",
    "Please add a test that fails without the change.",
    "I have no strong opinion about the default.",
    "The error message should name the path.",
    "A smaller buffer would do.",
    "Fine with me after a rebase.",
)
REMARKS = ("Looks good.", "One question below.", "Please rename this.", "Nice cleanup!",
           "I would split this commit.", "Needs a test.", "Good catch.", "Agreed.", "")

ODD_TEXTS = (
    "First line\r\nsecond line\r\n\r\n- item\r\n- item\r\n",
    "bell \x07, escape \x1b[31mred\x1b[0m, backspace \x08, unit separator \x1f, delete \x7f",
    "rocket \U0001f680, family \U0001f468\u200d\U0001f469\u200d\U0001f467, clef \U0001d11e",
    "line separator \u2028 and paragraph separator \u2029 inside",
    "quotes \" ' ` and \\ backslashes \\n \\u0041 and </script><!-- -->",
    "\ufeffbyte order mark first, no-break\u00a0space, zero\u200bwidth, "
    "\u202eright to left\u202c",
    "\u4e2d\u6587\u6587\u5b57, \u65e5\u672c\u8a9e, "
    "\u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac, "
    "\u05e2\u05d1\u05e8\u05d9\u05ea, e\u0301 combined",
    "\t\ttabs and trailing blanks   \n   \n",
    "",
    "@@double [x](javascript:alert) `code` **bold** %s %n ${HOME} {{template}}",
    "highest \U0010ffff and private \ue000 and noncharacter \uffff",
)

HUGE_BYTES = 64 * 1024


class Writer:
    """Draws texts from a random generator; the same seed, the same texts."""

    def __init__(self, rng, odd=False):
        self._rng = rng
        self._odd = odd

    def issue_title(self):
        area = self._rng.choice(AREAS)
        if self._rng.random() < 0.6:
            return f"The {area} {self._rng.choice(SYMPTOMS)}"
        return f"Let the {area} {self._rng.choice(WISHES)}"

    def pull_title(self):
        return f"{self._rng.choice(CHANGES)} the {self._rng.choice(AREAS)}"

    def paragraph(self, low=1, high=4):
        count = self._rng.randint(low, high)
        return " ".join(self._rng.choices(SENTENCES, k=count))

    def body(self):
        """The text of an issue; None (only when odd) where nobody wrote one."""
        if self._odd and self._rng.random() < 0.15:
            return self._rng.choice((None, *ODD_TEXTS))
        parts = [self.paragraph() for _ in range(self._rng.randint(1, 3))]
        if self._rng.random() < 0.25:
            parts.append("```c\nint rc = widget_open(path, &w);\nif (rc != 0)\n\treturn rc;\n```")
        if self._rng.random() < 0.15:
            parts.append("- [x] reproduced\n- [ ] fixed\n- [ ] documented")
        return "\n\n".join(parts)

    def comment(self):
        if self._odd and self._rng.random() < 0.08:
            return self._rng.choice(ODD_TEXTS)
        return self.paragraph(1, 3)

    def remark(self):
        """The short text of a review, often empty."""
        if self._odd and self._rng.random() < 0.05:
            return self._rng.choice(ODD_TEXTS)
        return self._rng.choice(REMARKS)

    def title_variant(self, title):
        """What a title may become when somebody renames the issue."""
        return f"{title} ({self._rng.choice(('again', 'on Windows', 'regression', 'v2'))})"

    def huge(self):
        """A text of 64 KB with odd ones inside, for the limits of readers."""
        line = f"{self.paragraph(2, 2)} \U0001f9ea\u2028\r\n"
        return (line * (HUGE_BYTES // len(line.encode()) + 1)).encode()[:HUGE_BYTES] \
            .decode(errors="ignore")
