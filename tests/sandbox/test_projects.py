"""Projects of an organization, which an admin key alone may see."""

import openai
import pytest

from tests.sandbox.conftest import Sandbox


def test_an_admin_key_makes_finds_renames_and_archives_a_project(sandbox: Sandbox):
    projects = sandbox.client("sk-admin-good", admin_api_key="sk-admin-good").admin.organization.projects
    made = projects.create(name="Catalogue")
    assert [one.name for one in projects.list()] == ["Catalogue", "Default project"]
    assert projects.retrieve(made.id).name == "Catalogue"
    assert projects.update(made.id, name="Shop texts").name == "Shop texts"
    assert projects.archive(made.id).status == "archived"
    assert [one.name for one in projects.list()] == ["Default project"]
    assert len(list(projects.list(include_archived=True))) == 2


def test_another_key_is_told_which_permission_it_lacks(sandbox: Sandbox):
    answer = sandbox.get("organization/projects")
    assert answer.status_code == 403
    assert "api.management.read" in answer.json()["error"]["message"]


def test_an_unknown_project_is_not_found(sandbox: Sandbox):
    client = sandbox.client("sk-admin-good", admin_api_key="sk-admin-good")
    with pytest.raises(openai.NotFoundError):
        client.admin.organization.projects.retrieve("proj_none")
