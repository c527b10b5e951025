import re

import pytest
from django import forms
from django.template import Context, Template

from tests.ui.demo import DemoForm
from ui.forms import Picker


def draw(source, **context):
    return re.sub(r"\s+", " ", Template(source).render(Context(context))).replace(" >", ">")


def draw_field(name, data=None, options=""):
    form = DemoForm(data)
    return draw(f"{{% field form.{name} {options} %}}", form=form)


def test_a_field_is_label_control_error_help_in_that_order():
    html = draw_field("seconds", {"seconds": "90"})
    parts = ['<label for="id_seconds">', "<input", 'class="error"', 'class="help"']
    places = [html.index(part) for part in parts]
    assert places == sorted(places)


def test_error_and_help_are_tied_to_the_control():
    html = draw_field("seconds", {"seconds": "90"})
    assert 'aria-describedby="id_seconds-e id_seconds-h"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_seconds-e"' in html
    assert "90 is more than a window may last. Enter 1 to 60." in html


def test_a_field_without_error_or_help_is_described_by_nothing():
    assert "aria-" not in draw_field("limit")


def test_what_was_typed_is_kept_when_it_is_wrong():
    assert 'value="ninety"' in draw_field("seconds", {"seconds": "ninety"})


def test_a_password_is_never_given_back():
    assert "hunter2" not in draw_field("api_key", {"api_key": "hunter2"})


def test_numbers_are_text_boxes_with_a_number_keyboard():
    html = draw_field("limit", options='affix="requests"')
    assert 'type="text"' in html
    assert 'inputmode="numeric"' in html
    assert 'class="input input-num"' in html
    assert 'max="' not in html
    assert "<span>requests</span>" in html


def test_decimals_get_a_keyboard_with_a_point():
    class Price(forms.Form):
        dearer = forms.DecimalField()

    assert 'inputmode="decimal"' in draw("{% field form.dearer %}", form=Price())


def test_option_cards_say_their_sentence_and_what_they_fill_in():
    html = draw_field("preset")
    assert '<fieldset class="field " aria-describedby="id_preset-h"><legend>Preset</legend>' in html
    assert 'class="options options-3"' in html
    assert "<strong>Initial setup</strong><span>5 requests a window</span>" in html
    assert 'data-fill="{&quot;limit&quot;: 5}"' in html
    assert re.search(r'value="ongoing"[^>]* checked', html)
    assert html.count("data-fill") == 2


def test_a_picker_suggests_and_takes_anything():
    html = draw_field("model")
    assert 'list="id_model-list"' in html
    assert '<datalist id="id_model-list">' in html
    assert '<option value="gpt-6-luna">Small &amp; &lt;fast&gt;</option>' in html
    assert DemoForm({"model": "my-own"}).fields["model"].clean("my-own") == "my-own"


def test_a_picker_may_ask_for_its_suggestions_when_it_is_drawn():
    class Ask(forms.Form):
        model = forms.CharField(widget=Picker(lambda: [("late", "Late")]))

    assert '<option value="late">' in draw("{% field form.model %}", form=Ask())


def test_check_boxes_stand_inside_their_label():
    assert re.search(r'<label class="check-line"><input type="checkbox"[^>]*> Make default', draw_field("mappings"))
    assert draw_field("entities").count('class="check-line"') == 2


@pytest.mark.parametrize("name", ["name", "organization"])
def test_only_what_may_stay_empty_is_marked(name):
    assert ("<small>optional</small>" in draw_field(name)) == (name == "organization")


def test_what_begins_with_a_value_or_says_itself_when_it_may_stay_empty_is_not_marked():
    class Form(forms.Form):
        version = forms.CharField(required=False, initial="v1")

    assert "optional" not in draw("{% field form.version %}", form=Form())
    assert "optional" not in draw_field("organization", options="optional=False")


def test_filters_are_small_and_mark_nothing():
    html = draw_field("organization", options="compact=True width='f-wide'")
    assert 'class="input input-s"' in html
    assert "optional" not in html
    assert 'class="field f-wide"' in html


def test_a_widget_keeps_its_own_attributes():
    class Own(forms.Form):
        q = forms.CharField(widget=forms.TextInput(attrs={"class": "mono", "hx-get": "/x/"}))

    html = draw("{% field form.q %}", form=Own())
    assert 'class="mono input"' in html
    assert 'hx-get="/x/"' in html


def test_the_notice_of_a_form_links_the_fields_in_question():
    html = draw("{% errors form %}", form=DemoForm({"seconds": "90", "preset": "none"}))
    assert 'role="alert"' in html
    assert '<a href="#id_seconds">API throttle seconds</a>' in html
    assert "fields need a second look" in html


def test_a_form_that_was_not_sent_has_no_notice():
    assert draw("{% errors form %}", form=DemoForm()).strip() == ""


def test_what_was_typed_cannot_become_markup():
    form = DemoForm({"name": "<script>alert(1)</script>", "seconds": "<script>", "model": '"><script>'})
    html = draw("{% errors form %}{% for f in form %}{% field f %}{% endfor %}", form=form)
    assert "<script" not in html


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("name", "", "This is empty. Fill it in."),
        ("version", "", "Nothing is chosen. Choose one."),
        ("version", "v9", "v9 is not one of the choices. Choose another."),
        ("limit", "many", "This is not a whole number. Enter digits only."),
        ("limit", "0", "0 is too little. Enter 1 or more."),
        ("limit", "5001", "5001 is too much. Enter 5000 or less."),
    ],
)
def test_what_django_says_is_said_in_our_words(name, typed, sentence):
    assert DemoForm({name: typed}).errors[name] == [sentence]


def test_length_is_told_in_characters():
    class Short(forms.Form):
        name = forms.CharField(max_length=3)

    assert Short({"name": "abcd"}).errors["name"] == ["4 characters are too many. Enter at most 3."]
