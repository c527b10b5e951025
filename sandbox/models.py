"""The models on offer: a choice of OpenAI's as of November 2026, each with the end that was announced for it."""

from typing import NamedTuple

from aiohttp import web

from sandbox.errors import ApiError, Json, bad_request


class Model(NamedTuple):
    id: str
    created: int
    kind: str = "text"
    shutdown_date: str | None = None

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "object": "model",
            "created": self.created,
            "owned_by": "system",
            "shutdown_date": self.shutdown_date,
        }


MODELS = {
    model.id: model
    for model in (
        Model("gpt-6-astra", 1793404800),
        Model("gpt-6.1-sol", 1793404800),
        Model("gpt-6.1-terra", 1793404800),
        Model("gpt-6-sol", 1788220800),
        Model("gpt-6-luna", 1788220800),
        Model("gpt-5.6-sol", 1782864000),
        Model("gpt-5.6-terra", 1782864000),
        Model("gpt-5.6-luna", 1782864000),
        Model("gpt-5.5", 1776902400),
        Model("gpt-5.4-mini", 1773705600),
        Model("gpt-5.4-nano", 1773705600, shutdown_date="2027-04-01"),
        Model("gpt-5.1", 1762992000, shutdown_date="2027-04-01"),
        Model("gpt-5", 1754524800, shutdown_date="2026-12-11"),
        Model("gpt-5-mini", 1754524800, shutdown_date="2026-12-11"),
        Model("gpt-5-nano", 1754524800, shutdown_date="2026-12-11"),
        Model("o3", 1744761600, shutdown_date="2026-12-11"),
        Model("gpt-4.1", 1744588800, shutdown_date="2027-01-14"),
        Model("gpt-4.1-mini", 1744588800, shutdown_date="2027-01-14"),
        Model("gpt-4o", 1715558400, shutdown_date="2027-01-14"),
        Model("gpt-4o-mini", 1721260800, shutdown_date="2027-01-14"),
        Model("gpt-image-2", 1776729600, "image"),
        Model("gpt-image-2.5-sunburst", 1788825600, "image"),
        Model("gpt-image-2.6-flare", 1793404800, "image"),
        Model("gpt-image-1.5", 1765843200, "image", "2026-12-01"),
        Model("text-embedding-3-small", 1706054400, "embedding"),
        Model("text-embedding-3-large", 1706054400, "embedding"),
        Model("text-embedding-ada-002", 1671062400, "embedding"),
        Model("gpt-4o-mini-tts", 1742403959, "speech"),
        Model("tts-1", 1681940951, "speech", "2027-01-06"),
        Model("gpt-4o-mini-transcribe", 1742068596, "transcription"),
        Model("whisper-1", 1677532384, "transcription", "2027-02-26"),
        Model("omni-moderation-latest", 1731974400, "moderation"),
    )
}


def use(id: str, kind: str) -> Model:
    """The model `id`, for work of `kind`. Raises OpenAI's 404 for an unknown one, 400 for one that can't do this."""
    model = MODELS.get(id)
    if model is None:
        raise unknown(id)
    if model.kind != kind:
        raise bad_request(f"The model '{id}' is not supported on this endpoint.", "model")
    return model


def unknown(id: str) -> ApiError:
    message = f"The model '{id}' does not exist or you do not have access to it."
    return ApiError(404, message, param="model", code="model_not_found")


async def list_models(request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [model.as_json() for model in MODELS.values()]})


async def get_model(request: web.Request) -> web.Response:
    model = MODELS.get(request.match_info["id"])
    if model is None:
        raise unknown(request.match_info["id"])
    return web.json_response(model.as_json())
