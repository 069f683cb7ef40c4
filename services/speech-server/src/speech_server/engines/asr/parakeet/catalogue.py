"""Which models does this server know, and which files of theirs are the right ones?

Revisions and sums are those that several public projects pin and check; a sum that is not known here is taken from
the hub at the first pull and kept beside the files, so that later damage is found.
"""

import re
from dataclasses import replace

from speech_server.errors import EngineUnavailable
from speech_server.model_store.pinned_model import PinnedModel

EUROPEAN = (
    "en-US", "bg-BG", "cs-CZ", "da-DK", "de-DE", "el-GR", "es-ES", "et-EE", "fi-FI", "fr-FR", "hr-HR", "hu-HU", "it-IT",
    "lt-LT", "lv-LV", "mt-MT", "nl-NL", "pl-PL", "pt-PT", "ro-RO", "ru-RU", "sk-SK", "sl-SI", "sv-SE", "uk-UA",
)  # fmt: skip
"""The 25 languages of Parakeet v3, which finds out by itself which one is spoken."""


CATALOGUE = (
    PinnedModel(
        "nemo-parakeet-tdt-0.6b-v3",
        "istupakov/parakeet-tdt-0.6b-v3-onnx",
        "8f23f0c03c8761650bdb5b40aaf3e40d2c15f1ce",
        EUROPEAN,
        {
            "encoder-model.int8.onnx": "6139d2fa7e1b086097b277c7149725edbab89cc7c7ae64b23c741be4055aff09",
            "decoder_joint-model.int8.onnx": "eea7483ee3d1a30375daedc8ed83e3960c91b098812127a0d99d1c8977667a70",
            "encoder-model.onnx": "98a74b21b4cc0017c1e7030319a4a96f4a9506e50f0708f3a516d02a77c96bb1",
            "encoder-model.onnx.data": "9a22d372c51455c34f13405da2520baefb7125bd16981397561423ed32d24f36",
            "decoder_joint-model.onnx": "e978ddf6688527182c10fde2eb4b83068421648985ef23f7a86be732be8706c1",
            "vocab.txt": "d58544679ea4bc6ac563d1f545eb7d474bd6cfa467f0a6e2c1dc1c7d37e3c35d",
        },
    ),
    PinnedModel(
        "nemo-parakeet-tdt-0.6b-v2",
        "istupakov/parakeet-tdt-0.6b-v2-onnx",
        "0bbb45a3365852604aef28b538a8f066f4ccaa85",
        ("en-US",),
        {
            "encoder-model.int8.onnx": "3e0581fda6ab843888b51e56d7ee78b6d5bc3237ec113af1f732d1d5286aa155",
            "decoder_joint-model.int8.onnx": "a449f49acd68979d418651dd2dcb737cc0f1bf0225e009e29ee326354edbf7d3",
            "vocab.txt": "ec182b70dd42113aff6c5372c75cac58c952443eb22322f57bbd7f53977d497d",
        },
    ),
    PinnedModel("nemo-parakeet-rnnt-0.6b", "istupakov/parakeet-rnnt-0.6b-onnx", ""),
    PinnedModel("nemo-parakeet-ctc-0.6b", "istupakov/parakeet-ctc-0.6b-onnx", ""),
)


def look_up(model: str, revision: str = "") -> PinnedModel:
    """The model by name (with or without `nemo-` or `nvidia/`), or any owner/name of the hub.

    Raises EngineUnavailable for an unknown name.
    """
    wanted = model.strip().lower().removeprefix("nvidia/").removeprefix("nemo-")
    found = next((one for one in CATALOGUE if one.name.removeprefix("nemo-") == wanted or one.repo == model), None)
    if found is None:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", model):
            known = ", ".join(one.name for one in CATALOGUE)
            raise EngineUnavailable(f"PARAKEET_MODEL_ID {model!r} is not known; take {known}, or owner/name of a hub.")
        found = PinnedModel(model, model, "")
    if revision and revision != found.revision:
        # Another revision has other files.
        return replace(found, revision=revision, sums={})
    return found
