"""How the forms of common operations are arranged, as data over what the catalogue gives: order, groups, words, beginnings.

An operation without a layout shows what it needs first and folds the rest away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openai_api.catalogue import Operation
from operations.fields.drawing import Look

DEFAULT_TIMEOUT = 10_000  # ms
# Answers that a model thinks about, or that are large.
LONG_TIMEOUT = 120_000


@dataclass(frozen=True)
class Group:
    """Fields of the body that stand together; without a title they come first."""

    title: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """`groups` name fields of the body; the others are folded away. `looks` is path → look, `start` what stands in the body
    at first, in which MODEL is the installation's model. `models` are beginnings of names: the first of the account's models
    that begins so is chosen instead of the one in `start`. `timeout` is in milliseconds.
    """

    lede: str = ""
    groups: tuple[Group, ...] = ()
    looks: Mapping[str, Look] = field(default_factory=dict)
    start: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    timeout: int = DEFAULT_TIMEOUT


MODEL = "{model}"
IMAGE_MODELS = ("gpt-image-2.5", "gpt-image-2", "gpt-image")
IMAGE_MODEL = Look(help="A model that draws, such as gpt-image-2.5-flare.", refreshes=True)
MESSAGES = Look(help="The talk so far, oldest first.")
TOOLS = Look(control="json", help='A JSON list of tools, such as [{"type": "web_search"}].')

LAYOUTS: dict[str, Layout] = {
    "create_response": Layout(
        lede="Sends text, images or files to a model and shows its answer.",
        groups=(
            Group("", ("model", "instructions", "input")),
            Group("Answer", ("text", "max_output_tokens", "reasoning", "stream", "background")),
            Group("Tools", ("tools", "tool_choice", "max_tool_calls")),
            Group("Conversation", ("previous_response_id", "conversation", "store", "metadata")),
        ),
        looks={
            "body/instructions": Look(control="area", help="What the model is told about its task."),
            "body/input": Look(help="Text, or a list of messages whose content may hold images and files."),
            "body/text": Look(
                label="Structured output", help="The form of the answer: plain text, JSON, or a JSON schema."
            ),
            "body/stream": Look(help="true shows the answer while it comes."),
            "body/background": Look(
                help="true lets OpenAI work on without this page. Ask for the result with Get response."
            ),
            "body/tools": TOOLS,
            "body/max_output_tokens": Look(help="Where the answer is cut off. Thinking counts too."),
            "body/previous_response_id": Look(
                label="Previous response ID", help="Continues that answer. Begins with resp_."
            ),
        },
        start={"model": MODEL, "input": ""},
        timeout=LONG_TIMEOUT,
    ),
    "create_chat_completion": Layout(
        lede="Sends a conversation to a model, which writes the next message.",
        groups=(
            Group("", ("model", "messages")),
            Group("Answer", ("temperature", "top_p", "n", "max_completion_tokens", "response_format", "stream")),
            Group("Tools", ("tools", "tool_choice")),
        ),
        looks={
            "body/messages": MESSAGES,
            "body/n": Look(label="Number of choices", help="How many answers are written, 1 to 128. Each is paid for."),
            "body/temperature": Look(help="0 to 2. Higher is more varied. Without it: 1."),
            "body/top_p": Look(label="Top p", help="0 to 1. Only the likeliest words up to this share. Without it: 1."),
            "body/stream": Look(help="true shows the answer while it comes."),
            "body/tools": TOOLS,
        },
        start={"model": MODEL, "messages": [{"role": "user", "content": ""}]},
        timeout=LONG_TIMEOUT,
    ),
    "create_image": Layout(
        lede="Draws images from a description.",
        groups=(
            Group("", ("model", "prompt", "n", "size")),
            Group("Look", ("quality", "background", "output_format", "output_compression", "moderation")),
        ),
        looks={
            "body/model": IMAGE_MODEL,
            "body/prompt": Look(control="area", help="What the image shows."),
            "body/n": Look(label="Number of images", help="1 to 10. Each is paid for."),
            "body/size": Look(help="Width by height in pixels, among those that the model has."),
        },
        start={"model": "gpt-image-2.5-flare", "prompt": "", "n": 1},
        models=IMAGE_MODELS,
        timeout=LONG_TIMEOUT,
    ),
    "edit_image": Layout(
        lede="Changes images, or makes a new one of several.",
        groups=(Group("", ("model", "image", "images", "mask", "prompt", "n", "size")),),
        looks={
            "body/model": IMAGE_MODEL,
            "body/prompt": Look(control="area", help="What shall change."),
            "body/n": Look(label="Number of images"),
        },
        start={"model": "gpt-image-2.5-flare", "prompt": "", "n": 1},
        models=IMAGE_MODELS,
        timeout=LONG_TIMEOUT,
    ),
    "create_embedding": Layout(
        lede="Turns text into numbers that can be compared.",
        groups=(Group("", ("model", "input", "dimensions", "encoding_format")),),
        looks={"body/input": Look(help="One text, or several as rows; at most 8,192 tokens each.")},
        start={"model": "text-embedding-3-small", "input": ""},
        models=("text-embedding-3-small", "text-embedding"),
    ),
    "create_moderation": Layout(
        lede="Says whether text or images are harmful, and how. It costs nothing.",
        groups=(Group("", ("input", "model")),),
        looks={"body/input": Look(help="One text, several, or parts with images.")},
        start={"model": "omni-moderation-latest", "input": ""},
        models=("omni-moderation",),
    ),
    "create_speech": Layout(
        lede="Reads text aloud.",
        groups=(Group("", ("model", "input", "voice", "instructions", "response_format", "speed")),),
        looks={
            "body/input": Look(label="Text", control="area", help="What is read; at most 4,096 characters."),
            "body/instructions": Look(control="area", help="How it is read: tone, pace, mood."),
        },
        start={"model": "gpt-4o-mini-tts", "input": "", "voice": "alloy"},
        models=("gpt-4o-mini-tts", "tts"),
        timeout=LONG_TIMEOUT,
    ),
    "create_transcription": Layout(
        lede="Writes down what is said in a recording.",
        groups=(Group("", ("file", "model", "language", "prompt", "response_format", "stream")),),
        looks={
            "body/file": Look(label="Recording", help="mp3, mp4, m4a, wav, webm, flac or ogg; at most 25 MB."),
            "body/language": Look(help="Two letters, such as en. Helps when it is known."),
            "body/prompt": Look(help="Names and words that occur in it."),
        },
        start={"model": "gpt-transcribe"},
        models=("gpt-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe", "whisper"),
        timeout=LONG_TIMEOUT,
    ),
    "upload_file": Layout(
        lede="Puts a file into the account, for batches, fine-tuning, search or as input.",
        groups=(Group("", ("file", "purpose", "expires_after")),),
        looks={
            "body/file": Look(help="At most 512 MB."),
            "body/purpose": Look(help="What it is for. OpenAI checks its form."),
        },
        start={"purpose": "user_data"},
        timeout=600_000,
    ),
    "list_files": Layout(lede="The files of the account, newest first."),
    "download_file": Layout(lede="The content of a file.", timeout=600_000),
    "delete_file": Layout(lede="Deletes a file at OpenAI for good."),
}
PLAIN = Layout()
# Sizes in pixels, by the beginning of the model's name; the longest that fits counts. Facts of the API, November 2026.
STANDARD_SIZES = ("auto", "1024x1024", "1536x1024", "1024x1536")
IMAGE_SIZES: dict[str, tuple[str, ...]] = {
    "": STANDARD_SIZES,
    "dall-e-2": ("256x256", "512x512", "1024x1024"),
    "dall-e-3": ("1024x1024", "1792x1024", "1024x1792"),
    "gpt-image-2": (*STANDARD_SIZES, "1536x864", "2560x1440", "3840x2160"),
}
# These take any size whose sides are multiples of 16 and at most three times as long as each other.
FREE_SIZES = "gpt-image-2"
SIZE = re.compile(r"([1-9]\d{1,3})x([1-9]\d{1,3})", re.ASCII)


def layout_of(operation: Operation) -> Layout:
    return LAYOUTS.get(operation.id, PLAIN)


def image_sizes(model: str) -> tuple[str, ...]:
    """The sizes that an image model has."""
    return IMAGE_SIZES[max((known for known in IMAGE_SIZES if model.startswith(known)), key=len)]


def started(layout: Layout, model: str, account: Sequence[str] = ()) -> dict[str, Any]:
    """The body that the form begins with. `account` are the models that the account has."""
    body = {name: model if value == MODEL else value for name, value in layout.start.items()}
    if body.get("model") not in account:
        fitting = [name for beginning in layout.models for name in account if name.startswith(beginning)]
        body |= {"model": fitting[0]} if fitting else {}
    return body


def size_problem(model: str, size: str) -> str:
    """Why the image model does not have this size, in a sentence; empty where it has."""
    sizes = image_sizes(model)
    if not size or size in sizes:
        return ""
    if not model.startswith(FREE_SIZES):
        return f"{model or 'The model'} does not have the size {size}. Choose one of {', '.join(sizes)}."
    found = SIZE.fullmatch(size)
    wide, high = (int(side) for side in found.groups()) if found else (1, 1)
    if wide % 16 or high % 16 or max(wide, high) > 3 * min(wide, high) or wide * high > 3840 * 2160:
        return (
            f"{size} is no size that {model} has. Both sides must be multiples of 16, neither more than three times the "
            "other, and both together at most 3840x2160."
        )
    return ""
