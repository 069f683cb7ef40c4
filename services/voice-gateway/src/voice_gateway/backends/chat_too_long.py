"""Does the language model's server refuse a chat for its length, and how long may it be?

OpenAI and llama.cpp give the reason a name, the others only a sentence. All of them answer 400 (TGI 422, proxies 413):

    vLLM, NIM   This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (8744 in …
    vLLM        'max_tokens' is too large: 256. This model's maximum context length is 4096 tokens and your request …
    vLLM        You passed 9000 input tokens and requested 256 output tokens. However, the model's context length …
    TensorRT    The sum of prompt length (9000.0) and query length (0) should not exceed max_num_tokens (8192)
    SGLang      The input (9000 tokens) is longer than the model's context length (8192 tokens).
    llama.cpp   request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it
    TGI         `inputs` tokens + `max_new_tokens` must be <= 8192. Given: 8744 `inputs` tokens and 256 …
"""

import re
from collections.abc import Mapping

_STATUSES = (400, 413, 422)
_REASONS = ("context_length_exceeded", "exceed_context_size_error")
_SENTENCES = re.compile(
    r"context[ _](?:length|size|window)|max_model_len|max_num_tokens|maximum (?:input|prompt|sequence) length"
    r"|max_new_tokens. must be|(?:prompt|input) is too long|too many tokens",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"(?:context (?:length|size|window)|max_model_len|max_num_tokens|maximum (?:input|prompt|sequence) length)"
    r"(?: is)?(?: only)?[ :=]*\(?(\d+)|must be <= (\d+)",
    re.IGNORECASE,
)


def limit_of(status: int, message: str, body: object) -> int | None:
    """Tokens that the server takes, answer included; 0 = it does not say; None = it refuses for another reason."""
    if status not in _STATUSES:
        return None
    fields = body if isinstance(body, Mapping) else {}
    if not any(fields.get(name) in _REASONS for name in ("code", "type")) and not _SENTENCES.search(message):
        return None
    if isinstance(told := fields.get("n_ctx"), int):
        return told
    found = _LIMIT.search(message)
    return int(found[1] or found[2]) if found else 0
