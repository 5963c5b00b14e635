"""Tasks for Label Studio, and the answers of its exports."""

import json
from pathlib import Path
from xml.sax.saxutils import quoteattr

from dqops.errors import SourceError
from dqops.files import write_text

_NEEDED = "an export of Label Studio as JSON or JSON-MIN, of tasks that dqops review wrote"
_SHOWN = ("row", "column", "recorded", "suggestion", "why")
VERDICTS = {"right as it is": "[right]", "the suggestion": "[suggestion]", "empty": "[empty]", "drop the row": "[drop]", "cannot be told": "[unknown]"}


def write_tasks(path, lines):
    """Write the lines of a batch as tasks to import, and the labelling interface beside them.

    Parameters
    ----------
    path : path
        Of the tasks, ``NAME.json``; the interface is ``NAME.xml``.
    lines : polars.DataFrame
        Of a batch: row, column, recorded, suggestion, why, then the context of the row.
    """
    names = [name for name in lines.columns if name not in (*_SHOWN, "answer", "reviewer")]
    tasks = []
    for line in lines.iter_rows(named=True):
        told = {name: "" if line[name] is None else str(line[name]) for name in _SHOWN}
        told["recorded"] = told["recorded"] or ("(empty)" if line["column"] is not None else "(the whole row)")
        told["suggestion"] = told["suggestion"] or "(none)"
        context = {name.removeprefix("row."): "" if line[name] is None else str(line[name]) for name in names}
        tasks.append({"data": told | {"context": context}})
    write_text(path, json.dumps(tasks, indent=2, ensure_ascii=False) + "\n")
    write_text(Path(path).with_suffix(".xml"), _interface())


def _interface():
    choices = "\n".join(f"    <Choice value={quoteattr(one)}/>" for one in VERDICTS)
    return f"""<View>
  <Header value="Row $row, column $column"/>
  <Header value="Recorded:" size="4"/>
  <Text name="recorded" value="$recorded"/>
  <Header value="Suggestion:" size="4"/>
  <Text name="suggestion" value="$suggestion"/>
  <Text name="why" value="$why"/>
  <Choices name="verdict" toName="recorded" choice="single" showInLine="true">
{choices}
  </Choices>
  <TextArea name="answer" toName="recorded" maxSubmissions="1" placeholder="or another value"/>
  <Header value="The row:" size="4"/>
  <Table name="context" value="$context"/>
</View>
"""


def read_export(path):
    """The answers of an export: dicts of line, row, column, answer, reviewer, as `read_sheet` gives them.

    Raises
    ------
    SourceError
        Where the file is no such export.
    """
    try:
        tasks = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as cause:
        raise SourceError(path, f"it is no JSON ({type(cause).__name__})", _NEEDED) from None
    if not isinstance(tasks, list) or not all(isinstance(one, dict) for one in tasks):
        raise SourceError(path, "it is no list of tasks", _NEEDED)
    lines = []
    for number, task in enumerate(tasks, start=1):
        data = task.get("data", task)
        if not isinstance(data, dict) or "row" not in data or "column" not in data:
            raise SourceError(path, f"task {number} has no row and column", _NEEDED)
        lines += [{"line": number, "row": str(data["row"]), "column": str(data["column"]) or None, **one} for one in _answers(task, path, number)]
    return lines


def _answers(task, path, number):
    """Answer and reviewer of each annotation of a task."""
    if "data" not in task:  # JSON-MIN
        return [{"answer": _told(task.get("verdict"), task.get("answer"), path, number), "reviewer": _person(task.get("annotator"))}]
    found = []
    try:
        for one in task.get("annotations", []):
            if one.get("was_cancelled"):
                continue
            parts = {part.get("from_name"): part.get("value", {}) for part in one.get("result", [])}
            verdict, text = parts.get("verdict", {}).get("choices"), parts.get("answer", {}).get("text")
            found.append({"answer": _told(verdict, text, path, number), "reviewer": _person(one.get("completed_by"))})
    except AttributeError:
        raise SourceError(path, f"the annotations of task {number} are no such", _NEEDED) from None
    return found or [{"answer": None, "reviewer": None}]


def _told(verdict, text, path, number):
    """A text that was typed, or else the mark that stands for a choice."""
    verdict, text = (one[0] if isinstance(one, list) and one else None if isinstance(one, list) else one for one in (verdict, text))
    if text is not None and str(text).strip():
        return f"[value] {str(text).strip()}"
    if verdict is None or verdict == "":
        return None
    if verdict not in VERDICTS:
        raise SourceError(path, f"the choice {verdict!r} of task {number} is unknown", "one of " + ", ".join(VERDICTS))
    return VERDICTS[verdict]


def _person(who):
    """A name for who annotated: an address where there is one, else a number."""
    if isinstance(who, dict):
        who = who.get("email") or who.get("id")
    return None if who is None else str(who)
