"""``/v1/organization/projects``, as an admin key (``sk-admin-…``) sees them. A made-up project has no say over other paths."""

import secrets
import time

from aiohttp import web

from sandbox.call import call_of, state_of
from sandbox.paging import page
from sandbox.refusals import missing_scope
from sandbox.state import StoredProject
from sandbox.validation import Field, check

FIELDS = {
    "name": Field("string", required=True),
    "external_key_id": Field("string"),
    "residency": Field("object"),
}
CHANGES = {"name": Field("string"), "external_key_id": Field("string"), "residency": Field("object")}


def _organization(request: web.Request) -> str:
    """The organization whose admin key asks. It has one project from the beginning."""
    scheme, _, key = request.headers["Authorization"].partition(" ")
    if not key.strip().startswith("sk-admin"):
        raise missing_scope("api.management.read", 403)
    organization, shelf = call_of(request).organization, state_of(request).projects
    if not any(shelf.of(organization)):
        shelf.put(_project(organization, "Default project"))
    return organization


def _project(organization: str, name: str) -> StoredProject:
    about = {
        "id": "proj_" + secrets.token_hex(12),
        "object": "organization.project",
        "name": name,
        "created_at": int(time.time()),
        "archived_at": None,
        "status": "active",
        "external_key_id": None,
    }
    return StoredProject(organization, about)


async def list_projects(request: web.Request) -> web.Response:
    found = [one.body for one in state_of(request).projects.of(_organization(request))]
    if request.query.get("include_archived") != "true":
        found = [one for one in found if one["status"] == "active"]
    return page(request, found)


async def create(request: web.Request) -> web.Response:
    organization, body = _organization(request), call_of(request).body
    check(body, FIELDS)
    project = _project(organization, body["name"])
    project.body["external_key_id"] = body.get("external_key_id")
    return web.json_response(state_of(request).projects.put(project).body)


async def get(request: web.Request) -> web.Response:
    return web.json_response(_find(request).body)


async def update(request: web.Request) -> web.Response:
    project, body = _find(request), call_of(request).body
    check(body, CHANGES)
    project.body |= {name: value for name, value in body.items() if value is not None and name != "residency"}
    return web.json_response(project.body)


async def archive(request: web.Request) -> web.Response:
    project = _find(request)
    project.body |= {"status": "archived", "archived_at": int(time.time())}
    return web.json_response(project.body)


def _find(request: web.Request) -> StoredProject:
    return state_of(request).projects.find(_organization(request), request.match_info["id"], "project_id")
