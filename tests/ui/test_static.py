import re

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.management import call_command

from ui.states import State, choices, final, states


def test_style_sheets_keep_to_their_layers_and_exist(settings):
    css = settings.BASE_DIR / "static/css"
    entry = (css / "app.css").read_text()
    imported = dict(re.findall(r'@import url\("([^"]+)"\) layer\((\w+)\);', entry))
    files = {str(path.relative_to(css)) for path in css.rglob("*.css")} - {"app.css"}
    assert set(imported) == files
    folders = {"components": "components", "pages": "pages"}
    assert all(folders.get(name.split("/")[0], name.removesuffix(".css")) == layer for name, layer in imported.items())


def test_raw_colours_stand_only_in_the_tokens(settings):
    colour = re.compile(r"#[0-9a-f]{3,8}\b|\boklch\(|\brgba?\(|\bhsla?\(", re.I)
    sheets = (settings.BASE_DIR / "static/css").rglob("*.css")
    found = [sheet.name for sheet in sheets if sheet.name != "tokens.css" and colour.search(sheet.read_text())]
    assert found == []


def test_the_script_evaluates_nothing_and_writes_no_markup(settings):
    script = (settings.BASE_DIR / "static/js/app.js").read_text()
    assert not re.search(r"\beval\(|new Function|innerHTML|insertAdjacentHTML|localStorage", script)


def test_files_are_served_under_names_that_change_with_them(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    name = f"{ManifestStaticFilesStorage.__module__}.{ManifestStaticFilesStorage.__qualname__}"
    settings.STORAGES = {"staticfiles": {"BACKEND": name}}
    call_command("collectstatic", verbosity=0, interactive=False)
    entry = next((tmp_path / "css").glob("app.*.css")).read_text()
    imports = re.findall(r'url\("([^"]+)"\)', entry)
    assert imports
    assert all((tmp_path / "css" / name).is_file() and re.search(r"\.[0-9a-f]{12}\.css$", name) for name in imports)


@pytest.fixture
def run_states():
    return states(State("running", "Running", "info", "busy"), State("done", "Done", "ok", "ok", final=True))


def test_states_give_choices_and_say_which_are_final(run_states):
    assert choices(run_states) == [("running", "Running"), ("done", "Done")]
    assert final(run_states) == ["done"]


def test_two_states_of_one_value_are_a_mistake():
    with pytest.raises(ValueError, match="same value"):
        states(State("a", "A", "ok", "ok"), State("a", "B", "ok", "ok"))
