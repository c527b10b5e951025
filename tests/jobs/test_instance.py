"""One Patchbay per folder."""

from __future__ import annotations

import os

import pytest

from jobs import instance


def test_a_second_start_on_one_folder_is_refused_with_what_to_do(tmp_path):
    held = instance.take(tmp_path)
    with pytest.raises(instance.AlreadyRunning) as refused:
        instance.take(tmp_path)
    os.close(held)
    assert str(tmp_path) in str(refused.value)
    assert f"process {os.getpid()}" in str(refused.value)
    assert "VAR_DIR and a PORT of its own" in str(refused.value)


def test_the_folder_is_free_when_its_holder_is_gone(tmp_path):
    os.close(instance.take(tmp_path))
    os.close(instance.take(tmp_path))
