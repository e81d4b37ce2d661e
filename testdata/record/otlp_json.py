"""OTLP requests as OTLP JSON (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"), and scrubbed.

Protobuf's own JSON mapping is right but for two points: OTLP wants trace and span ids in hexadecimal
instead of base64, and enum values as numbers. 64-bit integers are strings in both.
"""

import base64

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from recording import scrub

_IDS = ("traceId", "spanId", "parentSpanId")


def to_otlp_json(request: Message) -> dict:
    """The request as the object that an OTLP/HTTP JSON exporter sends."""
    return _hexadecimal_ids(MessageToDict(request, use_integers_for_enums=True))


def _hexadecimal_ids(value):
    if isinstance(value, list):
        return [_hexadecimal_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64decode(item).hex()
        if key in _IDS and isinstance(item, str)
        else _hexadecimal_ids(item)
        for key, item in value.items()
    }


def scrub_request(request: Message) -> None:
    """Cuts machine-specific folders off every source path in the request, in place."""
    for field, value in request.ListFields():
        if field.type == FieldDescriptor.TYPE_STRING:
            if not field.is_repeated:
                setattr(request, field.name, scrub(value))
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            for message in value if field.is_repeated else [value]:
                scrub_request(message)
