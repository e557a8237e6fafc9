import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.mail_text import html_to_text

PAGE = """<!doctype html><html><head><title>Report</title><style>p { color: red }</style></head><body>
<div style="color:red; DISPLAY : none">Preheader <div>inside</div></div><p hidden>never</p>
<table role="presentation"><tr><td><h1>Audit &amp; report</h1></td><td>Northwind</td></tr>
<tr><td><p>Two <b>critical</b>
findings. <a href="https://x.example/r?a=1&amp;b=2">View Report</a>, see
<a href="https://x.example">https://x.example</a>, <a href="#top">top</a>, <a href="mailto:a@b.example">a@b.example</a>,
<a href="javascript:alert(1)">no</a></p></td></tr></table>
<h2>Numbers</h2>
<table><thead><tr><th>Severity<th>Count</tr></thead><tbody><tr><td>Critical<td><table><tr><td>2</td><td>new</td></tr></table></td></tr>
<tr><td>High</td><td><p>3</p><p>old</p></td></tr><tr><td>&nbsp;</td></tr></tbody></table>
<ul><li>One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen.<li><p>Two</p><ol><li>a<li>b</ol></li></ul>
<p>After<br>break<img alt=" and picture" src="x"></p><hr><pre>keep
  this</pre><script>alert(1)</script>End</body></html>"""

TEXT = """Audit & report
==============

Northwind

Two critical findings. View Report <https://x.example/r?a=1&b=2>, see
https://x.example, top, a@b.example, no

Numbers
-------

Severity | Count
----------------
Critical | 2 new
High | 3 old

- One two three four five six seven eight nine ten eleven twelve thirteen
  fourteen fifteen.
- Two

  1. a
  2. b

After
break and picture

--------------------

keep
  this

End
"""


def test_a_page_reads_well_as_text() -> None:
    assert html_to_text(PAGE) == TEXT


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", "\n"),
        ("plain words", "plain words\n"),
        ("<td>cell<td>other", "cell\nother\n"),
        ("</table></ul></a></td></h1>text", "text\n"),
        ("<table><tr><td>never closed", "never closed\n"),
        ("<ul><li></ul><p>after an empty entry", "after an empty entry\n"),
        (
            "<a href='https://a.example'>one <a href='https://b.example'>two</a>",
            "one two <https://b.example>\n",
        ),
        ("<p>a\u202eb\x1b", "a\ufffdb\u241b\n"),
        ("<a href='https://a.example/\n<x>'>click</a>", "click\n"),
        ("<div hidden><div>x</div>y</div>z", "z\n"),
        ("2<span style='color: red; display: block'>critical</span>", "2\ncritical\n"),
        ("<img hidden><br style='display:none'>z", "z\n"),
    ],
)
def test_odd_pages_lose_nothing(html: str, text: str) -> None:
    assert html_to_text(html) == text


@given(st.lists(st.sampled_from(["<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>", "<ul>", "<li>", "</ul>", "<p>", "</p>", "<pre>", "</pre>", "<h1>", "</h1>", "<a href='https://e.example'>", "</a>", "<table role=presentation>", "<br>"]), max_size=30))  # fmt: skip
def test_every_word_survives_any_tags(tags: list[str]) -> None:
    html = "".join(f"{tag} word{number} " for number, tag in enumerate(tags))
    text = html_to_text(html)
    for number in range(len(tags)):
        assert f"word{number}" in text.replace("|", " ").split()
