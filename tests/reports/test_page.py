"""The page: self-contained, private, small, and sound HTML."""

import re
from html.parser import HTMLParser

import pytest

from dqops.reports import notebook, page

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Reader(HTMLParser):
    """Checks nesting, and keeps tags, ids, targets of links and the text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.targets, self.words, self.attributes = [], [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.targets += [given["href"]] if "href" in given else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)


@pytest.mark.parametrize("show_values", [False, True])
def test_a_page_is_sound_and_stands_alone(any_audit, show_values):
    text = page.render(any_audit, show_values=show_values)
    read = Reader(text)
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(read.tags)
    assert not {"src", "onclick", "onload", "onerror"} & set(read.attributes)
    assert not re.search(r"url\(|@import|https?://", text.replace("http://evil.example", ""))
    assert len(read.ids) == len(set(read.ids))
    assert all(target.removeprefix("#") in read.ids for target in read.targets)
    assert "nan" not in " ".join(read.words).lower().split()
    assert read.tags.count("h1") == 1


@pytest.mark.parametrize("show_values", [False, True])
def test_pages_are_small(any_audit, show_values):
    assert len(page.render(any_audit, show_values=show_values).encode()) < 1_000_000


def test_no_raw_values_unless_asked_for(made):
    audit = made.audits["titanic"]()
    text, told = page.render(audit), page.render(audit, show_values=True)
    assert not any(secret in text for secret in made.secrets)
    assert all(secret in told for secret in made.secrets)
    assert "512" not in text
    assert "512" in told


def test_ids_of_a_key_are_raw_values(made):
    keyed = made.audits["titanic"](settings={"key": "name", "seed": 0})
    assert "0, 5, 10, 15" not in page.render(keyed)
    assert "findings.parquet" in page.render(keyed)
    assert "0, 5, 10, 15" in page.render(keyed, show_values=True)
    assert "0, 5, 10, 15" in page.render(made.audits["titanic"]())


def test_the_verdict_comes_before_everything(made):
    words = " ".join(" ".join(Reader(page.render(made.audits["titanic"]())).words).split())
    places = [words.index(said) for said in ("Your model scores", "Findings, best first", "Worth repairing", "Empty cells by column", "Noise of the labels", "Columns", "Warnings", "How it was measured")]
    assert places == sorted(places)
    assert "4 other findings cost this model nothing measurable" in words
    assert "If the truth were known" in words


def test_hostile_names_stay_text(made):
    text = page.render(made.audits["hostile"](), show_values=True)
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "{{ 7 * 7 }}" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "<script" not in notebook.render(made.audits["hostile"]())


def test_pictures_speak(made):
    text = page.render(made.audits["titanic"]())
    pictures = re.findall(r"<svg[^>]*>", text)
    assert pictures
    assert all('aria-label="' in one or 'aria-hidden="true"' in one for one in pictures)
    assert 'aria-label="+0.012 accuracy [+0.004, +0.020], 90% interval"' in text


def test_same_audit_same_bytes(made):
    assert page.render(made.audits["titanic"]()) == page.render(made.audits["titanic"](timings={"all": 99.0}))


def test_long_lists_are_cut_and_counted(made):
    crowded, wide = (page.render(made.audits[name]()) for name in ("crowded", "wide"))
    assert crowded.count("<li id=") == page.DETAILED
    assert "further findings" in crowded
    assert wide.count("<article>") == page.COLUMNS
    assert "more columns are not shown" in wide
    assert "more in the saved run" in wide


def test_many_classes_become_a_list_of_pairs(made):
    from dqops.results.summary import LabelNoise

    n = 40
    joint = tuple(tuple((0.9 if given == true else 0.1 / (n - 1)) / n for true in range(n)) for given in range(n))
    noise = LabelNoise(tuple(f"secret {place}" for place in range(n)), joint, 0.1, 0.08, 0.12)
    text = page.render(made.audits["titanic"](label_noise=noise))
    assert 'class="matrix"' not in text
    assert "likelier class" in text
    assert "secret 3" not in text


def test_the_notebook_shows_the_verdict_alone(made):
    text = notebook.render(made.audits["titanic"]())
    Reader(text)
    assert len(text) < 12_000
    assert "Your model scores" in text
    assert not any(secret in text for secret in made.secrets)
    assert made.audits["titanic"]()._repr_html_() == text


def test_notebooks_of_every_audit_are_sound(any_audit):
    Reader(notebook.render(any_audit))
