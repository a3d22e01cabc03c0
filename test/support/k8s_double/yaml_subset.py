"""Reads the YAML that manifests use: block maps and lists, plain and quoted scalars, | and > blocks,
flow lists and maps on one line, comments, several documents.  No anchors, tags or complex keys."""

import json
import re

_KEY = re.compile(r"""((?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#'"\[\]{},&*!|>%@-][^#]*?|-[^\s#][^#]*?)):(?:\s+(.*))?$""")
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_OCTAL = re.compile(r"0o?[0-7]+")
_FLOAT = re.compile(r"[-+]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][-+]?\d+)?")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


class YamlError(ValueError):
    pass


def load_all(text):
    documents = []
    for part in re.split(r"^---[ \t]*(?:#.*)?$", text, flags=re.M):
        reader = _Reader(part.split("\n"))
        if reader.peek() is not None:
            documents.append(reader.node(0))
            if reader.peek() is not None:
                raise YamlError(f"line not understood: {reader.peek()[1]!r}")
    return documents


def _without_comment(line):
    """Cuts a comment, but not inside quotes."""
    quote = ""
    for at, char in enumerate(line):
        if quote:
            quote = "" if char == quote and not (quote == '"' and line[at - 1] == "\\") else quote
        elif char in "'\"" and (at == 0 or line[at - 1] in " [{,:"):
            quote = char
        elif char == "#" and (at == 0 or line[at - 1] in " \t"):
            return line[:at].rstrip()
    return line.rstrip()


class _Reader:
    def __init__(self, lines):
        self.lines = lines
        self.at = 0

    def peek(self):
        """(indent, text) of the next line with something on it."""
        while self.at < len(self.lines):
            line = _without_comment(self.lines[self.at])
            if line.strip() and line != "...":
                if "\t" in line[:len(line) - len(line.lstrip())]:
                    raise YamlError(f"tab in the indentation: {line!r}")
                return len(line) - len(line.lstrip(" ")), line.strip()
            self.at += 1
        return None

    def node(self, least):
        found = self.peek()
        if found is None or found[0] < least:
            return None
        indent, text = found
        if text == "-" or text.startswith("- "):
            return self._list(indent)
        if _KEY.match(text):
            return self._map(indent)
        self.at += 1
        return _scalar(text)

    def _list(self, indent):
        out = []
        while (found := self.peek()) and found[0] == indent and (found[1] == "-" or found[1].startswith("- ")):
            rest = found[1][1:].lstrip()
            if rest and (_KEY.match(rest) or rest.startswith("- ")):
                inner = indent + len(found[1]) - len(rest)
                self.lines[self.at] = " " * inner + rest
                out.append(self.node(inner))
            else:
                self.at += 1
                out.append(self._value(rest, indent, indent + 1))
        return out

    def _map(self, indent):
        out = {}
        while (found := self.peek()) and found[0] == indent and (match := _KEY.match(found[1])):
            key = _scalar(match[1]) if match[1][0] in "'\"" else match[1]
            if key in out:
                raise YamlError(f"key twice: {key!r}")
            self.at += 1
            # Not before a block: its first lines may look like comments.
            after = None if match[2] else self.peek()
            listed = after is not None and after[0] == indent and after[1][:2] in ("-", "- ")
            out[key] = self._value(match[2] or "", indent, indent if listed else indent + 1)
        return out

    def _value(self, text, indent, least):
        if re.fullmatch(r"[|>][-+]?", text):
            return self._block(text, indent)
        if text == "":
            return self.node(least)
        if text[0] in "&*!%@`":
            raise YamlError(f"not supported: {text!r}")
        if text[0] not in "'\"[{":  # a plain scalar may go on in deeper lines
            while (found := self.peek()) and found[0] > indent:
                text += " " + found[1]
                self.at += 1
        return _scalar(text)

    def _block(self, style, indent):
        taken = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
                break
            taken.append(line)
            self.at += 1
        depth = min((len(l) - len(l.lstrip(" ")) for l in taken if l.strip()), default=0)
        text = "\n".join(l[depth:] for l in taken)
        if style[0] == ">":
            text = re.sub(r"(?<!\n)\n(?!\n)", " ", text.rstrip("\n"))
        return text.rstrip("\n") + ("" if style.endswith("-") or not text.strip() else "\n")


def _scalar(text):
    if text[:1] in "[{" and text:
        value, rest = _flow(text)
        if rest.strip():
            raise YamlError(f"not understood: {rest!r}")
        return value
    if text[:1] == '"':
        return json.loads(text)
    if text[:1] == "'":
        return text[1:-1].replace("''", "'")
    if text.lower() in _WORDS and text in (text.lower(), text.upper(), text.capitalize()):
        return _WORDS[text.lower()]
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text.replace("o", ""), 8)
    return float(text) if _FLOAT.fullmatch(text) else text


def _flow(text):
    """One flow value and what follows it."""
    text = text.lstrip()
    if text[:1] == "[":
        return _flow_items(text[1:], "]", [])
    if text[:1] == "{":
        return _flow_items(text[1:], "}", {})
    match = re.match(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,\[\]{}]*?)\s*(?=[,\]}]|:\s|$)""", text)
    return _scalar(match[1]), text[match.end():]


def _flow_items(text, end, out):
    text = text.lstrip()
    while not text.startswith(end):
        if not text:
            raise YamlError("a flow value does not end on its line")
        key, text = _flow(text)
        if isinstance(out, dict):
            value, text = _flow(text.lstrip()[1:])
            out[key] = value
        else:
            out.append(key)
        text = text.lstrip()
        if text.startswith(","):
            text = text[1:].lstrip()
        elif not text.startswith(end):
            raise YamlError(f"not understood: {text!r}")
    return out, text[1:]
